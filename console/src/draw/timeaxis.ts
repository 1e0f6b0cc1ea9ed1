/** The axis of time under traces. */
import { timeText } from "../format";
import { colour } from "../theme";
import { multiples, niceStep, timeStep } from "./scale";
import { xOf, type Span } from "./trace";

/** Space [px] between labels. */
const ROOM = 84;

/** Lines and labels in UTC; `bottom` is where the labels stand. */
export function drawTimeAxis(
  pen: CanvasRenderingContext2D,
  span: Span,
  top: number,
  bottom: number,
): void {
  const step = timeStep(span.end_s - span.start_s, Math.max(1, span.width / ROOM));
  const decimals = step >= 1 ? 0 : step >= 0.1 ? 1 : 2;
  grid(pen, span, multiples(span.start_s, span.end_s, step), [top, bottom], (t) =>
    timeText(t, decimals).slice(11));
}

/** Lines and labels in seconds after an instant. */
export function drawRelativeAxis(
  pen: CanvasRenderingContext2D,
  span: Span,
  zero_s: number,
  top: number,
  bottom: number,
): void {
  const step = niceStep(span.end_s - span.start_s, Math.max(1, span.width / 60));
  const at = multiples(span.start_s - zero_s, span.end_s - zero_s, step).map((t) => t + zero_s);
  const decimals = Math.max(0, -Math.floor(Math.log10(step)));
  grid(pen, span, at, [top, bottom], (t) => `${(t - zero_s).toFixed(decimals)} s`.replace("-", "\u2212"));
}

function grid(
  pen: CanvasRenderingContext2D,
  span: Span,
  at: readonly number[],
  [top, bottom]: readonly [number, number],
  label: (time: number) => string,
): void {
  pen.save();
  pen.strokeStyle = colour("line");
  pen.fillStyle = colour("quiet");
  pen.font = "11px system-ui, sans-serif";
  pen.textAlign = "center";
  pen.textBaseline = "alphabetic";
  pen.lineWidth = 1;
  pen.beginPath();
  for (const time of at) {
    const x = Math.round(xOf(span, time)) + 0.5;
    pen.moveTo(x, top);
    pen.lineTo(x, bottom - 12);
  }
  pen.stroke();
  for (const time of at) {
    const x = xOf(span, time);
    if (x > span.left + 14 && x < span.left + span.width - 14) pen.fillText(label(time), x, bottom - 1);
  }
  pen.restore();
}
