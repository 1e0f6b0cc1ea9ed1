import { describe, expect, test } from "vitest";
import { depthColour, depthStops, magnitudeRadius, multiples, niceStep, timeStep } from "../src/draw/scale";
import { levelOf, strokeSegment, timeAt, valuesWithin, xOf, type Segment } from "../src/draw/trace";
import { curveOf, segmentOf } from "../src/api/segments";

const span = { start_s: 100, end_s: 110, left: 50, width: 200 };

function piece(values: number[], start_s = 100, step_s = 0.01): Segment {
  return { start_s, step_s, low: values, high: values };
}

function strokes(segment: Segment): [string, number, number][] {
  const found: [string, number, number][] = [];
  const pen = {
    moveTo: (x: number, y: number) => found.push(["move", x, y]),
    lineTo: (x: number, y: number) => found.push(["line", x, y]),
  };
  strokeSegment(pen as unknown as CanvasRenderingContext2D, segment, span, (value) => value);
  return found;
}

describe("traces", () => {
  test("a place in time and back is the same", () => {
    expect(timeAt(span, xOf(span, 104.2))).toBeCloseTo(104.2, 9);
  });
  test("values within times reach one over on either side", () => {
    expect(valuesWithin(piece(new Array<number>(1000).fill(0)), 102, 103)).toEqual([200, 301]);
    expect(valuesWithin(piece([1, 2, 3]), 200, 201)).toEqual([3, 3]);
  });
  test("a column of many samples keeps its extremes", () => {
    const values = new Array<number>(1000).fill(0);
    values[503] = 7;
    values[504] = -9;
    const ys = strokes(piece(values)).map(([, , y]) => y);
    expect(Math.max(...ys)).toBe(7);
    expect(Math.min(...ys)).toBe(-9);
    expect(ys.length).toBeLessThan(450);
  });
  test("few samples are drawn one by one", () => {
    const found = strokes(piece([1, 2, 3, 4], 100, 1));
    expect(found.map(([kind]) => kind)).toEqual(["move", "line", "line", "line"]);
    expect(found.map(([, x]) => x)).toEqual([50, 70, 90, 110]);
  });
  test("the level is about the middle of what is in view", () => {
    expect(levelOf([piece([2, 4, 2, 4])], 100, 101)).toEqual({ middle: 3, peak: 1 });
    expect(levelOf([piece([2, 4])], 200, 201)).toBeNull();
  });
  test("an envelope keeps least and largest", () => {
    const found = segmentOf({ start: "1970-01-01T00:00:10Z", step_s: 0.1, minimum: [-1], maximum: [2] });
    expect(found).toEqual({ start_s: 10, step_s: 0.1, low: [-1], high: [2] });
  });
  test("holes of a curve cut it", () => {
    const answer = { start: "1970-01-01T00:00:00Z", step_s: 1, values: { P: [0.1, 0.2, null, 0.4] } };
    expect(curveOf([answer], "P").map(({ start_s, low }) => [start_s, low])).toEqual([[0, [0.1, 0.2]], [3, [0.4]]]);
    expect(curveOf([answer], "S")).toEqual([]);
  });
});

describe("scales", () => {
  test("steps are 1, 2 or 5 times a power of ten", () => {
    expect([niceStep(10, 5), niceStep(0.7, 4), niceStep(1300, 6)]).toEqual([2, 0.2, 500]);
    expect(multiples(-1, 1, 0.5)).toEqual([-1, -0.5, 0, 0.5, 1]);
  });
  test("steps of time are those that people count in", () => {
    expect([timeStep(120, 8), timeStep(3600, 6), timeStep(86_400 * 3, 6)]).toEqual([15, 600, 43_200]);
  });
  test("depth has the same colour on maps and charts", () => {
    for (const [depth, stop] of depthStops()) expect(depthColour(depth)).toBe(stop);
    expect(depthColour(-2)).toBe(depthColour(0));
    expect(depthColour(600)).toBe(depthColour(40));
  });
  test("a larger event has a larger mark", () => {
    expect(magnitudeRadius(5)).toBeGreaterThan(magnitudeRadius(3));
    expect(magnitudeRadius(null)).toBe(2.5);
  });
});
