/** Cutting coastlines to the part of the earth that is looked at. */

/** West, south, east, north [deg]. */
export type Box = readonly [number, number, number, number];
type Point = GeoJSON.Position;

interface Side {
  /** Above zero inside. */
  readonly inside: (p: Point) => number;
}

function sides([west, south, east, north]: Box): Side[] {
  return [
    { inside: (p) => (p[0] as number) - west },
    { inside: (p) => east - (p[0] as number) },
    { inside: (p) => (p[1] as number) - south },
    { inside: (p) => north - (p[1] as number) },
  ];
}

function crossing(a: Point, b: Point, depthA: number, depthB: number): Point {
  const share = depthA / (depthA - depthB);
  return [
    (a[0] as number) + ((b[0] as number) - (a[0] as number)) * share,
    (a[1] as number) + ((b[1] as number) - (a[1] as number)) * share,
  ];
}

/** A closed ring cut to a box (Sutherland & Hodgman 1974); empty where nothing is inside. */
export function clipRing(ring: readonly Point[], box: Box): Point[] {
  let points: readonly Point[] = ring.slice(0, -1);
  for (const { inside } of sides(box)) {
    const kept: Point[] = [];
    points.forEach((point, i) => {
      const before = points[(i + points.length - 1) % points.length] as Point;
      const [was, is] = [inside(before), inside(point)];
      if (was >= 0 !== is >= 0) kept.push(crossing(before, point, was, is));
      if (is >= 0) kept.push(point);
    });
    if (kept.length < 3) return [];
    points = kept;
  }
  return [...points, points[0] as Point];
}

function within(p: Point, [west, south, east, north]: Box): boolean {
  const [x, y] = p as [number, number];
  return x >= west && x <= east && y >= south && y <= north;
}

/** The parts of a line that touch a box, whole segments. */
export function clipLine(line: readonly Point[], box: Box): Point[][] {
  const parts: Point[][] = [];
  let part: Point[] = [];
  for (let i = 1; i < line.length; i++) {
    const [a, b] = [line[i - 1] as Point, line[i] as Point];
    if (within(a, box) || within(b, box)) {
      if (!part.length) part.push(a);
      part.push(b);
    } else if (part.length) {
      parts.push(part);
      part = [];
    }
  }
  if (part.length) parts.push(part);
  return parts;
}

/** Polygons cut to a box; their holes too. */
export function clipPolygons(polygons: readonly Point[][][], box: Box): Point[][][] {
  return polygons
    .map((rings) => rings.map((ring) => clipRing(ring, box)).filter((ring) => ring.length))
    .filter((rings) => rings.length);
}
