/** Traces made pixel by pixel: for many that move, far cheaper than paths. */
import type { Segment, Span } from "./trace";

/** Least and largest value of each column of pixels; NaN where there is nothing. */
export interface Columns {
  readonly low: Float64Array;
  readonly high: Float64Array;
}

export function emptyColumns(count: number): Columns {
  return { low: new Float64Array(count).fill(NaN), high: new Float64Array(count).fill(NaN) };
}

/** Fill the columns that divide a span evenly, from an instant on; what is before stays as it is.

Where values are farther apart than columns, columns have what lies between. */
export function fillColumns(columns: Columns, segments: readonly Segment[], span: Span, from_s = -Infinity): void {
  const count = columns.low.length;
  const perSecond = count / (span.end_s - span.start_s);
  const first = Math.min(Math.max(0, Math.floor((from_s - span.start_s) * perSecond + EDGE)), count);
  columns.low.fill(NaN, first);
  columns.high.fill(NaN, first);
  for (const segment of segments) fillFrom(columns, segment, span, first);
}

/** Values that lie on the edge between columns are of the right one, whatever rounding makes of it. */
const EDGE = 1e-6;

// Runs over all samples: plain loops, which are several times faster than anything more elegant.
function fillFrom({ low, high }: Columns, segment: Segment, span: Span, firstWanted: number): void {
  const values = segment.low.length;
  const perColumn = (span.end_s - span.start_s) / low.length / segment.step_s;
  const before = (span.start_s - segment.start_s) / segment.step_s;
  const first = Math.max(firstWanted, Math.floor(-before / perColumn + EDGE));
  const last = Math.min(low.length, Math.ceil((values - 1 - before) / perColumn + EDGE));
  let from = Math.max(0, Math.ceil(before + first * perColumn - EDGE));
  for (let column = first; column < last; column++) {
    const until = Math.min(values, Math.ceil(before + (column + 1) * perColumn - EDGE));
    if (until <= from) {
      if (from > 0 && from < values) {
        const share = Math.min(1, Math.max(0, before + (column + 0.5) * perColumn - (from - 1)));
        low[column] = between(segment.low, from, share);
        high[column] = between(segment.high, from, share);
      }
      continue;
    }
    let least = Infinity;
    let largest = -Infinity;
    for (; from < until; from++) {
      const a = segment.low[from] as number;
      const b = segment.high[from] as number;
      if (a < least) least = a;
      if (b > largest) largest = b;
    }
    low[column] = least;
    high[column] = largest;
  }
}

/** What lies at a share of the way from the value before to one. */
function between(values: ArrayLike<number>, at: number, share: number): number {
  return (values[at - 1] as number) * (1 - share) + (values[at] as number) * share;
}

/** Columns of a record that grows at its end: only what changed is worked through again. */
export class RollingColumns {
  readonly columns: Columns;
  private endColumn = -Infinity;

  constructor(readonly count: number) {
    this.columns = emptyColumns(count);
  }

  /** Move to a span whose end lies on a column's edge, and fill in what changed since an instant. */
  roll(segments: readonly Segment[], span: Span, changed_s: number): Columns {
    const step_s = (span.end_s - span.start_s) / this.count;
    const endColumn = Math.round(span.end_s / step_s);
    const by = endColumn - this.endColumn;
    this.endColumn = endColumn;
    if (by < 0 || by >= this.count) {
      fillColumns(this.columns, segments, span);
      return this.columns;
    }
    this.columns.low.copyWithin(0, by);
    this.columns.high.copyWithin(0, by);
    fillColumns(this.columns, segments, span, Math.min(changed_s, span.end_s - by * step_s));
    return this.columns;
  }
}

/** Middle of the columns and largest distance from it; null where all are empty. */
export function levelOfColumns({ low, high }: Columns): { middle: number; peak: number } | null {
  let sum = 0;
  let count = 0;
  let least = Infinity;
  let largest = -Infinity;
  for (let column = 0; column < low.length; column++) {
    const a = low[column] as number;
    const b = high[column] as number;
    if (Number.isNaN(a)) continue;
    sum += a + b;
    count += 2;
    if (a < least) least = a;
    if (b > largest) largest = b;
  }
  if (!count) return null;
  const middle = sum / count;
  return { middle, peak: Math.max(largest - middle, middle - least) };
}

/** Red, green and blue of a colour as #rrggbb, as a word of a raster without its opacity. */
export function wordOf(colour: string): number {
  const value = Number.parseInt(colour.slice(1), 16);
  return ((value & 0xff) << 16) | (value & 0xff00) | (value >> 16);
}

/** A transparent picture of so many pixels that lines are put into. */
export class Raster {
  readonly image: ImageData;
  private readonly words: Uint32Array;

  constructor(
    readonly width: number,
    readonly height: number,
  ) {
    this.image = new ImageData(width, height);
    this.words = new Uint32Array(this.image.data.buffer);
  }

  clear(): void {
    this.words.fill(0);
  }

  /** The line through columns from the left edge on, joined where they are neighbours.

  A value lies at `zero - value * gain`; lines are at least so thick [pixels]. */
  line({ low, high }: Columns, word: number, zero: number, gain: number, thickness = 1): void {
    let topBefore = NaN;
    let bottomBefore = NaN;
    for (let x = 0; x < low.length; x++) {
      const top = zero - (high[x] as number) * gain;
      const bottom = zero - (low[x] as number) * gain;
      if (!Number.isNaN(top)) {
        // Comparisons with NaN are false: where nothing is before, nothing is joined.
        const upper = top > bottomBefore ? bottomBefore : top;
        const lower = bottom < topBefore ? topBefore : bottom;
        const missing = Math.max(0, thickness - (lower - upper)) / 2;
        this.run(x, upper - missing, lower + missing, word);
      }
      topBefore = top;
      bottomBefore = bottom;
    }
  }

  /** Part of a column of pixels; pixels that are only partly within are that faint. */
  private run(x: number, top: number, bottom: number, word: number): void {
    const first = Math.max(0, Math.floor(top));
    const last = Math.min(this.height - 1, Math.ceil(bottom) - 1);
    for (let y = first; y <= last; y++) {
      const share = Math.min(y + 1, bottom) - Math.max(y, top);
      const opacity = share >= 1 ? 255 : Math.round(share * 255);
      const at = y * this.width + x;
      if (opacity >= (this.words[at] as number) >>> 24) this.words[at] = (opacity << 24) | word;
    }
  }
}
