import { describe, expect, test } from "vitest";
import { ageText, countText, isoOf, numberText, placeText, secondsOf, signedText, timeText } from "../src/format";
import { isoFrom } from "../src/pages/catalogue/filter";

describe("times", () => {
  test("microseconds survive the way to seconds and back", () => {
    for (const text of ["2024-03-05T10:09:20.591234Z", "1999-12-31T23:59:59.999999Z", "2024-02-29T00:00:00.000000Z"]) {
      expect(isoOf(secondsOf(text))).toBe(text);
    }
  });
  test("a time without a zone is UTC", () => {
    expect(secondsOf("1970-01-01T00:01:00")).toBe(60);
    expect(secondsOf("1970-01-02")).toBe(86_400);
  });
  test("rounding carries into the next second and day", () => {
    expect(timeText(secondsOf("2024-03-05T23:59:59.970000Z"), 1)).toBe("2024-03-06 00:00:00.0");
  });
  test("what is no time is empty", () => {
    expect(timeText(NaN)).toBe("");
  });
  test("a typed time becomes the API's", () => {
    expect(isoFrom("2024-03-05 10:07")).toBe("2024-03-05T10:07:00Z");
    expect(isoFrom("2024-03-05")).toBe("2024-03-05T00:00:00Z");
    expect(isoFrom("yesterday")).toBeUndefined();
  });
});

describe("numbers", () => {
  test("a minus is a minus, and there is no negative zero", () => {
    expect(numberText(-0.1, 1)).toBe("\u22120.1");
    expect(numberText(-0.001, 1)).toBe("0.0");
    expect(signedText(0.04, 2)).toBe("+0.04");
    expect(signedText(0.001, 2)).toBe("0.00");
  });
  test("what is missing is a dash", () => {
    expect(numberText(null, 1)).toBe("\u2013");
    expect(numberText(NaN, 1)).toBe("\u2013");
  });
  test("places name their sides", () => {
    expect(placeText(-12.5, 77.25, 1)).toBe("12.5°\u2009S 77.3°\u2009E");
  });
  test("ages take the unit that fits", () => {
    expect([12, 240, 10_800, 864_000].map(ageText)).toEqual(["12\u2009s", "4.0\u2009min", "3.0\u2009h", "10\u2009d"]);
  });
  test("thousands are apart", () => {
    expect(countText(100000)).toBe("100\u2009000");
  });
});
