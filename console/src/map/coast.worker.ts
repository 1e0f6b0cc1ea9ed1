/** Reads coastlines and borders and cuts them to a box, beside the page so that it never stutters. */
import { feature, mesh } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";
import { clipLine, clipPolygons, type Box } from "./clip";

export interface Wanted {
  readonly url: string;
  readonly box: Box;
}

export interface Coast {
  readonly land: GeoJSON.MultiPolygon;
  readonly borders: GeoJSON.MultiLineString;
  readonly coast: GeoJSON.MultiLineString;
}

type World = Topology<{ countries: GeometryCollection; land: GeometryCollection }>;

interface Whole {
  readonly land: GeoJSON.Position[][][];
  readonly borders: GeoJSON.Position[][];
  readonly coast: GeoJSON.Position[][];
}

const read = new Map<string, Promise<Whole>>();

async function whole(url: string): Promise<Whole> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`coastlines: ${response.status} ${response.statusText}`);
  const world = (await response.json()) as World;
  const { countries, land } = world.objects;
  return {
    land: feature(world, land).features.flatMap(({ geometry }) =>
      geometry.type === "MultiPolygon" ? geometry.coordinates
      : geometry.type === "Polygon" ? [geometry.coordinates]
      : []),
    borders: mesh(world, countries, (a, b) => a !== b).coordinates,
    coast: mesh(world, land).coordinates,
  };
}

async function cut({ url, box }: Wanted): Promise<Coast> {
  const reading = read.get(url) ?? whole(url);
  read.set(url, reading);
  reading.catch(() => read.delete(url));
  const { land, borders, coast } = await reading;
  const lines = (all: GeoJSON.Position[][]): GeoJSON.MultiLineString => ({
    type: "MultiLineString",
    coordinates: all.flatMap((line) => clipLine(line, box)),
  });
  return {
    land: { type: "MultiPolygon", coordinates: clipPolygons(land, box) },
    borders: lines(borders),
    coast: lines(coast),
  };
}

self.onmessage = (message: MessageEvent<Wanted>) => {
  cut(message.data).then(
    (found) => self.postMessage(found),
    (error: unknown) => self.postMessage({ problem: String(error) }),
  );
};
