/** Stations as the API tells them, and how they look on a map. */
import type { Schemas } from "../api/client";
import type { StationMark, StationState } from "./layers";

export type Station = Schemas["StationAnswer"];

/** How a station's state looks. */
export function markState(state: Station["state"]): StationState {
  switch (state) {
    case "good": return "good";
    case "late": return "late";
    case "silent":
    case "left out": return "bad";
    case "stopped":
    case "recorded": return "plain";
    case "without data": return "off";
  }
}

/** Of the stations whose place is known. */
export function stationMarks(found: readonly Station[]): StationMark[] {
  return found.flatMap((s) => (s.latitude === null || s.longitude === null
    ? []
    : [{ code: s.code, longitude: s.longitude, latitude: s.latitude, state: markState(s.state) }]));
}
