/** Draws the traces of many sensors, with the network's curves under them and their picks. */
import { drawTimeAxis } from "../../draw/timeaxis";
import { levelOfColumns, Raster, RollingColumns, wordOf, type Columns } from "../../draw/raster";
import { xOf, type Span } from "../../draw/trace";
import { colour, curveColour, isTelling, phaseColour } from "../../theme";
import { reference, sensors } from "./state";
import { newestEnd, picksShown, tailsOf, WINDOW_S, type Strand, type Tail } from "./tail";

const LEFT = 92;
const RIGHT = 4;
const TOP = 2;
const BOTTOM = 16;
/** Where the curves lie under the trace, as a share of a row. */
const CURVES_SHARE = 0.3;

type Row = readonly [top: number, bottom: number];

/** The picture; it keeps what the next drawing can use again. */
export class TracesPicture {
  private readonly layer = document.createElement("canvas");
  private raster = new Raster(1, 1);
  private rolling = new WeakMap<Strand, RollingColumns>();

  /** Draw all sensors that are shown, in CSS pixels. */
  readonly draw = (pen: CanvasRenderingContext2D, width: number, height: number): void => {
    const shown = tailsOf(sensors.peek());
    const pitch = (height - BOTTOM - TOP) / Math.max(shown.length, 1);
    const rows = shown.map((_, i): Row => [TOP + i * pitch, TOP + (i + 1) * pitch]);
    const ratio = devicePixelRatio || 1;
    const across = Math.max(width - LEFT - RIGHT, 10);
    this.fit(Math.round(across * ratio), Math.round((height - BOTTOM) * ratio));
    const span = spanOf(across, this.raster.width);
    drawTimeAxis(pen, span, TOP, height);
    this.raster.clear();
    shown.forEach((tail, i) => {
      const [top, bottom] = rows[i] as Row;
      this.rasterTail(tail, span, [top * ratio, bottom * ratio]);
    });
    this.layer.getContext("2d")?.putImageData(this.raster.image, 0, 0);
    pen.drawImage(this.layer, LEFT, 0, this.raster.width / ratio, this.raster.height / ratio);
    drawPicks(pen, shown, rows, span);
    drawNames(pen, shown, rows, width - RIGHT);
  };

  private fit(width: number, height: number): void {
    if (this.raster.width === width && this.raster.height === height) return;
    this.layer.width = width;
    this.layer.height = height;
    this.raster = new Raster(width, height);
    this.rolling = new WeakMap();
  }

  private columnsOf(strand: Strand, span: Span): Columns {
    const rolling = this.rolling.get(strand) ?? new RollingColumns(this.raster.width);
    this.rolling.set(strand, rolling);
    const columns = rolling.roll(strand.segments, span, strand.changed_s);
    strand.changed_s = Infinity;
    return columns;
  }

  private rasterTail({ trace, curves }: Tail, span: Span, [top, bottom]: Row): void {
    const floor = bottom - CURVES_SHARE * (bottom - top);
    const columns = this.columnsOf(trace, span);
    const level = levelOfColumns(columns);
    if (level) {
      const gain = (0.48 * (floor - top)) / (level.peak || 1);
      this.raster.line(columns, wordOf(colour("trace")), (top + floor) / 2 + level.middle * gain, gain);
    }
    const foot = bottom - 1.5;
    for (const [label, strand] of curves) {
      if (!isTelling(label)) continue;
      const { high } = this.columnsOf(strand, span);
      this.raster.line({ low: high, high }, wordOf(curveColour(label)), foot, foot - floor);
    }
  }
}

/** The times in view; they move by whole columns, so that traces do not shimmer. */
function spanOf(width: number, columns: number): Span {
  const step_s = WINDOW_S / columns;
  const end_s = Math.ceil((newestEnd() ?? reference.peek()) / step_s) * step_s;
  return { start_s: end_s - WINDOW_S, end_s, left: LEFT, width };
}

function drawPicks(pen: CanvasRenderingContext2D, shown: readonly Tail[], rows: readonly Row[], span: Span): void {
  const rowOf = new Map(shown.map((tail, i) => [tail.sensor, rows[i] as Row]));
  for (const pick of picksShown()) {
    const row = rowOf.get(pick.sensor);
    if (!row || pick.time_s < span.start_s || pick.time_s > span.end_s) continue;
    pen.fillStyle = phaseColour(pick.phase);
    pen.fillRect(xOf(span, pick.time_s) - 1, row[0] + 1, 2, row[1] - row[0] - 2);
  }
}

function drawNames(pen: CanvasRenderingContext2D, shown: readonly Tail[], rows: readonly Row[], right: number): void {
  pen.textBaseline = "middle";
  pen.textAlign = "left";
  pen.font = "11px system-ui, sans-serif";
  pen.strokeStyle = colour("line");
  pen.lineWidth = 1;
  pen.beginPath();
  shown.forEach((tail, i) => {
    const [top, bottom] = rows[i] as Row;
    const isEmpty = !tail.trace.segments.length;
    pen.fillStyle = colour(isEmpty ? "quiet" : "ink");
    pen.fillText(tail.sensor, 6, (top + bottom) / 2, LEFT - 10);
    if (isEmpty && tail.isRead) pen.fillText("no data", LEFT + 6, (top + bottom) / 2);
    pen.moveTo(0, Math.round(bottom) + 0.5);
    pen.lineTo(right, Math.round(bottom) + 0.5);
  });
  pen.stroke();
}
