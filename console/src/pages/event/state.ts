/** The event that is looked at: as it is stored, as it would be, and what of it is in view. */
import { batch, computed, effect, signal } from "@preact/signals";
import { answerOf, GET, type Schemas } from "../../api/client";
import { secondsOf } from "../../format";
import { warn } from "../../notices";
import { refine, route } from "../../route";
import { actionsOf, draftOf, type DraftPick } from "./draft";

export type EventAnswer = Schemas["EventAnswer"];
export type Section = Schemas["Section"];

/** Corners [Hz] of the filters that can be chosen; 0 is none. */
export const FILTERS: readonly (readonly [string, number, number])[] = [
  ["1–20 Hz", 1, 20],
  ["2–8 Hz", 2, 8],
  ["5–15 Hz", 5, 15],
  ["0.5–5 Hz", 0.5, 5],
  ["none", 0, 0],
];

export const stored = signal<EventAnswer | null>(null);
export const section = signal<Section | null>(null);
export const problem = signal("");
/** The picks as they are to be. */
export const draft = signal<readonly DraftPick[]>([]);
/** What the server says that the draft comes to; null where nothing is changed or it is not known yet. */
export const outlook = signal<Schemas["ReviewAnswer"] | null>(null);
/** The event as it would be. */
export const preview = computed(() => outlook.value?.event ?? null);
export const previewing = signal(false);
/** Key of the pick that keys act on. */
export const chosenPick = signal("");
/** Where the pointer is in time, seconds since 1970; null away from the traces. */
export const pointer = signal<{ readonly time_s: number; readonly channel: string } | null>(null);

/** Computed arrivals at a station of the section, by phase: of the event as it is shown. */
export function predictedAt(line: Section["items"][number]): Readonly<Record<string, string>> {
  return outlook.value?.predicted[line.station] ?? line.predicted;
}

/** The event as it is shown. */
export const shown = computed(() => preview.value ?? stored.value);
export const isChanged = computed(() => actionsOf(draft.value).length > 0);
export const originTime = computed(() => (shown.value ? secondsOf(shown.value.time) : 0));

export const filterNumber = computed(() => {
  const number = Number(route.value.query.get("filter") ?? 0);
  return FILTERS[number] ? number : 0;
});
export const component = computed(() => route.value.query.get("component") ?? "Z");

/** The station in view: the link's, or else the nearest one that was picked. */
export const station = computed(() => {
  const items = section.value?.items ?? [];
  const asked = route.value.query.get("station");
  return items.find((item) => item.station === asked)?.station
    ?? items.find((item) => item.picks.length)?.station
    ?? items[0]?.station
    ?? "";
});
export const stationLine = computed(() => section.value?.items.find((item) => item.station === station.value) ?? null);

export function chooseStation(code: string): void {
  if (code !== station.peek()) refine({ station: code, from: "", to: "" });
}

let asked: AbortController | null = null;

/** Fetch an event and its section. */
export async function load(id: string): Promise<void> {
  asked?.abort();
  const abort = new AbortController();
  asked = abort;
  if (stored.peek()?.id !== id) clear();
  try {
    const event = await answerOf(GET("/api/events/{event_id}", { params: { path: { event_id: id } }, signal: abort.signal }));
    show(event);
    await loadSection(id, abort.signal);
  } catch (error) {
    if (!abort.signal.aborted) problem.value = error instanceof Error ? error.message : String(error);
  }
}

async function loadSection(id: string, signal: AbortSignal): Promise<void> {
  const [, low_hz, high_hz] = FILTERS[filterNumber.peek()] as readonly [string, number, number];
  section.value = await answerOf(GET("/api/events/{event_id}/section", {
    params: { path: { event_id: id }, query: { component: component.peek(), low_hz, high_hz } },
    signal,
  }));
}

/** Fetch the section again, with another filter or component. */
export function reloadSection(): void {
  const id = stored.peek()?.id;
  if (!id) return;
  asked?.abort();
  asked = new AbortController();
  loadSection(id, asked.signal).catch(warn);
}

/** Show an event as the server gave it, with nothing changed. */
export function show(event: EventAnswer): void {
  batch(() => {
    stored.value = event;
    draft.value = draftOf(event.picks);
    outlook.value = null;
    problem.value = "";
  });
}

function clear(): void {
  batch(() => {
    stored.value = section.value = outlook.value = null;
    draft.value = [];
    chosenPick.value = problem.value = "";
  });
}

let before = "";
effect(() => {
  const key = `${filterNumber.value} ${component.value}`;
  if (before && key !== before) reloadSection();
  before = key;
});
