import { describe, expect, test } from "vitest";
import { emptyColumns, fillColumns, levelOfColumns, RollingColumns, wordOf, type Columns } from "../src/draw/raster";
import type { Segment, Span } from "../src/draw/trace";

function piece(values: number[], start_s: number, step_s: number): Segment {
  return { start_s, step_s, low: values, high: values };
}

function spanOf(start_s: number, end_s: number): Span {
  return { start_s, end_s, left: 0, width: 100 };
}

function filled(count: number, segments: Segment[], span: Span): Columns {
  const columns = emptyColumns(count);
  fillColumns(columns, segments, span);
  return columns;
}

describe("columns of pixels", () => {
  test("each has the extremes of its samples", () => {
    const { low, high } = filled(2, [piece([1, 5, -2, 3, 8, 4], 10, 1)], spanOf(10, 16));
    expect([[...low], [...high]]).toEqual([[-2, 3], [5, 8]]);
  });
  test("what was not recorded is not drawn", () => {
    const { low } = filled(4, [piece([1, 1], 10, 1), piece([2, 2], 16, 1)], spanOf(10, 18));
    expect([...low]).toEqual([1, NaN, NaN, 2]);
  });
  test("between values that are far apart is a straight line", () => {
    const { low, high } = filled(4, [piece([0, 8], 10, 4)], spanOf(10, 14));
    expect([...low]).toEqual([0, 3, 5, 7]);
    expect([...high]).toEqual([...low]);
  });
  test("the level is the middle and the largest distance from it", () => {
    expect(levelOfColumns(filled(2, [piece([2, 4, 2, 4], 0, 1)], spanOf(0, 4)))).toEqual({ middle: 3, peak: 1 });
    expect(levelOfColumns(emptyColumns(3))).toBeNull();
  });
});

describe("a record that grows", () => {
  const values = Array.from({ length: 300 }, (_, i) => Math.sin(i * 1.7) * i);

  test("rolls to the same columns as when filled anew", () => {
    const rolling = new RollingColumns(50);
    let changed_s = -Infinity;
    for (let count = 100; count <= 300; count += 7) {
      const segments = [piece(values.slice(0, count), 0, 1)];
      const end_s = 2 * Math.ceil(count / 2);
      const columns = rolling.roll(segments, spanOf(end_s - 100, end_s), changed_s);
      expect(columns).toEqual(filled(50, segments, spanOf(end_s - 100, end_s)));
      changed_s = count;
    }
  });
  test("shows what comes late in its place", () => {
    const rolling = new RollingColumns(10);
    const newer = piece([3, 3], 8, 1);
    rolling.roll([newer], spanOf(0, 10), -Infinity);
    const columns = rolling.roll([newer, piece([1, 1], 4, 1)], spanOf(0, 10), 4);
    expect([...columns.low.slice(4)]).toEqual([1, 1, NaN, NaN, 3, 3]);
  });
});

test("a colour is a word in the order of an image's bytes", () => {
  expect(wordOf("#123456").toString(16)).toBe("563412");
});
