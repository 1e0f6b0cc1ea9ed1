import { describe, expect, test } from "vitest";
import { actionsOf, deleted, draftOf, moved, picked, weighted, type PickAnswer } from "../src/pages/event/draft";

function pick(station: string, phase: "P" | "S", time: string): PickAnswer {
  return {
    id: `${station}-${phase}`,
    channel: `${station}..HHZ`,
    sensor: `${station}..HH`,
    station,
    phase,
    time,
    probability: 0.9,
    uncertainty_s: 0.03,
    amplitude_counts: null,
    snr: null,
    onset: null,
    polarity: null,
    evaluation_mode: "automatic",
    provenance: { method: "neural", version: "1", model: "", configuration: "" },
  };
}

const stored = draftOf([
  pick("SY.S01", "P", "2024-03-05T10:00:01.000000Z"),
  pick("SY.S01", "S", "2024-03-05T10:00:02.500000Z"),
]);

describe("a draft of picks", () => {
  test("unchanged asks for nothing", () => {
    expect(actionsOf(stored)).toEqual([]);
  });
  test("a pick that is moved twice is one move from where it is stored", () => {
    const first = moved(stored, "SY.S01 P", stored[0]!.time_s + 0.5);
    const second = moved(first, "SY.S01 P", stored[0]!.time_s + 0.25);
    expect(actionsOf(second)).toEqual([
      { kind: "move_pick", pick_id: "SY.S01-P", time: "2024-03-05T10:00:01.250000Z", uncertainty_s: 0.05 },
    ]);
  });
  test("moved there and back asks for the new certainty only", () => {
    const there = moved(stored, "SY.S01 S", stored[1]!.time_s + 1);
    const back = moved(there, "SY.S01 S", stored[1]!.time_s);
    expect(actionsOf(back)).toEqual([{ kind: "weight_pick", pick_id: "SY.S01-S", uncertainty_s: 0.05 }]);
  });
  test("weight 4 leaves a pick without influence", () => {
    expect(actionsOf(weighted(stored, "SY.S01 S", 4))).toEqual([
      { kind: "weight_pick", pick_id: "SY.S01-S", uncertainty_s: 60 },
    ]);
    expect(() => weighted(stored, "SY.S01 S", 5)).toThrow("must be 0 to 4");
  });
  test("a pick set where the station has that phase moves it", () => {
    const next = picked(stored, "SY.S01..HHZ", "P", stored[0]!.time_s + 0.1);
    expect(next).toHaveLength(2);
    expect(actionsOf(next).map((action) => action.kind)).toEqual(["move_pick"]);
  });
  test("a pick on a new station is added, and forgotten when it is deleted again", () => {
    const time_s = stored[0]!.time_s + 3;
    const next = picked(stored, "SY.S02..HHN", "S", time_s);
    expect(actionsOf(next)).toEqual([
      { kind: "add_pick", channel: "SY.S02..HHN", phase: "S", time: "2024-03-05T10:00:04.000000Z", uncertainty_s: 0.05 },
    ]);
    expect(deleted(next, "SY.S02 S")).toEqual(stored);
  });
  test("a stored pick that is deleted asks for that, and comes back when it is set again", () => {
    const gone = deleted(stored, "SY.S01 P");
    expect(actionsOf(gone)).toEqual([{ kind: "delete_pick", pick_id: "SY.S01-P" }]);
    const again = picked(gone, "SY.S01..HHZ", "P", stored[0]!.time_s + 0.2);
    expect(actionsOf(again).map((action) => action.kind)).toEqual(["move_pick"]);
  });
});
