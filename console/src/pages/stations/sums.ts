/** A ledger added up. */
import type { Schemas } from "../../api/client";

export type Line = Schemas["CoverageLine"];

/** Seconds by reason over all channels, most first. */
export function sumsOf(items: readonly Line[]): [string, number][] {
  const sums = new Map<string, number>();
  for (const line of items) sums.set(line.reason, (sums.get(line.reason) ?? 0) + line.seconds);
  return [...sums].sort((a, b) => b[1] - a[1]);
}
