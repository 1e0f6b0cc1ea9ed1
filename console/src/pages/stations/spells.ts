/** Equal states that follow each other, as one. */
import type { Schemas } from "../../api/client";

type State = Schemas["HistoryAnswer"]["state"][number];

export interface Spell {
  readonly state: State;
  /** Of its steps, the place of the first, and how many there are. */
  readonly first: number;
  readonly count: number;
}

export function statesOf(states: readonly State[]): Spell[] {
  const spells: Spell[] = [];
  states.forEach((state, i) => {
    const last = spells.at(-1);
    if (last && last.state === state) spells[spells.length - 1] = { ...last, count: last.count + 1 };
    else spells.push({ state, first: i, count: 1 });
  });
  return spells;
}
