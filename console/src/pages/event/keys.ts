/** Keys of the event's page; the help lists them. */
import { useEffect } from "preact/hooks";
import { helpShown, typing } from "../../help";
import { neighbour } from "../../list";
import { go, hashOf, refine } from "../../route";
import { deleted, keyOf, moved, picked, weighted, type DraftPick } from "./draft";
import { TYPE_FIELD } from "./head";
import { canReview, confirmEvent, rejectEvent, toggleQuestion, undo, updatePreview } from "./review";
import {
  chooseStation, chosenPick, draft, FILTERS, filterNumber, isChanged, pointer, section, station, stored,
} from "./state";
import { viewOf, zoom } from "./view";

/** One sample at 100 Hz [s]. */
const NUDGE_S = 0.01;

/** Listen while the page is shown. */
export function useKeys(): void {
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (typing(event) || helpShown.value || (event.target as HTMLElement).closest("dialog, .maplibregl-map")) return;
      if (act(event.key, event.shiftKey, event.target as HTMLElement)) event.preventDefault();
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, []);
}

/** True where the key meant something. */
function act(key: string, shift: boolean, target: HTMLElement): boolean {
  return looking(key) || (canReview.peek() && (judging(key, target) || picking(key, shift)));
}

function looking(key: string): boolean {
  switch (key) {
    case "j": return step(1);
    case "k": return step(-1);
    case "n": return stepStation(1);
    case "b": return stepStation(-1);
    case "f": refine({ filter: (filterNumber.peek() + 1) % FILTERS.length || "" }); return true;
    case "+": zoom(0.6); return true;
    case "-": zoom(1.67); return true;
    case "Escape": chosenPick.value = ""; return true;
    default: return false;
  }
}

function step(by: number): boolean {
  const id = neighbour(stored.peek()?.id ?? "", by);
  if (id && !isChanged.peek()) go(hashOf("event", id));
  return true;
}

function stepStation(by: number): boolean {
  const codes = (section.peek()?.items ?? []).map((line) => line.station);
  const code = codes[codes.indexOf(station.peek()) + by];
  if (code) chooseStation(code);
  return true;
}

function judging(key: string, target: HTMLElement): boolean {
  switch (key) {
    case "Enter":
      if (target.closest("button, a, summary")) return false;
      void confirmEvent();
      return true;
    case "x": void rejectEvent(); return true;
    case "z": void undo(); return true;
    case "r": updatePreview(); return true;
    case "c": toggleQuestion("comment"); return true;
    case "m": toggleQuestion("merge"); return true;
    case "d": toggleQuestion("split"); return true;
    case "t": document.getElementById(TYPE_FIELD)?.focus(); return true;
    default: return false;
  }
}

function change(next: readonly DraftPick[]): boolean {
  draft.value = next;
  updatePreview();
  return true;
}

function picking(key: string, shift: boolean): boolean {
  const upper = key.toUpperCase();
  if (upper === "P" || upper === "S") return addAtPointer(upper);
  const chosen = draft.peek().find((pick) => keyOf(pick) === chosenPick.peek() && !pick.deleted);
  if (!chosen) return false;
  const name = keyOf(chosen);
  const by = NUDGE_S * (shift ? 10 : 1);
  switch (key) {
    case "ArrowLeft": return change(moved(draft.peek(), name, chosen.time_s - by));
    case "ArrowRight": return change(moved(draft.peek(), name, chosen.time_s + by));
    case "Delete":
    case "Backspace":
      chosenPick.value = "";
      return change(deleted(draft.peek(), name));
    default:
      return /^[0-4]$/.test(key) ? change(weighted(draft.peek(), name, Number(key))) : false;
  }
}

/** A pick where the pointer is. */
function addAtPointer(phase: "P" | "S"): boolean {
  const at = pointer.peek();
  const view = viewOf();
  if (!at || !view || at.time_s < view.start_s || at.time_s > view.end_s) return false;
  const next = picked(draft.peek(), at.channel, phase, at.time_s);
  chosenPick.value = keyOf({ station: at.channel.split(".").slice(0, 2).join("."), phase });
  return change(next);
}
