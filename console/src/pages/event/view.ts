/** The times that the traces of a sensor show; they stand in the link, relative to the origin time. */
import { secondsOf } from "../../format";
import { refine, route } from "../../route";
import { draft, originTime, pointer, section, station } from "./state";

const LEAST_S = 0.2;
const LONGEST_S = 3500;

/** The times in view: the link's, or all of the section. */
export function viewOf(): { start_s: number; end_s: number } | null {
  const found = section.value;
  if (!found) return null;
  const query = route.value.query;
  const [from, to] = [Number(query.get("from") ?? NaN), Number(query.get("to") ?? NaN)];
  if (to > from) return { start_s: originTime.value + from, end_s: originTime.value + to };
  return { start_s: secondsOf(found.start), end_s: secondsOf(found.end) };
}

/** Look at other times. */
export function look(start_s: number, end_s: number): void {
  const zero = originTime.peek();
  refine({ from: (start_s - zero).toFixed(3), to: (end_s - zero).toFixed(3) });
}

/** Zoom by a factor around an instant. */
export function zoom(factor: number, around?: number): void {
  const view = viewOf();
  if (!view) return;
  const centre = around ?? pointer.peek()?.time_s ?? (view.start_s + view.end_s) / 2;
  const left = (centre - view.start_s) * factor;
  const right = (view.end_s - centre) * factor;
  if (left + right >= LEAST_S && left + right <= LONGEST_S) look(centre - left, centre + right);
}

/** Show a few seconds around the picks of the station. */
export function zoomToPicks(): void {
  const times = draft.peek().filter((pick) => pick.station === station.peek() && !pick.deleted).map((pick) => pick.time_s);
  if (!times.length) return;
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const margin = Math.max((last - first) * 0.4, 1.5);
  look(first - margin, last + margin * 1.5);
}
