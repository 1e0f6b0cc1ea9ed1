/** Where in the page we are: the hash, so that a link restores the view and the server needs no routes. */
import { computed, signal } from "@preact/signals";

export type Place = "now" | "event" | "catalogue" | "stations";

export interface Route {
  readonly place: Place;
  /** An event's or a station's identifier; "" for none. */
  readonly id: string;
  readonly query: URLSearchParams;
}

const PLACES: Record<string, Place> = {
  "": "now",
  now: "now",
  events: "event",
  catalogue: "catalogue",
  stations: "stations",
};
const NAMES: Record<Place, string> = {
  now: "now",
  event: "events",
  catalogue: "catalogue",
  stations: "stations",
};

/** What a hash says; an unknown one is the page Now. */
export function readHash(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#?\/?/, "").split("?", 2);
  const [name = "", id = ""] = path.split("/", 2);
  return { place: PLACES[name] ?? "now", id: decode(id), query: new URLSearchParams(query) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

/** The hash of a place; values that are empty or undefined are left out. */
export function hashOf(
  place: Place,
  id = "",
  query: Readonly<Record<string, string | number | undefined>> = {},
): string {
  const wanted = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined && value !== "") wanted.set(key, String(value));
  }
  const text = wanted.toString();
  return `#/${NAMES[place]}${id ? `/${encodeURIComponent(id)}` : ""}${text ? `?${text}` : ""}`;
}

const hash = signal(typeof location === "undefined" ? "" : location.hash);
export const route = computed(() => readHash(hash.value));

if (typeof window !== "undefined") {
  window.addEventListener("hashchange", () => {
    hash.value = location.hash;
  });
}

/** Go to a place, with an entry in the browser's history. */
export function go(to: string): void {
  location.hash = to;
}

/** Change the query of the place we are at, without an entry in the history. */
export function refine(changes: Readonly<Record<string, string | number | undefined>>): void {
  const { place, id, query } = route.peek();
  const merged: Record<string, string | number | undefined> = Object.fromEntries(query);
  const to = hashOf(place, id, { ...merged, ...changes });
  if (to === location.hash) return;
  history.replaceState(null, "", to);
  hash.value = to;
}
