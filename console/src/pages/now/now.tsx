/** What is going on now. */
import "./now.css";
import { useEffect, useMemo } from "preact/hooks";
import { Legend } from "../../help";
import { magnitudeRadius } from "../../draw/scale";
import { ageText, depthText, numberText, secondsOf, timeText } from "../../format";
import { lazy } from "../../lazy";
import type { EarthProps } from "../../map/map";
import type { EventMark } from "../../map/layers";
import { boundsOf } from "../../map/shapes";
import { stationMarks, type Station } from "../../map/stations";
import { warn } from "../../notices";
import { go, hashOf } from "../../route";
import { session } from "../../api/session";
import { Panel, typeText } from "../../words";
import {
  begin, ellipseOf, ellipses, events, filterNumber, follow, fresh, isLive, reference, sensors, stations,
} from "./state";
import type { EventLine } from "./merge";
import { TracesPanel } from "./traces";

const Earth = lazy<EarthProps>(() => import("../../map/map").then((m) => m.Earth), "earth");

export function Now() {
  useEffect(() => { begin().catch(warn); }, []);
  const ready = session.value !== null && stations.value.length > 0;
  useEffect(() => (ready ? follow() : undefined), [ready, sensors.value.join(), filterNumber.value]);
  return (
    <div class="page now">
      <NowMap />
      <Latest />
      <TracesPanel />
    </div>
  );
}

const HOUR_S = 3600;
const WEEK_S = 7 * 24 * HOUR_S;

/** In [0.35, 1]: whole within an hour, faint after a week. */
function opacityOf(age_s: number): number {
  if (age_s <= HOUR_S) return 1;
  const share = Math.log(Math.min(age_s, WEEK_S) / HOUR_S) / Math.log(WEEK_S / HOUR_S);
  return 1 - 0.65 * share;
}

function eventMarks(list: readonly EventLine[], now_s: number): EventMark[] {
  return list.flatMap((line) => {
    if (line.latitude === null || line.longitude === null) return [];
    const found = ellipseOf(line);
    const known = found && found.semi_major_km !== null && found.semi_minor_km !== null && found.azimuth_deg !== null;
    return [{
      id: line.id,
      longitude: line.longitude,
      latitude: line.latitude,
      depth_km: line.depth_km,
      radius: magnitudeRadius(line.magnitude),
      opacity: opacityOf(now_s - secondsOf(line.time)),
      ellipse: known
        ? { semi_major_m: (found.semi_major_km as number) * 1000, semi_minor_m: (found.semi_minor_km as number) * 1000, azimuth_deg: found.azimuth_deg as number }
        : undefined,
    }];
  });
}

function NowMap() {
  const marks = useMemo(() => eventMarks(events.value, reference.value), [events.value, ellipses.value, Math.floor(reference.value / 60)]);
  const found = stationMarks(stations.value);
  // Told every few seconds, and mostly the same: the map is drawn only where something is new.
  const places = useMemo(() => found, [JSON.stringify(found)]);
  const bounds = useMemo(
    () => boundsOf([...places, ...marks].map((mark) => [mark.longitude, mark.latitude] as const)),
    [places.length, marks.length > 0],
  );
  return (
    <Panel title="Map" area="map" right={<StateCounts />}>
      <div class="body">
        <Earth
          label="Map of the stations and the latest events" stations={places} events={marks} bounds={bounds}
          onEvent={(id) => go(hashOf("event", id))} onStation={(code) => go(hashOf("stations", code))}
        />
        <div class="legend over"><Legend depthsOnly /></div>
      </div>
    </Panel>
  );
}

const WORDS: readonly (readonly [Station["state"], string, string])[] = [
  ["good", "good", "on time"],
  ["late", "late", "late"],
  ["silent", "bad", "silent"],
  ["left out", "bad", "left out"],
  ["stopped", "quiet", "stopped"],
  ["recorded", "quiet", "recorded"],
  ["without data", "quiet", "without data"],
];

function StateCounts() {
  return (
    <ul class="counts" aria-label="Stations by state">
      {WORDS.map(([state, look, words]) => {
        const count = stations.value.filter((s) => s.state === state).length;
        return count ? <li key={state}><span class={look}>▲</span> {count} {words}</li> : null;
      })}
    </ul>
  );
}

function Latest() {
  const now_s = reference.value;
  const newest = events.value.find((line) => fresh.value.has(line.id));
  return (
    <Panel title={isLive.value ? "Latest events" : "Last events"} area="latest" right={<a class="button" href={hashOf("catalogue")}>All</a>}>
      <p class="hidden" aria-live="polite">
        {newest ? `New event: ${numberText(newest.magnitude, 1)} ${newest.event_type} at ${timeText(secondsOf(newest.time), 0)}` : ""}
      </p>
      <div class="scroll" tabIndex={0} role="region" aria-label="Latest events">
        {events.value.length ? <Rows list={events.value} now_s={now_s} /> : <p class="empty">{isLive.value ? "No events yet. They appear here by themselves as they are found." : "This store has no located events."}</p>}
      </div>
    </Panel>
  );
}

function Rows({ list, now_s }: { readonly list: readonly EventLine[]; readonly now_s: number }) {
  return (
    <table>
      <thead>
        <tr><th>Time (UTC)</th><th class="number spare">Age</th><th class="number">M</th><th class="number spare">Latitude</th><th class="number spare">Longitude</th><th class="number">Depth</th><th>Type</th><th title="Quality of the location, A to D">Q</th><th class="spare" title="Version; ✓ where a person has judged">v</th></tr>
      </thead>
      <tbody>
        {list.map((line) => (
          <tr key={line.id} class="link" aria-selected={fresh.value.has(line.id)} onClick={() => go(hashOf("event", line.id))}>
            <td><a href={hashOf("event", line.id)} onClick={(e) => e.stopPropagation()}>{timeText(secondsOf(line.time), 0)}</a></td>
            <td class="number quiet spare">{ageText(Math.max(0, now_s - secondsOf(line.time)))}</td>
            <td class="number strong">{numberText(line.magnitude, 1)}</td>
            <td class="number spare">{numberText(line.latitude, 3)}</td>
            <td class="number spare">{numberText(line.longitude, 3)}</td>
            <td class="number">{depthText(line.depth_km)}</td>
            <td>{typeText(line.event_type)}</td>
            <td>{line.quality ?? "–"}</td>
            <td class="quiet spare">{line.version}{line.evaluation_mode === "manual" ? " ✓" : ""}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
