/** Scrolling traces of some stations, with what the network says of them and the picks. */
import { useEffect, useRef, useState } from "preact/hooks";
import { paintCanvas } from "../../draw/canvas";
import { drawTimeAxis } from "../../draw/timeaxis";
import { levelOf, strokeSegment, xOf, type Span } from "../../draw/trace";
import { refine } from "../../route";
import { colour, theme } from "../../theme";
import { Panel } from "../../words";
import { filterNumber, FILTERS, isLive, lacksWaveforms, reference, sensors, stations } from "./state";
import { grown, newestEnd, picksShown, tailsOf, WINDOW_S, type Tail } from "./tail";

/** Least time [ms] between two drawings: traces move calmly and cost little. */
const EVERY_MS = 330;
const LEFT = 92;
const BOTTOM = 16;

export function TracesPanel() {
  const [choosing, setChoosing] = useState(false);
  return (
    <Panel title={isLive.value ? "Traces" : "End of the record"} area="traces" right={
      <>
        <label>
          <span class="hidden">Filter</span>
          <select value={String(filterNumber.value)} onChange={(e) => refine({ filter: e.currentTarget.value === "0" ? "" : e.currentTarget.value })}>
            {FILTERS.map(([name], i) => <option key={name} value={String(i)}>{name}</option>)}
          </select>
        </label>
        <button aria-expanded={choosing} onClick={() => setChoosing(!choosing)}>Stations</button>
      </>
    }>
      {choosing ? <Chooser /> : null}
      <div class="body">{lacksWaveforms.value ? <p class="empty">No waveforms are known here. Start zilzal serve with --waveforms, and with --inventory for the stations' places.</p> : <Scroll />}</div>
    </Panel>
  );
}

const MOST = 50;

function Chooser() {
  const all = stations.value.flatMap((s) => s.sensors);
  const shown = new Set(sensors.value);
  const put = (next: readonly string[]): void => refine({ sensors: next.slice(0, MOST).join(",") });
  return (
    <fieldset class="chooser">
      <legend>Sensors, at most {MOST}</legend>
      <button type="button" onClick={() => put(all)}>All</button>
      <button type="button" onClick={() => put([])}>Default</button>
      {all.map((sensor) => (
        <label key={sensor}>
          <input type="checkbox" checked={shown.has(sensor)} onChange={() => put(all.filter((s) => (s === sensor) !== shown.has(s)))} /> {sensor}
        </label>
      ))}
    </fieldset>
  );
}

/** A canvas that is drawn when something has come, a few times a second at most. */
function Scroll() {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const element = canvas.current as HTMLCanvasElement;
    let drawn = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const paint = (): void => {
      timer = undefined;
      drawn = performance.now();
      if (!document.hidden) paintCanvas(element, draw);
    };
    const soon = (): void => {
      timer ??= setTimeout(() => requestAnimationFrame(paint), Math.max(0, EVERY_MS - (performance.now() - drawn)));
    };
    const observer = new ResizeObserver(soon);
    observer.observe(element);
    const forget = [grown.subscribe(soon), theme.subscribe(soon), sensors.subscribe(soon)];
    return () => {
      observer.disconnect();
      clearTimeout(timer);
      for (const stop of forget) stop();
    };
  }, []);
  return <canvas ref={canvas} class="fill whole" role="img" aria-label={`Traces of ${sensors.value.length} sensors over the last ${WINDOW_S} seconds`} />;
}

function draw(pen: CanvasRenderingContext2D, width: number, height: number): void {
  const shown = tailsOf(sensors.peek());
  const end_s = newestEnd() ?? reference.peek();
  const span: Span = { start_s: end_s - WINDOW_S, end_s, left: LEFT, width: Math.max(width - LEFT - 4, 10) };
  drawTimeAxis(pen, span, 2, height);
  const pitch = (height - BOTTOM - 2) / Math.max(shown.length, 1);
  pen.save();
  pen.beginPath();
  pen.rect(span.left, 0, span.width, height);
  pen.clip();
  shown.forEach((tail, i) => drawTail(pen, tail, span, [2 + i * pitch, 2 + (i + 1) * pitch]));
  pen.restore();
  drawNames(pen, shown, pitch, span);
}

/** Where the curves lie under the trace, as a share of a row. */
const CURVES_SHARE = 0.3;
/** Rows lower than this [px] have no room for curves. */
const LOWEST_WITH_CURVES = 22;

function drawTail(pen: CanvasRenderingContext2D, tail: Tail, span: Span, [top, bottom]: readonly [number, number]): void {
  const withCurves = bottom - top >= LOWEST_WITH_CURVES;
  const floor = withCurves ? bottom - CURVES_SHARE * (bottom - top) : bottom;
  const level = levelOf(tail.segments, span.start_s, span.end_s);
  if (level) {
    const middle = (top + floor) / 2;
    const gain = (0.48 * (floor - top)) / (level.peak || 1);
    pen.strokeStyle = colour("trace");
    pen.lineWidth = 0.8;
    pen.beginPath();
    for (const segment of tail.segments) strokeSegment(pen, segment, span, (value) => middle - (value - level.middle) * gain);
    pen.stroke();
  }
  if (withCurves) drawCurves(pen, tail, span, [floor, bottom - 2]);
  for (const pick of picksShown()) {
    if (pick.sensor !== tail.sensor) continue;
    pen.fillStyle = colour(pick.phase === "S" ? "s" : "p");
    pen.fillRect(xOf(span, pick.time_s) - 1, top + 1, 2, bottom - top - 2);
  }
}

function drawCurves(pen: CanvasRenderingContext2D, tail: Tail, span: Span, [top, floor]: readonly [number, number]): void {
  pen.lineWidth = 1;
  for (const [label, pieces] of tail.curves) {
    if (label.toLowerCase() === "noise") continue;
    pen.strokeStyle = colour(label === "P" ? "p" : label === "S" ? "s" : "detection");
    pen.beginPath();
    for (const piece of pieces) strokeSegment(pen, piece, span, (value) => floor - value * (floor - top));
    pen.stroke();
  }
}

function drawNames(pen: CanvasRenderingContext2D, shown: readonly Tail[], pitch: number, span: Span): void {
  pen.textBaseline = "middle";
  pen.textAlign = "left";
  pen.font = "11px system-ui, sans-serif";
  pen.strokeStyle = colour("line");
  pen.lineWidth = 1;
  shown.forEach((tail, i) => {
    pen.fillStyle = colour(tail.segments.length ? "ink" : "off");
    pen.fillText(tail.sensor, 6, 2 + (i + 0.5) * pitch, LEFT - 10);
    pen.beginPath();
    pen.moveTo(0, Math.round(2 + (i + 1) * pitch) + 0.5);
    pen.lineTo(span.left + span.width, Math.round(2 + (i + 1) * pitch) + 0.5);
    pen.stroke();
  });
}
