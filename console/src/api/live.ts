/** What happens, as it happens: the server's events, and whether they still come. */
import { signal } from "@preact/signals";
import { BASE, type Schemas } from "./client";

export const connection = signal<"idle" | "waiting" | "live" | "lost">("idle");

/** By kind, what a message holds. */
export interface Messages {
  readonly start: Schemas["LiveStart"];
  readonly events: Schemas["LiveEvents"];
  readonly picks: Schemas["LivePicks"];
  readonly stations: Schemas["LiveStations"];
  readonly waveform: Schemas["LiveWaveform"];
  readonly probabilities: Schemas["LiveProbabilities"];
}

export type Handlers = { readonly [Kind in keyof Messages]?: (message: Messages[Kind]) => void };

export interface Wanted {
  readonly sensors: readonly string[];
  /** Letters of the components; all if none is named. */
  readonly components?: readonly string[];
  /** Length of the steps that traces and curves come in; every sample if left out. */
  readonly step_s?: number;
  readonly low_hz?: number;
  readonly high_hz?: number;
}

const AGAIN_MS = 3000;

/** Listen until the returned function is called; a broken connection is taken up where it broke. */
export function listen(wanted: Wanted, handlers: Handlers): () => void {
  let source: EventSource | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let cursor = "";
  let closed = false;

  const open = (): void => {
    connection.value = connection.peek() === "lost" ? "lost" : "waiting";
    source = new EventSource(`${BASE}/api/live?${queryOf(wanted, cursor)}`);
    source.onerror = () => {
      connection.value = "lost";
      // The browser tries again by itself, unless the server refused.
      if (source?.readyState === EventSource.CLOSED && !closed) timer = setTimeout(open, AGAIN_MS);
    };
    source.onopen = () => { connection.value = "live"; };
    for (const kind of Object.keys(handlers) as (keyof Messages)[]) {
      source.addEventListener(kind, (event: MessageEvent<string>) => {
        if (event.lastEventId) cursor = event.lastEventId;
        (handlers[kind] as (message: unknown) => void)(JSON.parse(event.data));
      });
    }
  };
  open();
  return () => {
    closed = true;
    clearTimeout(timer);
    source?.close();
    connection.value = "idle";
  };
}

function queryOf(wanted: Wanted, cursor: string): string {
  const query = new URLSearchParams();
  for (const sensor of wanted.sensors) query.append("sensor", sensor);
  for (const component of wanted.components ?? []) query.append("component", component);
  if (wanted.step_s) query.set("step_s", String(wanted.step_s));
  if (wanted.low_hz) query.set("low_hz", String(wanted.low_hz));
  if (wanted.high_hz) query.set("high_hz", String(wanted.high_hz));
  if (cursor) query.set("since", cursor);
  return query.toString();
}
