/** One event: look at it, judge it, correct it. */
import "./event.css";
import { useEffect, useMemo } from "preact/hooks";
import { lazy } from "../../lazy";
import type { EarthProps } from "../../map/map";
import type { EventMark, StationMark } from "../../map/layers";
import { boundsOf, destination } from "../../map/shapes";
import { magnitudeRadius } from "../../draw/scale";
import { hashOf, route } from "../../route";
import { Panel } from "../../words";
import { Head } from "./head";
import { useKeys } from "./keys";
import { SectionPanel } from "./section";
import { SensorPanel } from "./sensor";
import { SidePanel } from "./side";
import { chooseStation, load, preview, problem, section, shown, stored, type EventAnswer, type Section } from "./state";

const Earth = lazy<EarthProps>(() => import("../../map/map").then((m) => m.Earth), "earth");

/** The page; without an event in the link, the newest one. */
export function EventPage() {
  const { id } = route.value;
  useEffect(() => {
    if (id) void load(id);
    else void newest();
  }, [id]);
  useKeys();
  if (problem.value) return <div class="page"><p class="empty bad" role="alert">{problem.value}</p></div>;
  return (
    <div class="page event">
      <Head />
      <SectionPanel />
      <SensorPanel />
      <EventMap />
      <SidePanel />
    </div>
  );
}

async function newest(): Promise<void> {
  const { answerOf, GET } = await import("../../api/client");
  try {
    const found = await answerOf(GET("/api/events", { params: { query: { order: "newest", limit: 1 } } }));
    const first = found.items[0];
    if (first) location.replace(hashOf("event", first.id));
    else problem.value = "There are no events yet.";
  } catch (error) {
    problem.value = error instanceof Error ? error.message : String(error);
  }
}

/** The epicentre with its ellipse, and the stations that were used. */
function EventMap() {
  const event = shown.value;
  const found = section.value;
  const events = useMemo(() => marksOf(event, preview.value ? stored.value : null), [event, preview.value]);
  const stations = useMemo(() => (found ? stationsOf(found) : []), [found]);
  const rays = useMemo(() => {
    const used = new Set(event?.origin?.arrivals.filter((a) => (a.weight ?? 0) > 0).map((a) => a.station));
    return stations.filter((s) => used.has(s.code)).map((s) => [s.longitude, s.latitude] as const);
  }, [event, stations]);
  const bounds = useMemo(() => {
    const place = stored.value?.origin;
    if (!place || !stations.length) return null;
    return boundsOf([[place.longitude, place.latitude], ...stations.map((s) => [s.longitude, s.latitude] as const)]);
  }, [stations]);
  return (
    <Panel title="Map" area="map">
      <div class="body">
        <Earth
          label="Map of the epicentre, its 68 % ellipse, and the stations" events={events} stations={stations}
          chosen={event?.id ?? ""} rays={rays} bounds={bounds} onStation={chooseStation}
        />
        <ul class="legend over">
          <li><span class="good">▲</span> picked</li>
          <li><span class="quiet">△</span> not picked</li>
        </ul>
      </div>
    </Panel>
  );
}

function marksOf(event: EventAnswer | null, before: EventAnswer | null): EventMark[] {
  return [before, event].flatMap((one, i) => {
    const origin = one?.origin;
    if (!origin) return [];
    const { semi_major_km, semi_minor_km, azimuth_deg } = origin.ellipse;
    const known = semi_major_km !== null && semi_minor_km !== null && azimuth_deg !== null;
    return [{
      id: i ? one.id : "stored",
      longitude: origin.longitude,
      latitude: origin.latitude,
      depth_km: origin.depth_km,
      radius: Math.min(magnitudeRadius(one.magnitudes[0]?.magnitude ?? null), 10),
      opacity: i ? 1 : 0.35,
      ellipse: known
        ? { semi_major_m: semi_major_km * 1000, semi_minor_m: semi_minor_km * 1000, azimuth_deg }
        : undefined,
    }];
  });
}

/** Places of the section's stations: distance and azimuth from the epicentre say where they are. */
function stationsOf(found: Section): StationMark[] {
  const origin = stored.peek()?.origin;
  if (!origin) return [];
  return found.items.flatMap((line) => {
    if (line.distance_km === null || line.azimuth_deg === null) return [];
    const [longitude, latitude] = destination(origin.longitude, origin.latitude, line.azimuth_deg, line.distance_km);
    return [{ code: line.station, longitude, latitude, state: line.picks.length ? "good" as const : "off" as const }];
  });
}

