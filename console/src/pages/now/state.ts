/** What is going on: events, stations, picks and the ends of some records. */
import { computed, signal } from "@preact/signals";
import { answerOf, GET, type Schemas } from "../../api/client";
import { listen } from "../../api/live";
import { session } from "../../api/session";
import { secondsOf } from "../../format";
import type { Station } from "../../map/stations";
import { warn } from "../../notices";
import { rememberList } from "../../list";
import { route } from "../../route";
import { LISTED, merged, type EventLine } from "./merge";
import { clearTraces, growCurves, growTrace, notePicks, readRecorded } from "./tail";

/** Events whose ellipses are fetched and drawn. */
const DETAILED = 12;
const SHOWN_TRACES = 12;
/** What is asked of live sensors: one trace each, as finely as it is drawn. */
const VERTICAL = ["Z", "3"];
const STEP_S = 0.1;

export const events = signal<readonly EventLine[]>([]);
export const stations = signal<readonly Station[]>([]);
/** Ellipses by event and version. */
export const ellipses = signal<ReadonlyMap<string, Schemas["EllipseAnswer"]>>(new Map());
/** Ids of events that came while one looked. */
export const fresh = signal<ReadonlySet<string>>(new Set());
/** Seconds that the server's clock is ahead of ours. */
const ahead = signal(0);
const tick = signal(0);

export const isLive = computed(() => session.value?.features.live ?? false);

/** Whether the server has said that it has no waveforms to show; a monitor's may yet come. */
export const lacksWaveforms = computed(() => session.value != null && !session.value.features.waveforms && !isLive.value);

/** The time that ages are counted from: now, or the end of the data where no monitor runs. */
export const reference = computed(() => {
  void tick.value;
  if (isLive.value) return Date.now() / 1000 + ahead.value;
  const ends = stations.value.flatMap((s) => (s.last_data ? [secondsOf(s.last_data)] : []));
  return ends.length ? Math.max(...ends) : Date.now() / 1000;
});

/** Sensors whose traces are shown: the link's, or the first ones. */
export const sensors = computed<readonly string[]>(() => {
  const asked = route.value.query.get("sensors");
  if (asked) return asked.split(",");
  return stations.value.flatMap((s) => s.sensors.slice(0, 1)).slice(0, SHOWN_TRACES);
});

export const FILTERS: readonly (readonly [string, number, number])[] = [
  ["1–20 Hz", 1, 20],
  ["0.5–5 Hz", 0.5, 5],
  ["none", 0, 0],
];
export const filterNumber = computed(() => {
  const number = Number(route.value.query.get("filter") ?? 0);
  return FILTERS[number] ? number : 0;
});

/** Fetch how it stands. */
export async function begin(): Promise<void> {
  const [list, found] = await Promise.all([
    answerOf(GET("/api/events", { params: { query: { order: "newest", limit: LISTED } } })),
    answerOf(GET("/api/stations")),
  ]);
  events.value = list.items;
  stations.value = found.items;
  rememberList(list.items.map((line) => line.id));
  readEllipses();
}

/** Follow what happens; gives what ends it. */
export function follow(): () => void {
  const shown = sensors.peek();
  const [, low_hz, high_hz] = FILTERS[filterNumber.peek()] as readonly [string, number, number];
  clearTraces(shown);
  if (!isLive.peek()) readRecorded(shown, reference.peek(), { low_hz, high_hz }).catch(warn);
  const timer = setInterval(() => { tick.value += 1; }, 10_000);
  const stop = listen({ sensors: isLive.peek() ? shown : [], components: VERTICAL, step_s: STEP_S, low_hz, high_hz }, {
    start: ({ time }) => { ahead.value = secondsOf(time) - Date.now() / 1000; },
    events: ({ items }) => takeEvents(items),
    stations: ({ items }) => takeStations(items),
    picks: ({ items }) => notePicks(items),
    waveform: growTrace,
    probabilities: growCurves,
  });
  return () => {
    clearInterval(timer);
    stop();
  };
}

function takeEvents(items: readonly EventLine[]): void {
  const known = new Set(events.peek().map((line) => line.id));
  const news = items.filter((line) => !known.has(line.id) && line.latitude !== null).map((line) => line.id);
  events.value = merged(events.peek(), items);
  if (news.length) fresh.value = new Set([...fresh.peek(), ...news]);
  rememberList(events.peek().map((line) => line.id));
  readEllipses();
}

function takeStations(items: readonly Station[]): void {
  const byCode = new Map(stations.peek().map((station) => [station.code, station]));
  for (const station of items) byCode.set(station.code, station);
  stations.value = [...byCode.values()].sort((a, b) => (a.code < b.code ? -1 : 1));
}

function keyOf(line: EventLine): string {
  return `${line.id} ${line.version}`;
}

export function ellipseOf(line: EventLine): Schemas["EllipseAnswer"] | undefined {
  return ellipses.value.get(keyOf(line));
}

function readEllipses(): void {
  for (const line of events.peek().slice(0, DETAILED)) {
    if (ellipses.peek().has(keyOf(line))) continue;
    answerOf(GET("/api/events/{event_id}", { params: { path: { event_id: line.id } } })).then(
      (event) => {
        if (event.origin) ellipses.value = new Map([...ellipses.peek(), [keyOf(line), event.origin.ellipse]]);
      },
      warn,
    );
  }
}
