/** What lies on the map: events, their ellipses, stations, rays. */
import type * as maplibre from "maplibre-gl";
import { depthStops } from "../draw/scale";
import { colour } from "../theme";
import { ellipseRing, type EllipseShape } from "./shapes";

/** On time, late, without data; of an archive; never recorded. */
export type StationState = "good" | "late" | "bad" | "plain" | "off";

export interface StationMark {
  readonly code: string;
  readonly longitude: number;
  readonly latitude: number;
  readonly state: StationState;
}

export interface EventMark {
  readonly id: string;
  readonly longitude: number;
  readonly latitude: number;
  readonly depth_km: number | null;
  /** Radius [px]. */
  readonly radius: number;
  /** In (0, 1]: how new it is. */
  readonly opacity: number;
  readonly ellipse?: EllipseShape | undefined;
}

const SIZE = 22;

/** A triangle as a mask that takes any colour; hollow for a station that is off. */
function triangle(hollow: boolean): ImageData {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIZE;
  const pen = canvas.getContext("2d") as CanvasRenderingContext2D;
  pen.beginPath();
  pen.moveTo(SIZE / 2, 3);
  pen.lineTo(SIZE - 2.5, SIZE - 4);
  pen.lineTo(2.5, SIZE - 4);
  pen.closePath();
  pen.lineWidth = 3;
  pen.strokeStyle = pen.fillStyle = "#fff";
  if (hollow) pen.stroke();
  else pen.fill();
  return pen.getImageData(0, 0, SIZE, SIZE);
}

/** Put in all sources and layers, empty. */
export function addLayers(map: maplibre.Map): void {
  map.addImage("station", triangle(false), { sdf: true, pixelRatio: 2 });
  map.addImage("station-off", triangle(true), { sdf: true, pixelRatio: 2 });
  for (const name of ["rays", "ellipses", "stations", "events", "chosen"]) {
    map.addSource(name, { type: "geojson", data: { type: "FeatureCollection", features: [] } });
  }
  map.addLayer({ id: "rays", type: "line", source: "rays", paint: { "line-width": 0.7, "line-opacity": 0.6 } });
  map.addLayer({ id: "ellipses", type: "line", source: "ellipses", paint: { "line-width": 1 } });
  map.addLayer({
    id: "stations",
    type: "symbol",
    source: "stations",
    layout: {
      "icon-image": ["case", ["==", ["get", "state"], "off"], "station-off", "station"],
      "icon-allow-overlap": true,
      "icon-size": ["interpolate", ["linear"], ["zoom"], 2, 0.5, 7, 1],
      "text-field": ["get", "label"],
      "text-size": 11,
      "text-offset": [0, 0.7],
      "text-anchor": "top",
      "text-optional": true,
    },
  });
  map.addLayer({
    id: "events",
    type: "circle",
    source: "events",
    layout: { "circle-sort-key": ["-", 0, ["get", "radius"]] },
    paint: {
      "circle-radius": ["get", "radius"],
      "circle-opacity": ["get", "opacity"],
      "circle-stroke-opacity": ["get", "opacity"],
      "circle-stroke-width": 0.8,
    },
  });
  map.addLayer({
    id: "chosen",
    type: "circle",
    source: "chosen",
    paint: {
      "circle-radius": ["+", ["get", "radius"], 4],
      "circle-color": "rgba(0, 0, 0, 0)",
      "circle-stroke-width": 2,
    },
  });
  paintLayers(map);
}

/** The colours of the theme; called again when it changes. */
export function paintLayers(map: maplibre.Map): void {
  map.setPaintProperty("events", "circle-color", [
    "case",
    ["==", ["get", "depth"], null],
    colour("off"),
    ["interpolate", ["linear"], ["coalesce", ["get", "depth"], 0], ...depthStops().flat()],
  ]);
  map.setPaintProperty("events", "circle-stroke-color", colour("ground"));
  map.setPaintProperty("ellipses", "line-color", colour("ink"));
  map.setPaintProperty("rays", "line-color", colour("quiet"));
  map.setPaintProperty("chosen", "circle-stroke-color", colour("mark"));
  map.setPaintProperty("stations", "icon-color", [
    "match",
    ["get", "state"],
    "good", colour("good"),
    "late", colour("late"),
    "bad", colour("bad"),
    colour("off"),
  ]);
  map.setPaintProperty("stations", "text-color", colour("quiet"));
  map.setPaintProperty("stations", "text-halo-color", colour("ground"));
  map.setPaintProperty("stations", "text-halo-width", 1);
}

function put(map: maplibre.Map, name: string, features: GeoJSON.Feature[]): void {
  map.getSource<maplibre.GeoJSONSource>(name)?.setData({ type: "FeatureCollection", features });
}

function point(longitude: number, latitude: number, properties: object): GeoJSON.Feature {
  return { type: "Feature", properties: { ...properties }, geometry: { type: "Point", coordinates: [longitude, latitude] } };
}

/** Draw these stations. */
export function putStations(map: maplibre.Map, stations: readonly StationMark[]): void {
  put(map, "stations", stations.map((s) =>
    point(s.longitude, s.latitude, { code: s.code, label: s.code.split(".").at(-1), state: s.state })));
}

/** Draw these events, and the ellipses of those that bring one. */
export function putEvents(map: maplibre.Map, events: readonly EventMark[]): void {
  put(map, "events", events.map((e) =>
    point(e.longitude, e.latitude, { id: e.id, depth: e.depth_km, radius: e.radius, opacity: e.opacity })));
  put(map, "ellipses", events.flatMap((e) => e.ellipse ? [ellipse(e, e.ellipse)] : []));
}

function ellipse(event: EventMark, shape: EllipseShape): GeoJSON.Feature {
  const coordinates = [ellipseRing(event.longitude, event.latitude, shape)];
  return { type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates } };
}

/** Mark the chosen event, or none. */
export function putChosen(map: maplibre.Map, event: EventMark | null): void {
  put(map, "chosen", event ? [point(event.longitude, event.latitude, { radius: event.radius })] : []);
}

/** Straight lines from an epicentre to stations. */
export function putRays(
  map: maplibre.Map,
  from: readonly [number, number],
  to: readonly (readonly [number, number])[],
): void {
  const coordinates = to.map((end) => [[...from], [...end]]);
  put(map, "rays", coordinates.length
    ? [{ type: "Feature", properties: {}, geometry: { type: "MultiLineString", coordinates } }]
    : []);
}
