/** The map as a part of a page. */
import { useEffect, useRef, useState } from "preact/hooks";
import type * as maplibre from "maplibre-gl";
import { theme } from "../theme";
import { openMap, paintBase } from "./base";
import {
  addLayers, paintLayers, putChosen, putEvents, putRays, putStations,
  type EventMark, type StationMark,
} from "./layers";

export interface EarthProps {
  readonly stations?: readonly StationMark[];
  readonly events?: readonly EventMark[];
  readonly chosen?: string;
  /** Lines from the chosen event to these stations. */
  readonly rays?: readonly (readonly [number, number])[];
  /** West, south, east, north: shown at first and whenever it becomes another. */
  readonly bounds?: readonly [number, number, number, number] | null;
  readonly onEvent?: (id: string) => void;
  readonly onStation?: (code: string) => void;
  /** The reader has moved the map: west, south, east, north. */
  readonly onMove?: (bounds: [number, number, number, number]) => void;
  readonly label: string;
}

/** What is on the map is shown; what changes is drawn anew. */
export function Earth(props: EarthProps) {
  const holder = useRef<HTMLDivElement>(null);
  const map = useRef<maplibre.Map | null>(null);
  const ready = useRef(false);
  const now = useRef(props);
  now.current = props;
  const [problem, setProblem] = useState("");

  useEffect(() => {
    try {
      const opened = openMap(holder.current as HTMLDivElement, () => {
        addLayers(opened);
        ready.current = true;
        listen(opened, () => now.current);
        tellBusy(opened);
        drawAll(opened, now.current);
      });
      map.current = opened;
      return () => {
        ready.current = false;
        opened.remove();
      };
    } catch {
      setProblem("This browser draws no map: it has no WebGL.");
      return undefined;
    }
  }, []);

  const whenReady = (draw: (map: maplibre.Map) => void): void => {
    if (map.current && ready.current) draw(map.current);
  };
  useEffect(() => whenReady((m) => putStations(m, props.stations ?? [])), [props.stations]);
  useEffect(() => whenReady((m) => putEvents(m, props.events ?? [])), [props.events]);
  useEffect(() => whenReady((m) => drawChosen(m, props)), [props.events, props.chosen, props.rays]);
  useEffect(() => whenReady((m) => fit(m, props.bounds)), [props.bounds?.join(" ")]);
  useEffect(() => {
    void theme.value;
    whenReady((m) => {
      paintBase(m);
      paintLayers(m);
    });
  }, [theme.value]);

  if (problem) return <p class="empty">{problem}</p>;
  return <div class="earth" ref={holder} role="region" aria-label={props.label} aria-busy="true" />;
}

/** Say in the page whether all that is on the map has been drawn. */
function tellBusy(map: maplibre.Map): void {
  const tell = (busy: boolean) => () => map.getContainer().setAttribute("aria-busy", String(busy));
  map.on("dataloading", tell(true));
  map.on("idle", tell(false));
}

function drawAll(map: maplibre.Map, props: EarthProps): void {
  putStations(map, props.stations ?? []);
  putEvents(map, props.events ?? []);
  drawChosen(map, props);
  fit(map, props.bounds);
}

function drawChosen(map: maplibre.Map, props: EarthProps): void {
  const chosen = props.events?.find((event) => event.id === props.chosen) ?? null;
  putChosen(map, chosen);
  putRays(map, chosen ? [chosen.longitude, chosen.latitude] : [0, 0], chosen ? (props.rays ?? []) : []);
}

function fit(map: maplibre.Map, bounds: EarthProps["bounds"]): void {
  if (bounds) map.fitBounds(bounds as [number, number, number, number], { padding: 24, duration: 0, maxZoom: 11 });
}

function listen(map: maplibre.Map, props: () => EarthProps): void {
  map.on("click", "events", (click) => {
    const id: unknown = click.features?.[0]?.properties["id"];
    if (typeof id === "string") props().onEvent?.(id);
  });
  map.on("click", "stations", (click) => {
    const code: unknown = click.features?.[0]?.properties["code"];
    if (typeof code === "string") props().onStation?.(code);
  });
  for (const layer of ["events", "stations"]) {
    map.on("mouseenter", layer, () => { map.getCanvas().style.cursor = "pointer"; });
    map.on("mouseleave", layer, () => { map.getCanvas().style.cursor = ""; });
  }
  map.on("moveend", (moved) => {
    if (!(moved as { originalEvent?: unknown }).originalEvent) return;
    const b = map.getBounds();
    props().onMove?.([b.getWest(), b.getSouth(), b.getEast(), b.getNorth()]);
  });
}
