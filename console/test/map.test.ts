import { describe, expect, test } from "vitest";
import { clipLine, clipPolygons, clipRing } from "../src/map/clip";
import { boundsOf, destination, distanceKm, ellipseRing } from "../src/map/shapes";

const box = [0, 0, 10, 10] as const;

describe("cutting coastlines", () => {
  test("a ring across a corner keeps the corner", () => {
    const ring = [[-5, -5], [5, -5], [5, 5], [-5, 5], [-5, -5]];
    const cut = clipRing(ring, box);
    expect(cut[0]).toEqual(cut.at(-1));
    expect(new Set(cut.map(String))).toEqual(new Set(["0,0", "5,0", "5,5", "0,5"]));
  });
  test("a ring around the box becomes the box", () => {
    const ring = [[-50, -50], [50, -50], [50, 50], [-50, 50], [-50, -50]];
    expect(new Set(clipRing(ring, box).map(String))).toEqual(new Set(["0,0", "10,0", "10,10", "0,10"]));
  });
  test("what is outside goes", () => {
    expect(clipPolygons([[[[20, 20], [30, 20], [30, 30], [20, 20]]]], box)).toEqual([]);
  });
  test("a line that leaves and comes back is two", () => {
    expect(clipLine([[5, 5], [15, 5], [25, 5], [15, 6], [5, 6]], box)).toEqual([
      [[5, 5], [15, 5]],
      [[15, 6], [5, 6]],
    ]);
  });
});

describe("shapes on the sphere", () => {
  test("a degree of latitude is 111.195 km", () => {
    expect(distanceKm(10, 0, 10, 1)).toBeCloseTo(111.195, 3);
  });
  test("going somewhere is as far as was said", () => {
    for (const azimuth of [0, 37, 90, 200, 300]) {
      const [longitude, latitude] = destination(12, 47, azimuth, 42);
      expect(distanceKm(12, 47, longitude, latitude)).toBeCloseTo(42, 6);
    }
    const [longitude, latitude] = destination(12, 47, 90, 10);
    expect(longitude).toBeGreaterThan(12);
    expect(latitude).toBeCloseTo(47, 2);
  });
  test("an ellipse reaches its axes where they point", () => {
    const ring = ellipseRing(12, 47, { semi_major_m: 3000, semi_minor_m: 1000, azimuth_deg: 30 });
    const away = ring.map(([longitude, latitude]) => distanceKm(12, 47, longitude, latitude));
    expect(Math.max(...away)).toBeCloseTo(3, 6);
    expect(Math.min(...away)).toBeCloseTo(1, 6);
    expect(ring[0]).toEqual(destination(12, 47, 30, 3));
    const [first, last] = [ring[0], ring.at(-1)];
    expect(last?.[0]).toBeCloseTo(first?.[0] ?? NaN, 9);
    expect(last?.[1]).toBeCloseTo(first?.[1] ?? NaN, 9);
  });
  test("bounds hold all points", () => {
    expect(boundsOf([[1, 2], [3, -4]], 0)).toEqual([1, -4, 3, 2]);
    expect(boundsOf([])).toBeNull();
  });
});
