/** What is known of the event in one line, and what can be done to it. */
import { useEffect } from "preact/hooks";
import { numberText, placeText, secondsOf, timeText } from "../../format";
import { neighbour } from "../../list";
import { hashOf } from "../../route";
import { typeText } from "../../words";
import { EVENT_TYPES } from "../catalogue/filterbar";
import {
  canReview, changes, confirmEvent, discard, question, rejectEvent, save, saving, setType, toggleQuestion, undo,
  type EventType, type Question,
} from "./review";
import { keyOf } from "./draft";
import { CommentForm, MergeForm, SplitForm } from "./questions";
import { chosenPick, draft, isChanged, previewing, shown, type EventAnswer } from "./state";

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

/** The keys find the choice of types by this. */
export const TYPE_FIELD = "event-type";

const QUESTIONS: readonly (readonly [Question, string, string])[] = [
  ["comment", "Comment", "C"],
  ["merge", "Merge", "M"],
  ["split", "Split", "D"],
];

function Actions({ event }: { readonly event: EventAnswer }) {
  const open = question.value;
  useEffect(() => { question.value = ""; }, [event.id]);
  const done = (): void => { question.value = ""; };
  const busy = saving.value;
  const old = event.version < event.current_version;
  return (
    <div class="actions" role="toolbar" aria-label="Judge">
      <label>
        <span class="quiet">Type </span>
        <select id={TYPE_FIELD} value={event.event_type} disabled={busy || old} onChange={(e) => { void setType(e.currentTarget.value as EventType); }}>
          {EVENT_TYPES.map((type) => <option key={type} value={type}>{type}</option>)}
        </select>
      </label>
      <button disabled={busy || old} onClick={() => { void confirmEvent(); }} title="Enter">Confirm</button>
      <button disabled={busy || old} onClick={() => { void rejectEvent(); }} title="X">Reject</button>
      <button disabled={busy || (event.version < 2 && !isChanged.value)} onClick={() => { void undo(); }} title="Z">Undo</button>
      {QUESTIONS.map(([name, words, key]) => (
        <button key={name} disabled={busy || old} aria-expanded={open === name} onClick={() => toggleQuestion(name)} title={key}>{words}</button>
      ))}
      <PickActions />
      {open === "comment" ? <CommentForm event={event} done={done} /> : null}
      {open === "merge" ? <MergeForm event={event} done={done} /> : null}
      {open === "split" ? <SplitForm done={done} /> : null}
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
