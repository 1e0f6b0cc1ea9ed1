/** Judging: what is asked of the server, and what becomes of its answers. */
import { computed, signal } from "@preact/signals";
import { answerOf, POST, Refusal, type Schemas } from "../../api/client";
import { session } from "../../api/session";
import { tell, warn } from "../../notices";
import { go, hashOf } from "../../route";
import { actionsOf, draftOf, type Action } from "./draft";
import { draft, isChanged, load, outlook, previewing, reloadSection, show, stored, type EventAnswer } from "./state";

/** Whether the visitor may judge. */
export const canReview = computed(() => session.value?.features.review ?? false);
export const saving = signal(false);
/** What the draft would change, in words. */
export const changes = computed(() => outlook.value?.changes ?? []);

/** What is being asked of the analyst. */
export type Question = "" | "comment" | "merge" | "split";
export const question = signal<Question>("");

/** Open a question, or close it where it is open. */
export function toggleQuestion(wanted: Question): void {
  question.value = question.peek() === wanted ? "" : wanted;
}

let newest = 0;

/** Ask what the draft comes to; only the newest question's answer counts. */
export function updatePreview(): void {
  const event = stored.peek();
  if (!event) return;
  const number = ++newest;
  const actions = actionsOf(draft.peek());
  if (!actions.length) {
    outlook.value = null;
    previewing.value = false;
    return;
  }
  previewing.value = true;
  judge(event, actions, true).then(
    (answer) => {
      if (number !== newest) return;
      outlook.value = answer;
      previewing.value = false;
    },
    (error: unknown) => {
      if (number !== newest) return;
      previewing.value = false;
      warn(error);
    },
  );
}

function judge(event: EventAnswer, actions: Action[], isPreview: boolean): Promise<Schemas["ReviewAnswer"]> {
  return answerOf(POST("/api/events/{event_id}/review", {
    params: { path: { event_id: event.id } },
    body: { base_version: event.version, actions, preview: isPreview },
  }));
}

/** Do something that makes a new version, and show it. */
async function make(what: string, ask: () => Promise<Schemas["ReviewAnswer"]>): Promise<Schemas["ReviewAnswer"] | null> {
  if (saving.peek()) return null;
  saving.value = true;
  newest += 1;
  try {
    const answer = await ask();
    show(answer.event);
    previewing.value = false;
    reloadSection();
    tell(`${what}: version ${answer.event.version}`);
    return answer;
  } catch (error) {
    warn(error);
    // Somebody else was quicker: look at what they made of it.
    const id = stored.peek()?.id;
    if (error instanceof Refusal && error.status === 409 && id) await load(id);
    return null;
  } finally {
    saving.value = false;
  }
}

/** Save the draft's picks, and whatever else is decided with them; tells whether it was done. */
export async function save(also: readonly Action[] = [], what = "Saved"): Promise<boolean> {
  const event = stored.peek();
  const actions = [...actionsOf(draft.peek()), ...also];
  if (!event || !actions.length || !canReview.peek()) return false;
  return (await make(what, () => judge(event, actions, false))) !== null;
}

export function confirmEvent(): Promise<boolean> {
  return save([{ kind: "confirm" }], "Confirmed");
}

export function rejectEvent(): Promise<boolean> {
  return save([{ kind: "reject" }], "Rejected");
}

export type EventType = Schemas["EventType"];

export function setType(event_type: EventType): Promise<boolean> {
  return save([{ kind: "set_type", event_type }], "Type set");
}

export function comment(text: string): Promise<boolean> {
  return save([{ kind: "comment", text }], "Comment saved");
}

/** Forget what is not saved. */
export function discard(): void {
  const event = stored.peek();
  if (!event) return;
  draft.value = draftOf(event.picks);
  updatePreview();
}

/** Take back what is not saved, or else what was saved last. */
export async function undo(): Promise<void> {
  const event = stored.peek();
  if (!event || !canReview.peek()) return;
  if (isChanged.peek()) {
    discard();
    return;
  }
  await make("Taken back", () => answerOf(POST("/api/events/{event_id}/undo", {
    params: { path: { event_id: event.id } },
    body: { base_version: event.version },
  })));
}

/** Make one event of this one and another. */
export async function merge(id: string, version: number): Promise<boolean> {
  const event = stored.peek();
  if (!event) return false;
  const answer = await make(`Merged with ${id}`, () => answerOf(POST("/api/events/merge", {
    body: { events: [{ id: event.id, base_version: event.version }, { id, base_version: version }], preview: false },
  })));
  return answer !== null;
}

/** Make a new event of some of the picks, and go there. */
export async function split(pick_ids: string[]): Promise<boolean> {
  const event = stored.peek();
  if (!event) return false;
  const answer = await make("Split", () => answerOf(POST("/api/events/{event_id}/split", {
    params: { path: { event_id: event.id } },
    body: { base_version: event.version, pick_ids, preview: false },
  })));
  const other = answer?.others[0];
  if (other) go(hashOf("event", other.id));
  return answer !== null;
}

