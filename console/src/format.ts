/** Numbers and times as text. Times are seconds since 1970 or ISO strings, always UTC. */

const MINUS = "\u2212";
const THIN = "\u2009";

/** Seconds since 1970 of an ISO time; a time without a zone is UTC. NaN where it is none. */
export function secondsOf(iso: string): number {
  const match = /^(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:?\d\d)?$/.exec(iso.trim());
  if (!match) return Date.parse(/Z|[+-]\d\d:?\d\d$/.test(iso) ? iso : `${iso}Z`) / 1000;
  const whole = Date.parse(`${(match[1] as string).replace(" ", "T")}${match[3] ?? "Z"}`) / 1000;
  return whole + Number(match[2] ?? 0);
}

/** ISO time with microseconds and Z; the form in which times are sent. */
export function isoOf(seconds: number): string {
  let whole = Math.floor(seconds);
  let micro = Math.round((seconds - whole) * 1e6);
  if (micro === 1e6) {
    whole += 1;
    micro = 0;
  }
  const text = new Date(whole * 1000).toISOString().slice(0, 19);
  return `${text}.${String(micro).padStart(6, "0")}Z`;
}

/** Date and time to a number of decimals of the second, as 2026-11-26 14:02:31.4. */
export function timeText(seconds: number, decimals = 1): string {
  if (!Number.isFinite(seconds)) return "";
  const factor = 10 ** decimals;
  const text = isoOf(Math.round(seconds * factor) / factor);
  return `${text.slice(0, 10)} ${text.slice(11, decimals ? 20 + decimals : 19)}`;
}

/** Time of day, as 14:02:31. */
export function clockText(seconds: number, decimals = 0): string {
  return timeText(seconds, decimals).slice(11);
}

/** A number with a true minus sign; "–" where there is none. */
export function numberText(value: number | null | undefined, decimals: number): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "\u2013";
  const text = Math.abs(value).toFixed(decimals);
  return value < 0 && Number(text) !== 0 ? MINUS + text : text;
}

/** A number with its sign, zero without. */
export function signedText(value: number | null | undefined, decimals: number): string {
  const text = numberText(value, decimals);
  return value !== null && value !== undefined && value > 0 && Number(text) !== 0 ? `+${text}` : text;
}

/** A depth with its unit, as 12.9 km. */
export function depthText(depth_km: number | null | undefined): string {
  const text = numberText(depth_km, 1);
  return text === numberText(null, 1) ? text : `${text}${THIN}km`;
}

/** Latitude and longitude, as 38.214° N 21.730° E. */
export function placeText(latitude: number, longitude: number, decimals = 3): string {
  const side = (value: number, plus: string, minus: string): string =>
    `${Math.abs(value).toFixed(decimals)}°${THIN}${value < 0 ? minus : plus}`;
  return `${side(latitude, "N", "S")} ${side(longitude, "E", "W")}`;
}

/** How long ago, in one unit: 12 s, 4 min, 3 h, 8 d. */
export function ageText(seconds: number): string {
  if (!Number.isFinite(seconds)) return "\u2013";
  const size = Math.abs(seconds);
  const [value, unit] =
    size < 100 ? [size, "s"]
    : size < 5400 ? [size / 60, "min"]
    : size < 172800 ? [size / 3600, "h"]
    : [size / 86400, "d"];
  return `${seconds < 0 ? MINUS : ""}${value.toFixed(value < 10 && unit !== "s" ? 1 : 0)}${THIN}${unit}`;
}

/** A count with thin spaces between thousands. */
export function countText(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, THIN);
}
