/** Small parts that several pages share. */
import type { ComponentChildren } from "preact";
import type { Asked } from "./api/ask";

/** A titled part of a page. */
export function Panel(props: {
  readonly title: string;
  readonly area: string;
  readonly right?: ComponentChildren;
  readonly children: ComponentChildren;
}) {
  return (
    <section class={`panel at-${props.area}`} aria-label={props.title}>
      <header>
        <h2>{props.title}</h2>
        {props.right ? <div class="right">{props.right}</div> : null}
      </header>
      {props.children}
    </section>
  );
}

/** Why there is nothing to see: a problem, or words for emptiness. */
export function Lack({ asked, empty }: { readonly asked: Asked<unknown>; readonly empty: string }) {
  if (asked.problem) return <p class="empty bad" role="alert">{asked.problem}</p>;
  return asked.waiting ? <p class="empty waiting">loading…</p> : <p class="empty">{empty}</p>;
}

/** One of several, as buttons. */
export function Choice<T extends string>(props: {
  readonly label: string;
  readonly value: T;
  readonly of: readonly (readonly [T, string])[];
  readonly onChange: (value: T) => void;
}) {
  return (
    <span class="segmented" role="group" aria-label={props.label}>
      {props.of.map(([value, text]) => (
        <button key={value} aria-pressed={value === props.value} onClick={() => props.onChange(value)}>{text}</button>
      ))}
    </span>
  );
}

/** What an event is, in a word short enough for a table. */
export function typeText(eventType: string): string {
  return eventType === "not reported" ? "–" : eventType === "not existing" ? "noise" : eventType;
}
