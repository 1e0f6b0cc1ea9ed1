/** The map under everything: coastlines and borders from packaged data, drawn by MapLibre. */
import * as maplibre from "maplibre-gl";
import type { StyleSpecification } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import "maplibre-gl/dist/maplibre-gl.css";
import { feature, mesh } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";
import coarseUrl from "world-atlas/countries-50m.json?url";
import fineUrl from "world-atlas/countries-10m.json?url";
import { colour } from "../theme";

// Without this the map stays blank: the bundler moves the worker's file.
maplibre.setWorkerUrl(workerUrl);

/** From this zoom on the fine coastlines (1:10 million) are worth their 3.7 MB. */
const FINE_ZOOM = 5;

const NOTHING: GeoJSON.FeatureCollection = { type: "FeatureCollection", features: [] };

type Countries = Topology<{ countries: GeometryCollection; land: GeometryCollection }>;

interface Shapes {
  readonly land: GeoJSON.GeoJSON;
  readonly borders: GeoJSON.GeoJSON;
  readonly coast: GeoJSON.GeoJSON;
}

const loaded = new Map<string, Promise<Shapes>>();

function shapes(url: string): Promise<Shapes> {
  const known = loaded.get(url);
  if (known) return known;
  const wanted = fetch(url).then(async (response) => {
    if (!response.ok) throw new Error(`coastlines: ${response.status} ${response.statusText}`);
    const world = (await response.json()) as Countries;
    const { countries, land } = world.objects;
    return {
      land: feature(world, land),
      borders: line(mesh(world, countries, (a, b) => a !== b)),
      coast: line(mesh(world, land)),
    };
  });
  loaded.set(url, wanted);
  wanted.catch(() => loaded.delete(url));
  return wanted;
}

function line(geometry: GeoJSON.MultiLineString): GeoJSON.Feature {
  return { type: "Feature", properties: {}, geometry };
}

/** Meridians and parallels every five degrees. */
function graticule(): GeoJSON.Feature {
  const coordinates: GeoJSON.Position[][] = [];
  for (let longitude = -180; longitude <= 180; longitude += 5) {
    coordinates.push([[longitude, -85], [longitude, 85]]);
  }
  for (let latitude = -85; latitude <= 85; latitude += 5) {
    coordinates.push([[-180, latitude], [180, latitude]]);
  }
  return line({ type: "MultiLineString", coordinates });
}

function style(): StyleSpecification {
  const source = (data: GeoJSON.GeoJSON): StyleSpecification["sources"][string] => ({
    type: "geojson",
    data,
    tolerance: 0.2,
  });
  return {
    version: 8,
    sources: {
      land: source(NOTHING),
      borders: source(NOTHING),
      coast: source(NOTHING),
      graticule: source(graticule()),
    },
    layers: [
      { id: "sea", type: "background" },
      { id: "land", type: "fill", source: "land", paint: { "fill-antialias": false } },
      { id: "graticule", type: "line", source: "graticule", paint: { "line-width": 0.5, "line-opacity": 0.35 } },
      { id: "borders", type: "line", source: "borders", paint: { "line-width": 0.8, "line-dasharray": [3, 2] } },
      { id: "coast", type: "line", source: "coast", paint: { "line-width": 0.9 } },
    ],
    transition: { duration: 0, delay: 0 },
  };
}

/** The colours of the theme; called again when it changes. */
export function paintBase(map: maplibre.Map): void {
  map.setPaintProperty("sea", "background-color", colour("sea"));
  map.setPaintProperty("land", "fill-color", colour("land"));
  for (const layer of ["graticule", "borders", "coast"]) {
    map.setPaintProperty(layer, "line-color", colour("border"));
  }
}

async function fill(map: maplibre.Map, url: string): Promise<void> {
  const found = await shapes(url);
  for (const [name, data] of Object.entries(found)) {
    const source = map.getSource<maplibre.GeoJSONSource>(name);
    source?.setData(data as GeoJSON.GeoJSON);
  }
}

/** A map in an element, with coastlines on their way; `ready` is called once it can take layers. */
export function openMap(element: HTMLElement, ready: (map: maplibre.Map) => void): maplibre.Map {
  const map = new maplibre.Map({
    container: element,
    style: style(),
    center: [0, 20],
    zoom: 1,
    maxZoom: 14,
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    fadeDuration: 0,
  });
  map.touchZoomRotate.disableRotation();
  map.addControl(new maplibre.NavigationControl({ showCompass: false }), "top-right");
  map.addControl(new maplibre.ScaleControl({ unit: "metric" }), "bottom-left");
  let finest = "";
  const refine = (): void => {
    const wanted = map.getZoom() >= FINE_ZOOM ? fineUrl : coarseUrl;
    if (wanted === finest || finest === fineUrl) return;
    finest = wanted;
    fill(map, wanted).catch((error: unknown) => console.warn(String(error)));
  };
  map.on("load", () => {
    paintBase(map);
    ready(map);
    refine();
    map.on("zoomend", refine);
  });
  return map;
}
