/** Traces and curves of the API as they are drawn. */
import type { Segment } from "../draw/trace";
import { secondsOf } from "../format";
import type { Schemas } from "./client";

export function segmentOf(answer: Schemas["SegmentAnswer"]): Segment {
  const low = answer.samples ?? answer.minimum ?? [];
  return {
    start_s: secondsOf(answer.start),
    step_s: answer.step_s,
    low,
    high: answer.samples ?? answer.maximum ?? low,
  };
}

/** The pieces of a curve without holes. */
export function curveOf(answers: readonly Schemas["CurveSegment"][], label: string): Segment[] {
  const found: Segment[] = [];
  for (const answer of answers) {
    const start_s = secondsOf(answer.start);
    let values: number[] = [];
    const close = (next: number): void => {
      if (values.length) {
        const first = next - values.length;
        found.push({ start_s: start_s + first * answer.step_s, step_s: answer.step_s, low: values, high: values });
      }
      values = [];
    };
    const all = answer.values[label] ?? [];
    all.forEach((value, i) => {
      if (value === null) close(i);
      else values.push(value);
    });
    close(all.length);
  }
  return found;
}
