/** The ends of some sensors' records, kept as long as they are shown. */
import { signal } from "@preact/signals";
import { answerOf, GET, type Schemas } from "../../api/client";
import type { Messages } from "../../api/live";
import { curveOf, segmentOf } from "../../api/segments";
import type { Segment } from "../../draw/trace";
import { isoOf, secondsOf } from "../../format";
import { endOf, grow } from "./grow";

/** Length [s] of what is shown. */
export const WINDOW_S = 120;

/** A record that grows: its pieces, and since when they are others than at the last drawing. */
export interface Strand {
  segments: Segment[];
  changed_s: number;
}

export interface Tail {
  readonly sensor: string;
  /** Whether it is known what there is, be it nothing. */
  isRead: boolean;
  readonly trace: Strand;
  readonly curves: Map<string, Strand>;
}

export interface MarkedPick {
  readonly sensor: string;
  readonly phase: string;
  readonly time_s: number;
}

/** Counts up whenever something is to be drawn. */
export const grown = signal(0);
const tails = new Map<string, Tail>();
let picks: MarkedPick[] = [];

function emptyStrand(): Strand {
  return { segments: [], changed_s: -Infinity };
}

function emptyTail(sensor: string): Tail {
  return { sensor, isRead: false, trace: emptyStrand(), curves: new Map() };
}

/** What is known of the sensors that are shown, in their order. */
export function tailsOf(sensors: readonly string[]): Tail[] {
  return sensors.map((sensor) => tails.get(sensor) ?? emptyTail(sensor));
}

/** Put a piece behind a strand. */
function add(strand: Strand, piece: Segment): void {
  grow(strand.segments, piece, endOf(piece) - WINDOW_S);
  strand.changed_s = Math.min(strand.changed_s, piece.start_s);
}

function replace(strand: Strand, segments: Segment[]): void {
  strand.segments = segments;
  strand.changed_s = -Infinity;
}

export function picksShown(): readonly MarkedPick[] {
  return picks;
}

/** Newest end of all that is kept, seconds since 1970; null where there is nothing. */
export function newestEnd(): number | null {
  let newest: number | null = null;
  for (const { trace } of tails.values()) {
    const last = trace.segments.at(-1);
    if (last) newest = Math.max(newest ?? 0, endOf(last));
  }
  return newest;
}

export function clearTraces(sensors: readonly string[]): void {
  tails.clear();
  picks = [];
  for (const sensor of sensors) tails.set(sensor, emptyTail(sensor));
  grown.value += 1;
}

export function growTrace(message: Messages["waveform"]): void {
  const tail = tails.get(message.sensor);
  // One trace a sensor: the vertical, or whatever it has first.
  if (!tail || (!message.channel.endsWith("Z") && !message.channel.endsWith("3"))) return;
  for (const answer of message.segments) add(tail.trace, segmentOf(answer));
  grown.value += 1;
}

export function growCurves(message: Messages["probabilities"]): void {
  const tail = tails.get(message.sensor);
  if (!tail) return;
  for (const label of new Set(message.segments.flatMap((segment) => Object.keys(segment.values)))) {
    const strand = tail.curves.get(label) ?? emptyStrand();
    for (const piece of curveOf(message.segments, label)) add(strand, piece);
    tail.curves.set(label, strand);
  }
  grown.value += 1;
}

export function notePicks(items: readonly Schemas["PickAnswer"][]): void {
  const news = items.map((pick) => ({ sensor: pick.sensor, phase: pick.phase, time_s: secondsOf(pick.time) }));
  const newest = Math.max(...news.map((pick) => pick.time_s), ...picks.map((pick) => pick.time_s));
  picks = [...picks, ...news].filter((pick) => pick.time_s > newest - 2 * WINDOW_S);
  grown.value += 1;
}

/** The last minutes of an archive: nothing grows there. Traces come first, then what is said of them. */
export async function readRecorded(
  sensors: readonly string[],
  end_s: number,
  { low_hz, high_hz }: { readonly low_hz: number; readonly high_hz: number },
): Promise<void> {
  const [start, end] = [isoOf(end_s - WINDOW_S), isoOf(end_s)];
  const corners = { ...(low_hz ? { low_hz } : {}), ...(high_hz ? { high_hz } : {}) };
  for (const sensor of sensors) {
    const found = await answerOf(GET("/api/waveforms", {
      params: { query: { sensor, start, end, points: 2500, ...corners } },
    }));
    const tail = tails.get(sensor);
    if (!tail) return;
    tail.isRead = true;
    replace(tail.trace, (found.channels[0]?.segments ?? []).map(segmentOf));
    grown.value += 1;
  }
  for (const sensor of sensors) {
    const said = await answerOf(GET("/api/probabilities", { params: { query: { sensor, start, end } } }));
    const tail = tails.get(sensor);
    if (!tail) return;
    for (const label of new Set(said.segments.flatMap((segment) => Object.keys(segment.values)))) {
      const strand = emptyStrand();
      replace(strand, curveOf(said.segments, label));
      tail.curves.set(label, strand);
    }
    grown.value += 1;
  }
}
