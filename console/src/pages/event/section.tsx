/** The record section: stations by distance, with picks, predicted arrivals and residuals. */
import { useRef } from "preact/hooks";
import { segmentOf } from "../../api/segments";
import { Canvas } from "../../draw/canvas";
import { drawRelativeAxis } from "../../draw/timeaxis";
import { levelOf, strokeSegment, timeAt, type Segment, type Span } from "../../draw/trace";
import { numberText, secondsOf, signedText } from "../../format";
import { refine, route } from "../../route";
import { colour, phaseColour } from "../../theme";
import { Choice, Panel } from "../../words";
import { keyOf, moved } from "./draft";
import { drawPick, drawPredicted, pickNear } from "./marks";
import { canReview, updatePreview } from "./review";
import {
  chooseStation, chosenPick, component, draft, FILTERS, filterNumber, originTime, pointer, predictedAt,
  section, shown, station, type Section,
} from "./state";

type Line = Section["items"][number];

/** Room [px] for names and residuals beside the traces. */
const LEFT = 124;
const RIGHT = 96;
/** Below this width [px] the residuals have no room. */
const NARROW = 560;
const BOTTOM = 16;
const TOP = 4;
const LEAST_ROW = 15;

interface Row {
  readonly line: Line;
  readonly segments: readonly Segment[];
  readonly level: { middle: number; peak: number } | null;
  readonly top: number;
  readonly bottom: number;
}

const parsed = new WeakMap<Line, Segment[]>();

function segmentsOf(line: Line): Segment[] {
  const known = parsed.get(line) ?? line.segments.map(segmentOf);
  parsed.set(line, known);
  return known;
}

/** Where each station lies: one row after the other, or by distance. */
function rowsOf(found: Section, height: number, byDistance: boolean): Row[] {
  const [start_s, end_s] = [secondsOf(found.start), secondsOf(found.end)];
  const items = found.items.filter((line) => line.segments.length || line.picks.length);
  const space = height - TOP - BOTTOM;
  const pitch = space / Math.max(items.length, 1);
  const farthest = Math.max(...items.map((line) => line.distance_km ?? 0), 1);
  return items.map((line, i) => {
    const segments = segmentsOf(line);
    const half = byDistance ? Math.max(pitch, LEAST_ROW) / 2 : pitch / 2;
    const middle = byDistance && line.distance_km !== null
      ? TOP + half + (line.distance_km / farthest) * (space - 2 * half)
      : TOP + pitch * (i + 0.5);
    return { line, segments, level: levelOf(segments, start_s, end_s), top: middle - half, bottom: middle + half };
  });
}

function spanOf(found: Section, width: number): Span {
  const right = width < NARROW ? 4 : RIGHT;
  return { start_s: secondsOf(found.start), end_s: secondsOf(found.end), left: LEFT, width: Math.max(width - LEFT - right, 10) };
}

/** The panel. */
export function SectionPanel() {
  const found = section.value;
  const byDistance = route.value.query.get("rows") === "distance";
  const size = useRef({ width: 0, height: 0 });
  const dragged = useRef("");
  // Read here, so that a change draws anew.
  const drawn = { picks: draft.value, event: shown.value, predicted: predictedAt, chosen: chosenPick.value, station: station.value };

  const place = (event: PointerEvent): { row: Row | null; span: Span; x: number } | null => {
    if (!found) return null;
    const { width, height } = size.current;
    const span = spanOf(found, width);
    const rows = rowsOf(found, height, byDistance);
    const middle = (row: Row): number => Math.abs((row.top + row.bottom) / 2 - event.offsetY);
    const row = rows.length ? rows.reduce((a, b) => (middle(b) < middle(a) ? b : a)) : null;
    return { row, span, x: event.offsetX };
  };

  return (
    <Panel title="Record section" area="section" right={<Controls byDistance={byDistance} />}>
      <div class="body">
        <Canvas
          label={sectionLabel(found)}
          draw={(pen, width, height) => {
            size.current = { width, height };
            if (found) drawSection(pen, found, { width, height, byDistance }, drawn);
          }}
          onPointerDown={(event) => {
            const at = place(event);
            if (!at?.row) return;
            chooseStation(at.row.line.station);
            const pick = pickNear(ofStation(at.row.line.station), at.span, at.x);
            chosenPick.value = pick ? keyOf(pick) : "";
            if (pick && canReview.value) {
              dragged.current = keyOf(pick);
              event.currentTarget.setPointerCapture(event.pointerId);
            }
          }}
          onPointerMove={(event) => {
            const at = place(event);
            if (!at) return;
            if (dragged.current) {
              draft.value = moved(draft.value, dragged.current, timeAt(at.span, at.x));
              return;
            }
            const near = at.row && pickNear(ofStation(at.row.line.station), at.span, at.x);
            event.currentTarget.style.cursor = near ? (canReview.value ? "ew-resize" : "pointer") : "default";
            if (at.row?.line.channel && at.row.line.station === station.value) {
              pointer.value = { time_s: timeAt(at.span, at.x), channel: at.row.line.channel };
            }
          }}
          onPointerUp={() => {
            if (dragged.current) updatePreview();
            dragged.current = "";
          }}
          onPointerLeave={() => { pointer.value = null; }}
        />
      </div>
    </Panel>
  );
}

function ofStation(code: string) {
  return draft.value.filter((pick) => pick.station === code);
}

function sectionLabel(found: Section | null): string {
  return found
    ? `Record section of ${found.items.length} stations with picks and predicted arrivals; the table of arrivals has the numbers`
    : "Record section";
}

function Controls({ byDistance }: { readonly byDistance: boolean }) {
  return (
    <>
      <Choice label="Component" value={component.value} of={[["Z", "Z"], ["N", "N"], ["E", "E"]]} onChange={(value) => refine({ component: value === "Z" ? "" : value })} />
      <Choice label="Rows" value={byDistance ? "distance" : "even"} of={[["even", "Even"], ["distance", "By distance"]]} onChange={(value) => refine({ rows: value === "even" ? "" : value })} />
      <label>
        <span class="hidden">Filter</span>
        <select value={String(filterNumber.value)} onChange={(e) => refine({ filter: e.currentTarget.value === "0" ? "" : e.currentTarget.value })}>
          {FILTERS.map(([name], i) => <option key={name} value={String(i)}>{name}</option>)}
        </select>
      </label>
    </>
  );
}

interface Shape {
  readonly width: number;
  readonly height: number;
  readonly byDistance: boolean;
}

interface Drawn {
  readonly picks: typeof draft.value;
  readonly event: typeof shown.value;
  readonly predicted: typeof predictedAt;
  readonly chosen: string;
  readonly station: string;
}

function drawSection(pen: CanvasRenderingContext2D, found: Section, shape: Shape, drawn: Drawn): void {
  const span = spanOf(found, shape.width);
  const rows = rowsOf(found, shape.height, shape.byDistance);
  drawRelativeAxis(pen, span, originTime.value, TOP, shape.height);
  const chosen = rows.find((row) => row.line.station === drawn.station);
  if (chosen) {
    pen.fillStyle = colour("raised");
    pen.fillRect(0, chosen.top, shape.width, chosen.bottom - chosen.top);
  }
  for (const row of rows) drawRow(pen, row, span);
  for (const row of rows) drawMarks(pen, row, span, drawn);
  for (const row of rows) drawNames(pen, row, drawn);
  if (shape.width < NARROW) return;
  for (const row of rows) drawResiduals(pen, row, span, drawn);
  pen.fillStyle = colour("quiet");
  pen.textBaseline = "alphabetic";
  pen.fillText("residuals [s]", shape.width - 6, shape.height - 1);
}

function drawRow(pen: CanvasRenderingContext2D, { segments, level, top, bottom }: Row, span: Span): void {
  if (!level) return;
  const middle = (top + bottom) / 2;
  const gain = (0.62 * (bottom - top)) / (level.peak || 1);
  pen.strokeStyle = colour("trace");
  pen.lineWidth = 0.8;
  pen.beginPath();
  for (const segment of segments) strokeSegment(pen, segment, span, (value) => middle - (value - level.middle) * gain);
  pen.stroke();
}

function drawMarks(pen: CanvasRenderingContext2D, row: Row, span: Span, drawn: Drawn): void {
  const inset: [number, number] = [row.top + 1, row.bottom - 1];
  for (const [phase, time] of Object.entries(drawn.predicted(row.line))) drawPredicted(pen, span, phase, secondsOf(time), inset);
  for (const pick of drawn.picks) {
    if (pick.station === row.line.station && !pick.deleted) {
      drawPick(pen, span, pick, inset, { isChosen: keyOf(pick) === drawn.chosen, withPhase: false });
    }
  }
}

function drawNames(pen: CanvasRenderingContext2D, { line, top, bottom }: Row, drawn: Drawn): void {
  const middle = (top + bottom) / 2;
  pen.textBaseline = "middle";
  pen.font = `${line.station === drawn.station ? "600 " : ""}11px system-ui, sans-serif`;
  pen.fillStyle = colour("ink");
  pen.textAlign = "left";
  pen.fillText(line.station, 6, middle, line.distance_km === null ? LEFT - 12 : LEFT - 66);
  pen.font = "11px system-ui, sans-serif";
  pen.fillStyle = colour("quiet");
  pen.textAlign = "right";
  if (line.distance_km !== null) pen.fillText(`${numberText(line.distance_km, line.distance_km < 100 ? 1 : 0)} km`, LEFT - 6, middle);
}

function drawResiduals(pen: CanvasRenderingContext2D, { line, top, bottom }: Row, span: Span, drawn: Drawn): void {
  const middle = (top + bottom) / 2;
  pen.textAlign = "right";
  pen.textBaseline = "middle";
  pen.font = "11px system-ui, sans-serif";
  let x = span.left + span.width + 48;
  for (const phase of ["P", "S"]) {
    const arrival = drawn.event?.origin?.arrivals.find((a) => a.station === line.station && a.phase === phase);
    if (arrival?.residual_s !== null && arrival?.residual_s !== undefined) {
      pen.fillStyle = phaseColour(phase);
      pen.globalAlpha = (arrival.weight ?? 0) > 0 ? 1 : 0.5;
      pen.fillText(signedText(arrival.residual_s, 2), x - 4, middle);
      pen.globalAlpha = 1;
    }
    x += 46;
  }
}

