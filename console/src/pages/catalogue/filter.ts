/** Which events are asked for: the link's query, in the words of the API. */

export interface Filter {
  readonly start?: string;
  readonly end?: string;
  readonly min_latitude?: number;
  readonly max_latitude?: number;
  readonly min_longitude?: number;
  readonly max_longitude?: number;
  readonly min_depth_km?: number;
  readonly max_depth_km?: number;
  readonly min_magnitude?: number;
  readonly max_magnitude?: number;
  readonly type?: readonly string[];
  readonly quality?: readonly string[];
  readonly status?: "automatic" | "manual";
  readonly text?: string;
  readonly catalogue?: false;
}

const NUMBERS = [
  "min_latitude", "max_latitude", "min_longitude", "max_longitude",
  "min_depth_km", "max_depth_km", "min_magnitude", "max_magnitude",
] as const;

export type NumberName = (typeof NUMBERS)[number];

/** What a link's query asks for; what it cannot mean is left out. */
export function readFilter(query: URLSearchParams): Filter {
  const found: Record<string, unknown> = {};
  for (const name of ["start", "end", "text"]) {
    const value = query.get(name);
    if (value) found[name] = value;
  }
  for (const name of NUMBERS) {
    const value = query.get(name);
    if (value !== null && value !== "" && Number.isFinite(Number(value))) found[name] = Number(value);
  }
  for (const name of ["type", "quality"]) {
    const value = query.get(name);
    if (value) found[name] = value.split(",");
  }
  const status = query.get("status");
  if (status === "automatic" || status === "manual") found["status"] = status;
  if (query.get("catalogue") === "false") found["catalogue"] = false;
  return found as Filter;
}

/** The same as texts of a link; "" for what is not limited. */
export function filterText(filter: Filter): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const name of ["start", "end", ...NUMBERS, "type", "quality", "status", "text", "catalogue"] as const) {
    const value = filter[name];
    texts[name] = value === undefined ? "" : Array.isArray(value) ? value.join(",") : String(value);
  }
  return texts;
}

/** A number of four decimals at most, as places in links need. */
export function rounded(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}

/** A time as the API takes it; undefined for none. */
export function isoFrom(text: string): string | undefined {
  const match = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d)(?::(\d\d))?(?::(\d\d(?:\.\d+)?))?)?Z?$/.exec(text.trim());
  if (!match) return undefined;
  return `${match[1]}T${match[2] ?? "00"}:${match[3] ?? "00"}:${match[4] ?? "00"}Z`;
}
