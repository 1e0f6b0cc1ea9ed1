/** The list of the latest events as new versions come. */
import type { Schemas } from "../../api/client";

export type EventLine = Schemas["EventLine"];

/** So many events are listed. */
export const LISTED = 60;

/** The list with new versions in their places; what is no longer located leaves it. */
export function merged(list: readonly EventLine[], items: readonly EventLine[]): EventLine[] {
  const byId = new Map(list.map((line) => [line.id, line]));
  for (const line of items) {
    if (line.latitude === null || line.event_type === "not existing") byId.delete(line.id);
    else byId.set(line.id, line);
  }
  return [...byId.values()].sort((a, b) => (a.time < b.time ? 1 : -1)).slice(0, LISTED);
}
