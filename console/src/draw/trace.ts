/** Samples to lines: one column of pixels is one stroke from the least to the largest of its samples. */

/** Equally spaced samples of one channel without a gap. */
export interface Segment {
  /** Of the first sample, seconds since 1970. */
  readonly start_s: number;
  readonly sampling_rate: number;
  readonly samples: ArrayLike<number>;
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

/** Indices of a segment's samples that lie within times, one more on either side. */
export function samplesWithin(segment: Segment, start_s: number, end_s: number): [number, number] {
  const { sampling_rate, samples } = segment;
  const first = Math.floor((start_s - segment.start_s) * sampling_rate);
  const last = Math.ceil((end_s - segment.start_s) * sampling_rate) + 1;
  return [Math.min(Math.max(first, 0), samples.length), Math.min(Math.max(last, 0), samples.length)];
}

/** Mean and largest distance from it, of what is within the times; null where nothing is. */
export function levelOf(
  segments: readonly Segment[],
  start_s: number,
  end_s: number,
): { mean: number; peak: number } | null {
  let [sum, count, low, high] = [0, 0, Infinity, -Infinity];
  for (const segment of segments) {
    const [first, last] = samplesWithin(segment, start_s, end_s);
    for (let i = first; i < last; i++) {
      const value = segment.samples[i] as number;
      sum += value;
      count += 1;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  if (!count) return null;
  const mean = sum / count;
  return { mean, peak: Math.max(high - mean, mean - low) };
}

/** Add a segment's line to the path; `yOf` gives the place of a value. */
export function strokeSegment(
  pen: CanvasRenderingContext2D,
  segment: Segment,
  span: Span,
  yOf: (value: number) => number,
): void {
  const [first, last] = samplesWithin(segment, span.start_s, span.end_s);
  if (last - first < 2) return;
  const perPixel = ((span.end_s - span.start_s) * segment.sampling_rate) / span.width;
  const timeOf = (i: number): number => segment.start_s + i / segment.sampling_rate;
  if (perPixel < 2) {
    pen.moveTo(xOf(span, timeOf(first)), yOf(segment.samples[first] as number));
    for (let i = first + 1; i < last; i++) {
      pen.lineTo(xOf(span, timeOf(i)), yOf(segment.samples[i] as number));
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
  const step = scale / segment.sampling_rate;
  let column = Math.floor(origin + first * step);
  let low = segment.samples[first] as number;
  let high = low;
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
    const value = segment.samples[i] as number;
    if (at !== column) {
      flush();
      column = at;
      low = high = value;
    } else if (value < low) low = value;
    else if (value > high) high = value;
  }
  flush();
}
