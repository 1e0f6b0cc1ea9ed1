/** Which rows of a day are worth a sheet. */
import type { Schemas } from "../../api/client";

/** So many rows are shown at least, so that a short record is not lost on the sheet of a day. */
const LEAST_ROWS = 12;

/** The rows that hold something, and those between and around them up to the least number. */
export function shownRows<Row extends Pick<Schemas["HelicorderRow"], "minimum">>(rows: readonly Row[]): Row[] {
  const filled = rows.flatMap((row, i) => (row.minimum.some((value) => value !== null) ? [i] : []));
  const [first, last] = [filled[0], filled.at(-1)];
  if (first === undefined || last === undefined) return [...rows];
  const spare = Math.max(0, LEAST_ROWS - (last - first + 1));
  const from = Math.max(0, Math.min(first - Math.floor(spare / 2), rows.length - (last - first + 1) - spare));
  return rows.slice(from, from + last - first + 1 + spare);
}
