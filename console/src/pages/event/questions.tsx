/** What is asked of an analyst before something is done: a comment, another event, some picks. */
import { useEffect, useRef, useState } from "preact/hooks";
import { answerOf, GET } from "../../api/client";
import { useAsk } from "../../api/ask";
import { isoOf, numberText, secondsOf, timeText } from "../../format";
import { comment, merge, split } from "./review";
import { station, stored, type EventAnswer } from "./state";

export function CommentForm({ event, done }: { readonly event: EventAnswer; readonly done: () => void }) {
  const [text, setText] = useState(event.comment);
  const form = useFocused();
  return (
    <form ref={form} class="wide" onSubmit={(e) => { e.preventDefault(); void closeIf(comment(text), done); }} onKeyDown={closeBy(done)}>
      <textarea
        rows={2} maxLength={10000} value={text} aria-label="Comment" title="Ctrl and Enter save it"
        onInput={(e) => setText(e.currentTarget.value)}
        onKeyDown={(e) => { if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) form.current?.requestSubmit(); }}
      />
      <button class="primary" type="submit">Save comment</button>
    </form>
  );
}

/** A form whose first field has the focus when it is opened. */
function useFocused(isComplete = true) {
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => { form.current?.querySelector<HTMLElement>("textarea, input, button")?.focus(); }, [isComplete]);
  return form;
}

function closeBy(done: () => void): (event: KeyboardEvent) => void {
  return (event) => { if (event.key === "Escape") done(); };
}

/** What was refused stays open, so that nothing that was written is lost. */
async function closeIf(isDone: Promise<boolean>, close: () => void): Promise<void> {
  if (await isDone) close();
}

/** Another event of about the same time, to be taken into this one. */
export function MergeForm({ event, done }: { readonly event: EventAnswer; readonly done: () => void }) {
  const asked = useAsk((signal) => near(event, signal), [event.id, event.version]);
  const found = asked.value ?? [];
  const form = useFocused(asked.value !== null);
  return (
    <form ref={form} class="wide" onSubmit={(e) => e.preventDefault()} onKeyDown={closeBy(done)}>
      {asked.problem ? <span class="bad" role="alert">{asked.problem}</span> : null}
      {asked.value && !found.length ? <span class="quiet" role="status">No other event within two minutes.</span> : null}
      {found.map((other) => (
        <button key={other.id} type="button" onClick={() => { void closeIf(merge(other.id, other.version), done); }}>
          Take in {other.text}
        </button>
      ))}
    </form>
  );
}

const NEAR_S = 120;

async function near(event: EventAnswer, signal: AbortSignal): Promise<{ id: string; version: number; text: string }[]> {
  const time = secondsOf(event.time);
  const list = await answerOf(GET("/api/events", {
    // Those that are not located too: what was split off by mistake may be among them.
    params: { query: { start: isoOf(time - NEAR_S), end: isoOf(time + NEAR_S), catalogue: false, limit: 20 } },
    signal,
  }));
  return list.items.filter((line) => line.id !== event.id && line.event_type !== "not existing").map((line) => ({
    id: line.id,
    version: line.version,
    text: `${timeText(secondsOf(line.time), 0).slice(11)} ${line.latitude === null ? "not located" : `M ${numberText(line.magnitude, 1)}`}`,
  }));
}

/** Picks that are to be another event's. */
export function SplitForm({ done }: { readonly done: () => void }) {
  const [ids, setIds] = useState<readonly string[]>([]);
  const picks = stored.value?.picks ?? [];
  const form = useFocused();
  const toggle = (id: string): void => setIds(ids.includes(id) ? ids.filter((i) => i !== id) : [...ids, id]);
  return (
    <form ref={form} class="wide" onSubmit={(e) => { e.preventDefault(); void closeIf(split([...ids]), done); }} onKeyDown={closeBy(done)}>
      <fieldset>
        <legend>Picks of the new event</legend>
        {picks.map((pick) => (
          <label key={pick.id} class={pick.station === station.value ? "strong" : ""}>
            <input type="checkbox" checked={ids.includes(pick.id)} onChange={() => toggle(pick.id)} /> {pick.station} {pick.phase}
          </label>
        ))}
      </fieldset>
      <button class="primary" type="submit" disabled={!ids.length || ids.length === picks.length}>Split</button>
    </form>
  );
}
