import { afterEach, expect, test } from "vitest";
import { outlook, predictedAt } from "../src/pages/event/state";

type Answer = NonNullable<typeof outlook.value>;
type Line = Parameters<typeof predictedAt>[0];

const stored = { station: "SY.S01", predicted: { P: "2024-03-05T10:00:00Z" } } as unknown as Line;

afterEach(() => { outlook.value = null; });

test("what is predicted is the stored event's until something changes", () => {
  expect(predictedAt(stored)).toEqual({ P: "2024-03-05T10:00:00Z" });
});

test("a preview moves what is predicted, picked or not", () => {
  outlook.value = { predicted: { "SY.S01": { P: "2024-03-05T10:00:01Z" } } } as unknown as Answer;
  expect(predictedAt(stored)).toEqual({ P: "2024-03-05T10:00:01Z" });
});

test("a station that the preview does not know keeps what it had", () => {
  outlook.value = { predicted: {} } as unknown as Answer;
  expect(predictedAt(stored)).toEqual({ P: "2024-03-05T10:00:00Z" });
});
