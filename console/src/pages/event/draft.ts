/** An analyst's changes to an event's picks before they are saved, and the actions that they come to. */
import type { Schemas } from "../../api/client";
import { isoOf, secondsOf } from "../../format";

export type Phase = "P" | "S";
export type PickAnswer = Schemas["PickAnswer"];

/** A pick as it is to be; one a station and phase. */
export interface DraftPick {
  /** Of the stored pick; "" for one that was added. */
  readonly id: string;
  readonly channel: string;
  readonly sensor: string;
  readonly station: string;
  readonly phase: Phase;
  readonly time_s: number;
  readonly uncertainty_s: number;
  readonly is_manual: boolean;
  readonly probability: number | null;
  /** As stored; null for one that was added. */
  readonly stored: { readonly time_s: number; readonly uncertainty_s: number } | null;
  readonly deleted: boolean;
}

/** Standard deviation [s] of a pick of weight 0 to 4, after Diehl et al. (2009),
doi:10.1111/j.1365-246X.2009.04238.x; weight 4 leaves it without influence. */
export const WEIGHTS_S = [0.05, 0.1, 0.2, 0.4, 60] as const;

/** Of a pick that is set by hand: the server's own default. */
const SET_BY_HAND_S = WEIGHTS_S[0];
const SAME_S = 5e-7;

export function keyOf(pick: { readonly station: string; readonly phase: string }): string {
  return `${pick.station} ${pick.phase}`;
}

/** The stored picks, unchanged. */
export function draftOf(picks: readonly PickAnswer[]): DraftPick[] {
  return picks.map((pick) => {
    const [time_s, uncertainty_s] = [secondsOf(pick.time), pick.uncertainty_s ?? SET_BY_HAND_S];
    return {
      id: pick.id,
      channel: pick.channel,
      sensor: pick.sensor,
      station: pick.station,
      phase: pick.phase,
      time_s,
      uncertainty_s,
      is_manual: pick.evaluation_mode === "manual",
      probability: pick.probability,
      stored: { time_s, uncertainty_s },
      deleted: false,
    };
  });
}

function changed(draft: readonly DraftPick[], key: string, change: (pick: DraftPick) => DraftPick): DraftPick[] {
  return draft.map((pick) => (keyOf(pick) === key ? change(pick) : pick));
}

/** The draft with a pick at another time, set by hand. */
export function moved(draft: readonly DraftPick[], key: string, time_s: number): DraftPick[] {
  return changed(draft, key, (pick) => ({
    ...pick,
    time_s,
    uncertainty_s: pick.is_manual ? pick.uncertainty_s : SET_BY_HAND_S,
    is_manual: true,
    deleted: false,
  }));
}

/** The draft with a pick as sure as a weight says. */
export function weighted(draft: readonly DraftPick[], key: string, weight: number): DraftPick[] {
  const uncertainty_s = WEIGHTS_S[weight];
  if (uncertainty_s === undefined) throw new RangeError(`weight ${weight}; it must be 0 to 4`);
  return changed(draft, key, (pick) => ({ ...pick, uncertainty_s, is_manual: true }));
}

/** The draft without a pick; an added one is forgotten. */
export function deleted(draft: readonly DraftPick[], key: string): DraftPick[] {
  return changed(draft, key, (pick) => ({ ...pick, deleted: true })).filter((pick) => pick.stored || !pick.deleted);
}

/** The draft with a pick of a phase on a channel; the station's own is moved there if it has one. */
export function picked(draft: readonly DraftPick[], channel: string, phase: Phase, time_s: number): DraftPick[] {
  const station = channel.split(".").slice(0, 2).join(".");
  const key = keyOf({ station, phase });
  if (draft.some((pick) => keyOf(pick) === key)) return moved(draft, key, time_s);
  const added: DraftPick = {
    id: "",
    channel,
    sensor: channel.slice(0, -1),
    station,
    phase,
    time_s,
    uncertainty_s: SET_BY_HAND_S,
    is_manual: true,
    probability: null,
    stored: null,
    deleted: false,
  };
  return [...draft, added];
}

export type Action = Schemas["Review"]["actions"][number];

/** What the server is to do so that the stored picks become those of the draft. */
export function actionsOf(draft: readonly DraftPick[]): Action[] {
  return draft.flatMap((pick): Action[] => {
    const { stored, id, uncertainty_s } = pick;
    const time = isoOf(pick.time_s);
    if (!stored) return [{ kind: "add_pick", channel: pick.channel, phase: pick.phase, time, uncertainty_s }];
    if (pick.deleted) return [{ kind: "delete_pick", pick_id: id }];
    if (Math.abs(stored.time_s - pick.time_s) > SAME_S) return [{ kind: "move_pick", pick_id: id, time, uncertainty_s }];
    if (stored.uncertainty_s !== uncertainty_s) return [{ kind: "weight_pick", pick_id: id, uncertainty_s }];
    return [];
  });
}
