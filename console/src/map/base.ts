/** The map under everything: coastlines and borders from packaged data, drawn by MapLibre. */
import * as maplibre from "maplibre-gl";
import type { StyleSpecification } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import "maplibre-gl/dist/maplibre-gl.css";
import coarseUrl from "world-atlas/countries-50m.json?url";
import fineUrl from "world-atlas/countries-10m.json?url";
import { colour } from "../theme";
import type { Box } from "./clip";
import type { Coast, Wanted } from "./coast.worker";

// Without this the map stays blank: the bundler moves the worker's file.
maplibre.setWorkerUrl(workerUrl);

/** From this zoom on the fine coastlines (1:10 million) are drawn. */
const FINE_ZOOM = 5;

const NOTHING: GeoJSON.FeatureCollection = { type: "FeatureCollection", features: [] };

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

/** Fetches the coastlines around what is seen, and again when the view leaves them. */
class Coastlines {
  private readonly worker = new Worker(new URL("./coast.worker.ts", import.meta.url), { type: "module" });
  private have: Wanted | null = null;

  constructor(private readonly map: maplibre.Map) {
    this.worker.onmessage = (message: MessageEvent<Coast | { problem: string }>) => {
      if ("problem" in message.data) console.warn(message.data.problem);
      else this.draw(message.data);
    };
  }

  /** Ask for what is seen now, if it is not there. */
  look(): void {
    const fine = this.map.getZoom() >= FINE_ZOOM;
    const url = new URL(fine ? fineUrl : coarseUrl, location.href).href;
    const b = this.map.getBounds();
    const seen: Box = [b.getWest(), b.getSouth(), b.getEast(), b.getNorth()];
    if (this.have?.url === url && holds(this.have.box, seen)) return;
    this.have = { url, box: fine ? grown(seen) : [-180, -90, 180, 90] };
    this.worker.postMessage(this.have);
  }

  close(): void {
    this.worker.terminate();
  }

  private draw(found: Coast): void {
    for (const name of ["land", "borders", "coast"] as const) {
      const source = this.map.getSource<maplibre.GeoJSONSource>(name);
      source?.setData({ type: "Feature", properties: {}, geometry: found[name] });
    }
  }
}

function holds(outer: Box, inner: Box): boolean {
  return outer[0] <= Math.max(inner[0], -180) && outer[1] <= Math.max(inner[1], -90)
    && outer[2] >= Math.min(inner[2], 180) && outer[3] >= Math.min(inner[3], 90);
}

/** A box with its own size added on all sides. */
function grown([west, south, east, north]: Box): Box {
  const [width, height] = [east - west, north - south];
  return [west - width, Math.max(south - height, -90), east + width, Math.min(north + height, 90)];
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
  map.on("load", () => {
    paintBase(map);
    ready(map);
    const coastlines = new Coastlines(map);
    coastlines.look();
    map.on("moveend", () => coastlines.look());
    map.on("remove", () => coastlines.close());
  });
  return map;
}
