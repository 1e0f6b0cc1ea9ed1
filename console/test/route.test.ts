import { describe, expect, test } from "vitest";
import { hashOf, readHash } from "../src/route";

describe("routes", () => {
  test("an empty hash is the page Now", () => {
    expect(readHash("").place).toBe("now");
  });
  test("an unknown place is the page Now", () => {
    expect(readHash("#/elsewhere/1").place).toBe("now");
  });
  test("an event's link holds its id and what is in view", () => {
    const hash = hashOf("event", "zz2024 a/b", { station: "SY.S01", tab: "", from: undefined });
    expect(hash).toBe("#/events/zz2024%20a%2Fb?station=SY.S01");
    const route = readHash(hash);
    expect(route.place).toBe("event");
    expect(route.id).toBe("zz2024 a/b");
    expect(route.query.get("station")).toBe("SY.S01");
  });
  test("a broken escape does not throw", () => {
    expect(readHash("#/events/%E0%A4%A").id).toBe("");
  });
});
