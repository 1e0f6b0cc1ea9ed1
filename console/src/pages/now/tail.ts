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

export interface Tail {
  readonly sensor: string;
  segments: Segment[];
  readonly curves: Map<string, Segment[]>;
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

/** What is known of the sensors that are shown, in their order. */
export function tailsOf(sensors: readonly string[]): Tail[] {
  return sensors.map((sensor) => tails.get(sensor) ?? { sensor, segments: [], curves: new Map() });
}

export function picksShown(): readonly MarkedPick[] {
  return picks;
}

/** Newest end of all that is kept, seconds since 1970; null where there is nothing. */
export function newestEnd(): number | null {
  let newest: number | null = null;
  for (const { segments } of tails.values()) {
    const last = segments.at(-1);
    if (last) newest = Math.max(newest ?? 0, endOf(last));
  }
  return newest;
}

export function clearTraces(sensors: readonly string[]): void {
  tails.clear();
  picks = [];
  for (const sensor of sensors) tails.set(sensor, { sensor, segments: [], curves: new Map() });
  grown.value += 1;
}

export function growTrace(message: Messages["waveform"]): void {
  const tail = tails.get(message.sensor);
  // One trace a sensor: the vertical, or whatever it has first.
  if (!tail || (!message.channel.endsWith("Z") && !message.channel.endsWith("3"))) return;
  for (const answer of message.segments) {
    const piece = segmentOf(answer);
    grow(tail.segments, piece, endOf(piece) - WINDOW_S);
  }
  grown.value += 1;
}

export function growCurves(message: Messages["probabilities"]): void {
  const tail = tails.get(message.sensor);
  if (!tail) return;
  for (const label of new Set(message.segments.flatMap((segment) => Object.keys(segment.values)))) {
    const kept = tail.curves.get(label) ?? [];
    for (const piece of curveOf(message.segments, label)) grow(kept, piece, endOf(piece) - WINDOW_S);
    tail.curves.set(label, kept);
  }
  grown.value += 1;
}

export function notePicks(items: readonly Schemas["PickAnswer"][]): void {
  const news = items.map((pick) => ({ sensor: pick.sensor, phase: pick.phase, time_s: secondsOf(pick.time) }));
  const newest = Math.max(...news.map((pick) => pick.time_s), ...picks.map((pick) => pick.time_s));
  picks = [...picks, ...news].filter((pick) => pick.time_s > newest - 2 * WINDOW_S);
  grown.value += 1;
}

/** The last minutes of an archive: nothing grows there. */
export async function readRecorded(
  sensors: readonly string[],
  end_s: number,
  { low_hz, high_hz }: { readonly low_hz: number; readonly high_hz: number },
): Promise<void> {
  const [start, end] = [isoOf(end_s - WINDOW_S), isoOf(end_s)];
  for (const sensor of sensors) {
    const corners = { ...(low_hz ? { low_hz } : {}), ...(high_hz ? { high_hz } : {}) };
    const found = await answerOf(GET("/api/waveforms", {
      params: { query: { sensor, start, end, points: 2500, ...corners } },
    }));
    const tail = tails.get(sensor);
    if (!tail) return;
    tail.segments = (found.channels[0]?.segments ?? []).map(segmentOf);
    grown.value += 1;
    const said = await answerOf(GET("/api/probabilities", { params: { query: { sensor, start, end } } }));
    for (const label of new Set(said.segments.flatMap((segment) => Object.keys(segment.values)))) {
      tail.curves.set(label, curveOf(said.segments, label));
    }
    grown.value += 1;
  }
}
