/** Picks and predicted arrivals drawn on traces. */
import { xOf, type Span } from "../../draw/trace";
import { phaseColour } from "../../theme";
import type { DraftPick } from "./draft";

/** How near [px] a pointer must be to a pick. */
export const REACH = 7;
const NARROW = 1.5;
const WIDE = 3;

/** A pick as a bar with its phase; its uncertainty is a faint band, the chosen one is broad. */
export function drawPick(
  pen: CanvasRenderingContext2D,
  span: Span,
  pick: DraftPick,
  [top, bottom]: readonly [number, number],
  { isChosen, withPhase }: { readonly isChosen: boolean; readonly withPhase: boolean },
): void {
  const x = xOf(span, pick.time_s);
  if (x < span.left - 20 || x > span.left + span.width + 20) return;
  const half = Math.min(((pick.uncertainty_s / (span.end_s - span.start_s)) * span.width), span.width);
  pen.save();
  pen.fillStyle = phaseColour(pick.phase);
  if (pick.uncertainty_s < 5) {
    pen.globalAlpha = 0.22;
    pen.fillRect(x - half, top, 2 * half, bottom - top);
  }
  pen.globalAlpha = pick.uncertainty_s < 5 ? 1 : 0.5;
  const width = isChosen ? WIDE : NARROW;
  pen.fillRect(x - width / 2, top, width, bottom - top);
  if (!withPhase) {
    pen.restore();
    return;
  }
  pen.font = `${isChosen ? "bold " : ""}10px system-ui, sans-serif`;
  pen.textBaseline = "top";
  pen.fillText(pick.is_manual ? `${pick.phase}\u2009m` : pick.phase, x + 3, top);
  pen.restore();
}

/** A predicted arrival as a dashed line. */
export function drawPredicted(
  pen: CanvasRenderingContext2D,
  span: Span,
  phase: string,
  time_s: number,
  [top, bottom]: readonly [number, number],
): void {
  const x = xOf(span, time_s);
  if (x < span.left || x > span.left + span.width) return;
  pen.save();
  pen.strokeStyle = phaseColour(phase);
  pen.globalAlpha = 0.75;
  pen.setLineDash([2, 3]);
  pen.lineWidth = 1;
  pen.beginPath();
  pen.moveTo(x, top);
  pen.lineTo(x, bottom);
  pen.stroke();
  pen.restore();
}

/** The pick within reach of a place, the nearest one; null where there is none. */
export function pickNear(picks: readonly DraftPick[], span: Span, x: number): DraftPick | null {
  let found: DraftPick | null = null;
  let best = REACH;
  for (const pick of picks) {
    if (pick.deleted) continue;
    const away = Math.abs(xOf(span, pick.time_s) - x);
    if (away <= best) {
      best = away;
      found = pick;
    }
  }
  return found;
}
