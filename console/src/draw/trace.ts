/** Samples to lines: one column of pixels is one stroke from the least to the largest of its samples. */

/** Equally spaced samples of one channel without a gap, or the least and largest of each step. */
export interface Segment {
  /** Of the first value, seconds since 1970. */
  readonly start_s: number;
  readonly step_s: number;
  readonly low: ArrayLike<number>;
  /** The same array as `low` where each value is one sample. */
  readonly high: ArrayLike<number>;
}

/** What of time lies where: `left` is `start_s`, `left + width` is `end_s`. */
export interface Span {
  readonly start_s: number;
  readonly end_s: number;
  readonly left: number;
  readonly width: number;
}

export function xOf(span: Span, time: number): number {
  return span.left + ((time - span.start_s) / (span.end_s - span.start_s)) * span.width;
}

export function timeAt(span: Span, x: number): number {
  return span.start_s + ((x - span.left) / span.width) * (span.end_s - span.start_s);
}

/** Indices of a segment's values that lie within times, one more on either side: first, and last plus one. */
export function valuesWithin(segment: Segment, start_s: number, end_s: number): [number, number] {
  const count = segment.low.length;
  const first = Math.floor((start_s - segment.start_s) / segment.step_s);
  const last = Math.ceil((end_s - segment.start_s) / segment.step_s) + 1;
  return [Math.min(Math.max(first, 0), count), Math.min(Math.max(last, 0), count)];
}

/** Middle of what is within the times and largest distance from it; null where nothing is. */
export function levelOf(
  segments: readonly Segment[],
  start_s: number,
  end_s: number,
): { middle: number; peak: number } | null {
  let [sum, count, low, high] = [0, 0, Infinity, -Infinity];
  for (const segment of segments) {
    const [first, last] = valuesWithin(segment, start_s, end_s);
    for (let i = first; i < last; i++) {
      const [least, largest] = [segment.low[i] as number, segment.high[i] as number];
      sum += least + largest;
      count += 2;
      if (least < low) low = least;
      if (largest > high) high = largest;
    }
  }
  if (!count) return null;
  const middle = sum / count;
  return { middle, peak: Math.max(high - middle, middle - low) };
}

/** Add a segment's line to the path; `yOf` gives the place of a value. */
export function strokeSegment(
  pen: CanvasRenderingContext2D,
  segment: Segment,
  span: Span,
  yOf: (value: number) => number,
): void {
  const [first, last] = valuesWithin(segment, span.start_s, span.end_s);
  if (last - first < 2) return;
  const perPixel = (span.end_s - span.start_s) / segment.step_s / span.width;
  if (perPixel < 2 && segment.low === segment.high) {
    const timeOf = (i: number): number => segment.start_s + i * segment.step_s;
    pen.moveTo(xOf(span, timeOf(first)), yOf(segment.low[first] as number));
    for (let i = first + 1; i < last; i++) {
      pen.lineTo(xOf(span, timeOf(i)), yOf(segment.low[i] as number));
    }
    return;
  }
  strokeColumns(pen, segment, span, yOf, [first, last]);
}

function strokeColumns(
  pen: CanvasRenderingContext2D,
  segment: Segment,
  span: Span,
  yOf: (value: number) => number,
  [first, last]: readonly [number, number],
): void {
  const scale = span.width / (span.end_s - span.start_s);
  const origin = span.left + (segment.start_s - span.start_s) * scale;
  const step = scale * segment.step_s;
  let column = Math.floor(origin + first * step);
  let low = segment.low[first] as number;
  let high = segment.high[first] as number;
  let begun = false;
  const flush = (): void => {
    const x = column + 0.5;
    if (begun) pen.lineTo(x, yOf(low));
    else pen.moveTo(x, yOf(low));
    pen.lineTo(x, yOf(high));
    begun = true;
  };
  for (let i = first; i < last; i++) {
    const at = Math.floor(origin + i * step);
    const [least, largest] = [segment.low[i] as number, segment.high[i] as number];
    if (at !== column) {
      flush();
      column = at;
      low = least;
      high = largest;
      continue;
    }
    if (least < low) low = least;
    if (largest > high) high = largest;
  }
  flush();
}
