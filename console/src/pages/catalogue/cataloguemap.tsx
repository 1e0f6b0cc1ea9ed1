/** Where the events of the selection are. */
import { useMemo, useState } from "preact/hooks";
import type { Schemas } from "../../api/client";
import { magnitudeRadius } from "../../draw/scale";
import { lazy } from "../../lazy";
import type { EarthProps } from "../../map/map";
import type { EventMark } from "../../map/layers";
import { boundsOf } from "../../map/shapes";
import { Legend } from "../../help";
import { Panel } from "../../words";
import { rounded, type Filter } from "./filter";

const Earth = lazy<EarthProps>(() => import("../../map/map").then((m) => m.Earth), "earth");

interface Props {
  readonly points: Schemas["EventPoints"] | null;
  readonly filter: Filter;
  readonly chosen: string;
  readonly onChange: (changes: Partial<Record<keyof Filter, unknown>>) => void;
  readonly onEvent: (id: string) => void;
}

/** Marks of all events that have a place. */
export function marksOf(points: Schemas["EventPoints"]): EventMark[] {
  const marks: EventMark[] = [];
  points.id.forEach((id, i) => {
    const [longitude, latitude] = [points.longitude[i], points.latitude[i]];
    if (longitude === null || longitude === undefined || latitude === null || latitude === undefined) return;
    marks.push({
      id, longitude, latitude,
      depth_km: points.depth_km[i] ?? null,
      radius: magnitudeRadius(points.magnitude[i] ?? null),
      opacity: 0.85,
    });
  });
  return marks;
}

export function CatalogueMap({ points, filter, chosen, onChange, onEvent }: Props) {
  const marks = useMemo(() => (points ? marksOf(points) : []), [points]);
  const [seen, setSeen] = useState<[number, number, number, number] | null>(null);
  const limited = filter.min_longitude !== undefined;
  const bounds = useMemo(
    () => (limited
      ? [filter.min_longitude, filter.min_latitude, filter.max_longitude, filter.max_latitude] as [number, number, number, number]
      : boundsOf(marks.map((mark) => [mark.longitude, mark.latitude]))),
    [marks.length > 0, limited],
  );
  const search = (area: [number, number, number, number] | null): void => {
    const [west, south, east, north] = area?.map(rounded) ?? [];
    onChange({ min_longitude: west, min_latitude: south, max_longitude: east, max_latitude: north });
  };
  return (
    <Panel title="Map" area="map" right={
      <>
        <button disabled={!seen} onClick={() => search(seen)}>Search this area</button>
        {limited ? <button onClick={() => search(null)}>Anywhere</button> : null}
      </>
    }>
      <div class="body">
        <Earth label="Map of the events" events={marks} chosen={chosen} bounds={bounds} onEvent={onEvent} onMove={setSeen} />
        <div class="legend over"><Legend depthsOnly /></div>
      </div>
    </Panel>
  );
}
