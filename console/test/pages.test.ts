import { describe, expect, test } from "vitest";
import type { Segment } from "../src/draw/trace";
import { filterText, readFilter } from "../src/pages/catalogue/filter";
import { inOrderOf } from "../src/pages/catalogue/order";
import { grow } from "../src/pages/now/grow";
import { merged, type EventLine } from "../src/pages/now/merge";
import { shownRows } from "../src/pages/stations/rows";
import { statesOf } from "../src/pages/stations/spells";
import { sumsOf } from "../src/pages/stations/sums";

function piece(start_s: number, values: number[]): Segment {
  return { start_s, step_s: 1, low: values, high: values };
}

function line(id: string, time: string, more: Partial<EventLine> = {}): EventLine {
  return {
    id, time, version: 1, latitude: 1, longitude: 2, depth_km: 3, magnitude: 1, magnitude_type: "ML",
    event_type: "earthquake", evaluation_mode: "automatic", quality: "A", written: time, ...more,
  } as EventLine;
}

describe("the catalogue's filter", () => {
  test("a link's limits come back as they were", () => {
    const query = new URLSearchParams("min_magnitude=2.5&type=earthquake,explosion&status=manual&catalogue=false&start=2024-03-05T00:00:00Z");
    const filter = readFilter(query);
    expect(filter).toEqual({
      min_magnitude: 2.5, type: ["earthquake", "explosion"], status: "manual", catalogue: false, start: "2024-03-05T00:00:00Z",
    });
    expect(Object.entries(filterText(filter)).filter(([, value]) => value)).toHaveLength(5);
  });
  test("what cannot be meant is left out", () => {
    expect(readFilter(new URLSearchParams("min_magnitude=x&status=perhaps&max_depth_km="))).toEqual({});
  });
  test("points are put in order of x, without those that lack a value", () => {
    const { at, index } = inOrderOf([3, 1, null, 2], [1, 1, 1, null]);
    expect([...at]).toEqual([1, 3]);
    expect([...index]).toEqual([1, 0]);
  });
});

describe("growing traces", () => {
  test("what follows is joined, what does not is another piece", () => {
    const pieces: Segment[] = [];
    grow(pieces, piece(0, [1, 2]), -100);
    grow(pieces, piece(2, [3]), -100);
    grow(pieces, piece(9, [4]), -100);
    expect(pieces.map((p) => [p.start_s, [...Array.from(p.low)]])).toEqual([[0, [1, 2, 3]], [9, [4]]]);
  });
  test("what is too old goes, and times stay right", () => {
    const pieces: Segment[] = [];
    grow(pieces, piece(0, [0, 1, 2, 3]), -100);
    grow(pieces, piece(4, [4, 5]), 3);
    expect(pieces.map((p) => [p.start_s, [...Array.from(p.low)]])).toEqual([[3, [3, 4, 5]]]);
    grow(pieces, piece(20, [6]), 19);
    expect(pieces.map((p) => p.start_s)).toEqual([20]);
  });
});

describe("the list of latest events", () => {
  test("a new version takes its place, a new event comes in order", () => {
    const list = merged([line("a", "2024-01-02T00:00:00Z")], [
      line("a", "2024-01-02T00:00:01Z", { version: 2 }), line("b", "2024-01-03T00:00:00Z"),
    ]);
    expect(list.map(({ id, version }) => [id, version])).toEqual([["b", 1], ["a", 2]]);
  });
  test("what was rejected or lost its place leaves it", () => {
    const list = [line("a", "2024-01-02T00:00:00Z"), line("b", "2024-01-03T00:00:00Z")];
    const items = [line("a", "2024-01-02T00:00:00Z", { latitude: null }), line("b", "2024-01-03T00:00:00Z", { event_type: "not existing" })];
    expect(merged(list, items)).toEqual([]);
  });
});

describe("the ledger", () => {
  test("seconds add up by reason", () => {
    const of = (reason: string, seconds: number) => ({ channel: "c", hour: "h", reason, seconds }) as Parameters<typeof sumsOf>[0][number];
    expect(sumsOf([of("gap", 1), of("analysed", 5), of("gap", 2)])).toEqual([["analysed", 5], ["gap", 3]]);
  });
});

describe("the states of a station", () => {
  test("equal ones in a row are one spell", () => {
    expect(statesOf(["good", "good", null, "late", "good"])).toEqual([
      { state: "good", first: 0, count: 2 },
      { state: null, first: 2, count: 1 },
      { state: "late", first: 3, count: 1 },
      { state: "good", first: 4, count: 1 },
    ]);
  });
});

describe("the sheet of a day", () => {
  const day = (recorded: (row: number) => boolean) => Array.from({ length: 48 }, (_, row) => ({ row, minimum: [null, recorded(row) ? 1 : null] }));
  const shown = (recorded: (row: number) => boolean) => shownRows(day(recorded)).map(({ row }) => row);

  test("a short record has some rows around it", () => {
    expect(shown((row) => row === 20)).toEqual([15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26]);
    expect(shown((row) => row === 47)[0]).toBe(36);
    expect(shown((row) => row === 0).at(-1)).toBe(11);
  });
  test("a long one is whole, and an empty day too", () => {
    expect(shown((row) => row > 4 && row < 40)).toHaveLength(35);
    expect(shown(() => false)).toHaveLength(48);
  });
});
