/** A day in rows, as a drum draws it. */
import type { Schemas } from "../../api/client";
import { clockText, secondsOf } from "../../format";
import { colour } from "../../theme";
import { shownRows } from "./rows";

const LEFT = 44;
const BOTTOM = 16;
/** Rows of four colours in turn, so that neighbours can be told apart. */
const INKS = ["trace", "p", "s", "detection"] as const;
/** A row reaches so far into its neighbours. */
const OVERLAP = 0.9;

export function drawSheet(pen: CanvasRenderingContext2D, width: number, height: number, sheet: Schemas["Helicorder"]): void {
  const rows = shownRows(sheet.rows);
  const pitch = (height - BOTTOM) / Math.max(rows.length, 1);
  const span = Math.max(width - LEFT - 4, 10);
  drawMinutes(pen, span, height, sheet.row_s);
  pen.textBaseline = "middle";
  pen.font = "10px system-ui, sans-serif";
  rows.forEach((row, i) => {
    const middle = (i + 0.5) * pitch;
    const start_s = secondsOf(row.start);
    if (start_s % 3600 === 0 || rows.length <= 24) {
      pen.fillStyle = colour("quiet");
      pen.textAlign = "right";
      pen.fillText(clockText(start_s).slice(0, 5), LEFT - 6, middle);
    }
    pen.strokeStyle = colour(INKS[i % INKS.length] as string);
    pen.lineWidth = 0.8;
    drawRow(pen, row, { middle, gain: (OVERLAP * pitch) / (2 * sheet.scale_counts || 1), limit: 1.5 * pitch, span });
  });
}

function drawMinutes(pen: CanvasRenderingContext2D, span: number, height: number, row_s: number): void {
  const step = row_s / 60 > 20 ? 5 : 1;
  pen.strokeStyle = colour("line");
  pen.fillStyle = colour("quiet");
  pen.font = "11px system-ui, sans-serif";
  pen.textAlign = "center";
  pen.textBaseline = "alphabetic";
  pen.beginPath();
  for (let minute = 0; minute <= row_s / 60; minute += step) {
    const x = Math.round(LEFT + (minute * 60 * span) / row_s) + 0.5;
    pen.moveTo(x, 0);
    pen.lineTo(x, height - BOTTOM);
    if (minute && minute < row_s / 60) pen.fillText(`${minute} min`, x, height - 2);
  }
  pen.stroke();
}

interface RowShape {
  readonly middle: number;
  readonly gain: number;
  /** Farthest [px] from the middle that is drawn. */
  readonly limit: number;
  readonly span: number;
}

function drawRow(pen: CanvasRenderingContext2D, row: Schemas["HelicorderRow"], { middle, gain, limit, span }: RowShape): void {
  const place = (value: number): number => middle - Math.min(Math.max(value * gain, -limit), limit);
  const count = row.minimum.length;
  let begun = false;
  pen.beginPath();
  for (let i = 0; i < count; i++) {
    const [low, high] = [row.minimum[i], row.maximum[i]];
    if (low === null || low === undefined || high === null || high === undefined) {
      begun = false;
      continue;
    }
    const x = LEFT + (i * span) / count;
    if (begun) pen.lineTo(x, place(low));
    else pen.moveTo(x, place(low));
    pen.lineTo(x, place(high));
    begun = true;
  }
  pen.stroke();
}
