/** What is fetched for the traces of one sensor, and kept until the view leaves it. */
import { signal } from "@preact/signals";
import { answerOf, GET, type Schemas } from "../../api/client";
import { curveOf, segmentOf } from "../../api/segments";
import type { Segment } from "../../draw/trace";
import { isoOf, secondsOf } from "../../format";
import { warn } from "../../notices";
import { route } from "../../route";
import { FILTERS, filterNumber, section, stationLine } from "./state";
import { viewOf } from "./view";

export interface TraceOfChannel {
  readonly channel: string;
  readonly component: string;
  readonly segments: readonly Segment[];
}

export interface CurvesOfSensor {
  readonly label: string;
  readonly segments: readonly Segment[];
}

type Spectrogram = Schemas["SpectrogramAnswer"];

export const traces = signal<readonly TraceOfChannel[]>([]);
export const curves = signal<readonly CurvesOfSensor[]>([]);
export const spectrogram = signal<Spectrogram | null>(null);

/** Values of each trace that are asked for: more than any screen has columns. */
const POINTS = 4000;
const WAIT_MS = 120;

interface Have {
  readonly key: string;
  readonly start_s: number;
  readonly end_s: number;
}

let have: Have | null = null;
let curvesKey = "";
let spectrogramKey = "";
let timer: ReturnType<typeof setTimeout> | undefined;
let abort: AbortController | null = null;

/** Fetch what the view needs and is not there yet. */
export function readSensor(): void {
  const line = stationLine.peek();
  const view = viewOf();
  if (!line?.sensor || !view) {
    traces.value = [];
    curves.value = [];
    return;
  }
  const units = route.peek().query.get("units") ?? "counts";
  const key = `${line.sensor} ${filterNumber.peek()} ${units}`;
  if (have && !have.key.startsWith(`${line.sensor} `)) {
    traces.value = [];
    curves.value = [];
    spectrogram.value = null;
  }
  const span = view.end_s - view.start_s;
  const enough = have?.key === key && have.start_s <= view.start_s && have.end_s >= view.end_s
    && have.end_s - have.start_s < 6 * span;
  if (!enough) {
    clearTimeout(timer);
    const sensor = line.sensor;
    const wide = { key, start_s: view.start_s - span, end_s: view.end_s + span };
    timer = setTimeout(() => { readTraces(sensor, wide, units).catch(warn); }, have ? WAIT_MS : 0);
  }
  readCurves(line.sensor);
  if (route.peek().query.get("spectrogram") === "1" && line.channel) readSpectrogram(line.channel);
}

async function readTraces(sensor: string, wide: Have, units: string): Promise<void> {
  abort?.abort();
  abort = new AbortController();
  const [, low_hz, high_hz] = FILTERS[filterNumber.peek()] as readonly [string, number, number];
  const answer = await answerOf(GET("/api/waveforms", {
    params: {
      query: {
        sensor, start: isoOf(wide.start_s), end: isoOf(wide.end_s), points: POINTS,
        units: units as "counts",
        ...(low_hz ? { low_hz } : {}), ...(high_hz ? { high_hz } : {}),
      },
    },
    signal: abort.signal,
  }));
  have = wide;
  traces.value = answer.channels.map(({ channel, component, segments }) => ({
    channel, component, segments: segments.map(segmentOf),
  }));
}

/** The section's times: what curves and spectrograms are fetched for. */
function wholeSpan(): { start: string; end: string } | null {
  const found = section.peek();
  return found && { start: found.start, end: found.end };
}

function readCurves(sensor: string): void {
  const span = wholeSpan();
  const key = `${sensor} ${span?.start}`;
  if (!span || key === curvesKey) return;
  curvesKey = key;
  answerOf(GET("/api/probabilities", { params: { query: { sensor, ...span } } })).then(
    (answer) => {
      if (curvesKey !== key) return;
      const labels = [...new Set(answer.segments.flatMap((segment) => Object.keys(segment.values)))];
      curves.value = labels.map((label) => ({ label, segments: curveOf(answer.segments, label) }));
    },
    (error: unknown) => {
      curvesKey = "";
      warn(error);
    },
  );
}

function readSpectrogram(channel: string): void {
  const span = wholeSpan();
  const key = `${channel} ${span?.start}`;
  if (!span || key === spectrogramKey) return;
  spectrogramKey = key;
  answerOf(GET("/api/spectrogram", { params: { query: { channel, ...span } } })).then(
    (answer) => {
      if (spectrogramKey === key) spectrogram.value = answer;
    },
    (error: unknown) => {
      spectrogramKey = "";
      warn(error);
    },
  );
}

/** When a column of a spectrogram is, seconds since 1970. */
export function columnTime(segment: Spectrogram["segments"][number], column: number): number {
  return secondsOf(segment.start) + column * segment.step_s;
}
