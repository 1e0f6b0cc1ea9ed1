/** The list that an event was opened from, so that keys go through it. */

let ids: readonly string[] = [];

export function rememberList(list: readonly string[]): void {
  ids = list;
}

/** The event some places further in the list, or null at its end. */
export function neighbour(id: string, by: number): string | null {
  const at = ids.indexOf(id);
  return at < 0 ? null : (ids[at + by] ?? null);
}
