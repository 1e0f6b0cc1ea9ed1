/** Shapes on the sphere for the map. */

const KM_PER_DEGREE = 111.195;

/** The point at a distance and azimuth from another, on a sphere. */
export function destination(
  longitude: number,
  latitude: number,
  azimuthDeg: number,
  distanceKm: number,
): [number, number] {
  const radians = Math.PI / 180;
  const arc = (distanceKm / KM_PER_DEGREE) * radians;
  const from = latitude * radians;
  const azimuth = azimuthDeg * radians;
  const to = Math.asin(
    Math.sin(from) * Math.cos(arc) + Math.cos(from) * Math.sin(arc) * Math.cos(azimuth),
  );
  const east = Math.atan2(
    Math.sin(azimuth) * Math.sin(arc) * Math.cos(from),
    Math.cos(arc) - Math.sin(from) * Math.sin(to),
  );
  return [longitude + east / radians, to / radians];
}

/** Epicentral distance [km] on a sphere. */
export function distanceKm(
  longitude: number,
  latitude: number,
  toLongitude: number,
  toLatitude: number,
): number {
  const radians = Math.PI / 180;
  const north = Math.sin(((toLatitude - latitude) * radians) / 2);
  const east = Math.sin(((toLongitude - longitude) * radians) / 2);
  const half =
    north ** 2 + Math.cos(latitude * radians) * Math.cos(toLatitude * radians) * east ** 2;
  return (2 * Math.asin(Math.min(1, Math.sqrt(half))) * KM_PER_DEGREE) / radians;
}

export interface EllipseShape {
  readonly semi_major_m: number;
  readonly semi_minor_m: number;
  /** Of the longer axis, clockwise from north. */
  readonly azimuth_deg: number;
}

/** The ring of an ellipse around a point. */
export function ellipseRing(
  longitude: number,
  latitude: number,
  ellipse: EllipseShape,
  points = 48,
): [number, number][] {
  const ring: [number, number][] = [];
  for (let i = 0; i <= points; i++) {
    const turn = (2 * Math.PI * i) / points;
    const along = (ellipse.semi_major_m / 1000) * Math.cos(turn);
    const across = (ellipse.semi_minor_m / 1000) * Math.sin(turn);
    const azimuth = ellipse.azimuth_deg + (Math.atan2(across, along) * 180) / Math.PI;
    ring.push(destination(longitude, latitude, azimuth, Math.hypot(along, across)));
  }
  return ring;
}

/** West, south, east and north of points, with a margin; null where there is none. */
export function boundsOf(
  points: readonly (readonly [number, number])[],
  marginDeg = 0.05,
): [number, number, number, number] | null {
  if (!points.length) return null;
  let [west, south, east, north] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [longitude, latitude] of points) {
    west = Math.min(west, longitude);
    east = Math.max(east, longitude);
    south = Math.min(south, latitude);
    north = Math.max(north, latitude);
  }
  return [west - marginDeg, Math.max(south - marginDeg, -85), east + marginDeg, Math.min(north + marginDeg, 85)];
}
