/** What is known of the event in one line, and what can be done to it. */
import { useState } from "preact/hooks";
import { numberText, placeText, secondsOf, timeText } from "../../format";
import { neighbour } from "../../list";
import { hashOf } from "../../route";
import { typeText } from "../../words";
import { EVENT_TYPES } from "../catalogue/filterbar";
import {
  canReview, changes, comment, confirmEvent, discard, merge, rejectEvent, save, saving, setType, split, undo,
  type EventType,
} from "./review";
import { chosenPick, draft, isChanged, previewing, shown, station, stored, type EventAnswer } from "./state";
import { keyOf } from "./draft";

export function Head() {
  const event = shown.value;
  if (!event) return <section class="panel at-head" aria-busy="true" />;
  const magnitude = event.magnitudes.find((m) => m.magnitude !== null);
  const origin = event.origin;
  return (
    <section class="panel at-head" aria-label="Event">
      <div class="what">
        <h1>
          {magnitude ? <span class="magnitude">{magnitude.type} {numberText(magnitude.magnitude, 1)}</span> : null}{" "}
          {typeText(event.event_type)}{" "}
          <time>{timeText(secondsOf(event.time), 2)}</time> UTC
        </h1>
        <Facts event={event} />
        <Steps id={event.id} />
      </div>
      {canReview.value ? <Actions event={event} /> : null}
      {isChanged.value ? <Unsaved /> : null}
      {origin ? null : <p class="late">Not located: {event.unlocated_reason}</p>}
    </section>
  );
}

function Facts({ event }: { readonly event: EventAnswer }) {
  const origin = event.origin;
  const magnitude = event.magnitudes[0];
  const facts: [string, string][] = [];
  if (origin) {
    facts.push(
      ["", `${placeText(origin.latitude, origin.longitude)} ± ${numberText(origin.ellipse.semi_major_km, 1)} km`],
      ["depth", origin.depth_fixed
        ? `${numberText(origin.depth_km, 1)} km, fixed`
        : `${numberText(origin.depth_km, 1)} ± ${numberText(origin.depth_uncertainty_km, 1)} km`],
      ["quality", origin.quality],
      ["rms", `${numberText(origin.rms_s, 2)} s`],
      ["gap", `${numberText(origin.azimuthal_gap_deg, 0)}°`],
      ["used", `${origin.n_p} P, ${origin.n_s} S`],
    );
  }
  if (magnitude?.uncertainty) facts.push(["σ M", numberText(magnitude.uncertainty, 2)]);
  facts.push(["version", `${event.version}${event.version < event.current_version ? ` of ${event.current_version}` : ""}`]);
  facts.push(["", event.evaluation_mode === "manual" ? `judged${event.author ? ` by ${event.author}` : ""}` : "automatic"]);
  return (
    <ul class="facts-line" aria-live="polite">
      {facts.map(([name, value]) => <li key={name + value}>{name ? <span class="quiet">{name} </span> : null}{value}</li>)}
    </ul>
  );
}

function Steps({ id }: { readonly id: string }) {
  const [before, after] = [neighbour(id, -1), neighbour(id, 1)];
  return (
    <span class="steps">
      {before ? <a class="button" href={hashOf("event", before)} title="Event before in the list (key K)">‹</a> : null}
      {after ? <a class="button" href={hashOf("event", after)} title="Next event of the list (key J)">›</a> : null}
    </span>
  );
}

function Unsaved() {
  return (
    <div class="unsaved" role="status">
      <strong>Not saved</strong>
      <span>{previewing.value ? "locating…" : changes.value.join(" · ") || "no effect"}</span>
      <button class="primary" disabled={saving.value} onClick={() => { void save(); }}>Save</button>
      <button onClick={discard}>Discard</button>
    </div>
  );
}

type Dialog = "" | "comment" | "merge" | "split";

function Actions({ event }: { readonly event: EventAnswer }) {
  const [dialog, setDialog] = useState<Dialog>("");
  const busy = saving.value;
  const old = event.version < event.current_version;
  return (
    <div class="actions" role="toolbar" aria-label="Judge">
      <label>
        <span class="quiet">Type </span>
        <select value={event.event_type} disabled={busy || old} onChange={(e) => { void setType(e.currentTarget.value as EventType); }}>
          {EVENT_TYPES.map((type) => <option key={type} value={type}>{type}</option>)}
        </select>
      </label>
      <button disabled={busy || old} onClick={() => { void confirmEvent(); }} title="Enter">Confirm</button>
      <button disabled={busy || old} onClick={() => { void rejectEvent(); }} title="X">Reject</button>
      <button disabled={busy || (event.version < 2 && !isChanged.value)} onClick={() => { void undo(); }} title="Z">Undo</button>
      <button aria-expanded={dialog === "comment"} onClick={() => setDialog(dialog === "comment" ? "" : "comment")}>Comment</button>
      <button aria-expanded={dialog === "merge"} onClick={() => setDialog(dialog === "merge" ? "" : "merge")}>Merge</button>
      <button aria-expanded={dialog === "split"} onClick={() => setDialog(dialog === "split" ? "" : "split")}>Split</button>
      <PickActions />
      {dialog === "comment" ? <CommentForm event={event} done={() => setDialog("")} /> : null}
      {dialog === "merge" ? <MergeForm event={event} done={() => setDialog("")} /> : null}
      {dialog === "split" ? <SplitForm done={() => setDialog("")} /> : null}
    </div>
  );
}

function PickActions() {
  const pick = draft.value.find((p) => keyOf(p) === chosenPick.value);
  if (!pick) return null;
  return (
    <span class="quiet">
      {pick.phase} at {pick.station}: {timeText(pick.time_s, 3).slice(11)} ± {numberText(pick.uncertainty_s, 2)} s
    </span>
  );
}

function CommentForm({ event, done }: { readonly event: EventAnswer; readonly done: () => void }) {
  const [text, setText] = useState(event.comment);
  return (
    <form class="wide" onSubmit={(e) => { e.preventDefault(); void comment(text).then(done); }}>
      <textarea rows={2} maxLength={10000} value={text} aria-label="Comment" onInput={(e) => setText(e.currentTarget.value)} />
      <button class="primary" type="submit">Save comment</button>
    </form>
  );
}

/** Another event of about the same time, to be taken into this one. */
function MergeForm({ event, done }: { readonly event: EventAnswer; readonly done: () => void }) {
  const [found, setFound] = useState<readonly { id: string; version: number; text: string }[] | null>(null);
  if (found === null) {
    void near(event).then(setFound);
    return <span class="quiet">looking…</span>;
  }
  if (!found.length) return <span class="wide quiet">No other event within two minutes.</span>;
  return (
    <span class="wide">
      {found.map((other) => (
        <button key={other.id} onClick={() => { void merge(other.id, other.version).then(done); }}>Take in {other.text}</button>
      ))}
    </span>
  );
}

const NEAR_S = 120;

async function near(event: EventAnswer): Promise<{ id: string; version: number; text: string }[]> {
  const { answerOf, GET } = await import("../../api/client");
  const { isoOf } = await import("../../format");
  const time = secondsOf(event.time);
  const list = await answerOf(GET("/api/events", {
    params: { query: { start: isoOf(time - NEAR_S), end: isoOf(time + NEAR_S), limit: 20 } },
  }));
  return list.items.filter((line) => line.id !== event.id).map((line) => ({
    id: line.id,
    version: line.version,
    text: `${timeText(secondsOf(line.time), 0).slice(11)} M ${numberText(line.magnitude, 1)}`,
  }));
}

/** Picks that are to be another event's. */
function SplitForm({ done }: { readonly done: () => void }) {
  const [ids, setIds] = useState<readonly string[]>([]);
  const picks = stored.value?.picks ?? [];
  const toggle = (id: string): void => setIds(ids.includes(id) ? ids.filter((i) => i !== id) : [...ids, id]);
  return (
    <form class="wide" onSubmit={(e) => { e.preventDefault(); void split([...ids]).then(done); }}>
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
