/** Draws the traces of a sensor, what the network says of them, and a spectrogram, on one axis of time. */
import type { Schemas } from "../../api/client";
import { drawTimeAxis } from "../../draw/timeaxis";
import { viridis } from "../../draw/scale";
import { levelOf, strokeSegment, xOf, type Span } from "../../draw/trace";
import { secondsOf, timeText } from "../../format";
import { colour, curveColour, isTelling } from "../../theme";
import { keyOf, type DraftPick } from "./draft";
import { drawPick, drawPredicted } from "./marks";
import { columnTime, type CurvesOfSensor, type TraceOfChannel } from "./sensordata";

export interface SensorDrawn {
  readonly traces: readonly TraceOfChannel[];
  readonly curves: readonly CurvesOfSensor[];
  readonly spectrogram: Schemas["SpectrogramAnswer"] | null;
  readonly picks: readonly DraftPick[];
  readonly chosen: string;
  readonly pointer: number | null;
  /** Computed arrivals by phase. */
  readonly predicted: Readonly<Record<string, string>>;
  readonly units: string;
}

export interface Strip {
  readonly kind: "trace" | "curves" | "spectrogram";
  readonly trace?: TraceOfChannel;
  readonly top: number;
  readonly bottom: number;
}

const BOTTOM = 16;
const TOP = 4;

/** Which strips there are, and where: traces get most of the height. */
export function layout(height: number, drawn: SensorDrawn): Strip[] {
  const parts: { kind: Strip["kind"]; trace?: TraceOfChannel; share: number }[] =
    drawn.traces.map((trace) => ({ kind: "trace", trace, share: 1 }));
  if (drawn.curves.length) parts.push({ kind: "curves", share: 0.8 });
  if (drawn.spectrogram) parts.push({ kind: "spectrogram", share: 1.2 });
  const unit = (height - TOP - BOTTOM) / Math.max(parts.reduce((sum, part) => sum + part.share, 0), 1);
  let top = TOP;
  return parts.map(({ kind, trace, share }) => {
    const strip: Strip = { kind, top, bottom: top + share * unit, ...(trace ? { trace } : {}) };
    top = strip.bottom;
    return strip;
  });
}

export function drawSensor(
  pen: CanvasRenderingContext2D,
  span: Span,
  { width, height }: { readonly width: number; readonly height: number },
  drawn: SensorDrawn,
): void {
  const strips = layout(height, drawn);
  drawTimeAxis(pen, span, TOP, height);
  pen.save();
  pen.beginPath();
  pen.rect(span.left, 0, span.width, height);
  pen.clip();
  for (const strip of strips) {
    if (strip.kind === "trace" && strip.trace) drawTrace(pen, strip, strip.trace, span);
    if (strip.kind === "curves") drawCurves(pen, strip, drawn.curves, span);
    if (strip.kind === "spectrogram" && drawn.spectrogram) drawSpectrogram(pen, strip, drawn.spectrogram, span);
  }
  drawArrivals(pen, strips, span, drawn);
  pen.restore();
  drawLabels(pen, strips, span, drawn);
  drawPointer(pen, span, { width, height }, drawn.pointer);
}

function drawTrace(pen: CanvasRenderingContext2D, strip: Strip, trace: TraceOfChannel, span: Span): void {
  const level = levelOf(trace.segments, span.start_s, span.end_s);
  if (!level) return;
  const middle = (strip.top + strip.bottom) / 2;
  const gain = (0.46 * (strip.bottom - strip.top)) / (level.peak || 1);
  pen.strokeStyle = colour("trace");
  pen.lineWidth = 0.9;
  pen.beginPath();
  for (const segment of trace.segments) {
    strokeSegment(pen, segment, span, (value) => middle - (value - level.middle) * gain);
  }
  pen.stroke();
}

function drawCurves(pen: CanvasRenderingContext2D, strip: Strip, found: readonly CurvesOfSensor[], span: Span): void {
  const floor = strip.bottom - 3;
  const gain = strip.bottom - strip.top - 8;
  pen.lineWidth = 1.4;
  for (const { label, segments } of found) {
    if (!isTelling(label)) continue;
    pen.strokeStyle = curveColour(label);
    pen.beginPath();
    for (const segment of segments) strokeSegment(pen, segment, span, (value) => floor - value * gain);
    pen.stroke();
  }
}

function drawArrivals(pen: CanvasRenderingContext2D, strips: readonly Strip[], span: Span, drawn: SensorDrawn): void {
  const traces = strips.filter((strip) => strip.kind === "trace");
  const [first, last] = [traces[0], traces.at(-1)];
  if (!first || !last) return;
  const reach: [number, number] = [first.top, last.bottom];
  for (const [phase, time] of Object.entries(drawn.predicted)) drawPredicted(pen, span, phase, secondsOf(time), reach);
  for (const pick of drawn.picks) {
    if (!pick.deleted) drawPick(pen, span, pick, reach, { isChosen: keyOf(pick) === drawn.chosen, withPhase: true });
  }
}

interface Picture {
  readonly image: HTMLCanvasElement;
  readonly start_s: number;
  readonly end_s: number;
}

const pictures = new WeakMap<object, Picture[]>();

/** Spectrograms as images, made once: power between the 5th and the 99.5th percentile along viridis. */
function picturesOf(answer: Schemas["SpectrogramAnswer"]): Picture[] {
  const known = pictures.get(answer);
  if (known) return known;
  const all = answer.segments.flatMap((segment) => segment.power_db.flat()).sort((a, b) => a - b);
  const at = (share: number): number => all[Math.min(all.length - 1, Math.floor(share * all.length))] ?? 0;
  const [low, high] = [at(0.05), at(0.995)];
  const colours = Array.from({ length: 64 }, (_, i) => rgbOf(viridis(1 - i / 63)));
  const made = answer.segments.map((segment) => {
    const [rows, columns] = [segment.power_db.length, segment.power_db[0]?.length ?? 0];
    const image = document.createElement("canvas");
    image.width = Math.max(columns, 1);
    image.height = Math.max(rows, 1);
    const pen = image.getContext("2d") as CanvasRenderingContext2D;
    const pixels = pen.createImageData(image.width, image.height);
    segment.power_db.forEach((row, r) => row.forEach((power, c) => {
      const rank = Math.min(Math.max((power - low) / (high - low || 1), 0), 1);
      const [red, green, blue] = colours[Math.round(rank * 63)] as [number, number, number];
      pixels.data.set([red, green, blue, 255], 4 * ((rows - 1 - r) * columns + c));
    }));
    pen.putImageData(pixels, 0, 0);
    return { image, start_s: columnTime(segment, -0.5), end_s: columnTime(segment, columns - 0.5) };
  });
  pictures.set(answer, made);
  return made;
}

function rgbOf(text: string): [number, number, number] {
  const [red = 0, green = 0, blue = 0] = (text.match(/\d+/g) ?? []).map(Number);
  return [red, green, blue];
}

function drawSpectrogram(pen: CanvasRenderingContext2D, strip: Strip, answer: Schemas["SpectrogramAnswer"], span: Span): void {
  pen.imageSmoothingEnabled = false;
  for (const { image, start_s, end_s } of picturesOf(answer)) {
    const x = xOf(span, start_s);
    pen.drawImage(image, x, strip.top + 2, xOf(span, end_s) - x, strip.bottom - strip.top - 4);
  }
}

function drawLabels(pen: CanvasRenderingContext2D, strips: readonly Strip[], span: Span, drawn: SensorDrawn): void {
  pen.textAlign = "left";
  pen.textBaseline = "middle";
  for (const strip of strips) {
    const middle = (strip.top + strip.bottom) / 2;
    pen.strokeStyle = colour("line");
    pen.beginPath();
    pen.moveTo(0, Math.round(strip.bottom) + 0.5);
    pen.lineTo(span.left + span.width, Math.round(strip.bottom) + 0.5);
    pen.stroke();
    pen.fillStyle = colour("ink");
    pen.font = "600 12px system-ui, sans-serif";
    if (strip.kind === "trace" && strip.trace) {
      pen.fillText(strip.trace.channel.split(".").slice(-1)[0] ?? "", 6, middle - 7);
      const level = levelOf(strip.trace.segments, span.start_s, span.end_s);
      quiet(pen, level ? `±${Number(level.peak.toPrecision(2)).toString()} ${drawn.units}` : "no data", middle + 8);
    } else if (strip.kind === "curves") {
      drawn.curves.filter((curve) => isTelling(curve.label)).forEach(({ label }, i) => {
        pen.fillStyle = curveColour(label);
        pen.fillText(label, 6 + i * 18, middle - 7);
      });
      quiet(pen, "probability 0–1", middle + 8);
    } else {
      const highest = drawn.spectrogram?.segments[0]?.frequency_hz.at(-1) ?? 0;
      pen.fillText("Spectrogram", 6, middle - 7);
      quiet(pen, `0–${Math.round(highest)} Hz`, middle + 8);
    }
  }
}

function quiet(pen: CanvasRenderingContext2D, text: string, y: number): void {
  pen.font = "11px system-ui, sans-serif";
  pen.fillStyle = colour("quiet");
  pen.fillText(text, 6, y);
}

function drawPointer(
  pen: CanvasRenderingContext2D,
  span: Span,
  { width, height }: { readonly width: number; readonly height: number },
  time_s: number | null,
): void {
  if (time_s === null || time_s < span.start_s || time_s > span.end_s) return;
  const x = Math.round(xOf(span, time_s)) + 0.5;
  pen.strokeStyle = colour("quiet");
  pen.lineWidth = 1;
  pen.beginPath();
  pen.moveTo(x, TOP);
  pen.lineTo(x, height - BOTTOM);
  pen.stroke();
  pen.font = "11px system-ui, sans-serif";
  pen.textBaseline = "top";
  const right = x > width - 110;
  pen.textAlign = right ? "right" : "left";
  pen.fillStyle = colour("ink");
  pen.fillText(timeText(time_s, 3).slice(11), x + (right ? -4 : 4), TOP);
}
