/** The keys, and what the colours mean. */
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { DEEPEST_KM, depthColour } from "./draw/scale";

export const helpShown = signal(false);

const KEYS: readonly (readonly [string, string])[] = [
  ["?", "this help"],
  ["J  K", "next, previous event of the list"],
  ["N  B", "next, previous station of the event"],
  ["P  S", "add a P or S pick at the pointer"],
  ["← →", "move the chosen pick by a sample; with Shift by ten"],
  ["Del", "delete the chosen pick"],
  ["0 … 4", "weight of the chosen pick: 0 is full, 4 is not used"],
  ["+ −", "zoom in, out; the wheel does too"],
  ["F", "next filter"],
  ["R", "relocate with the picks as they are"],
  ["Enter", "confirm"],
  ["X", "reject"],
  ["T", "choose the type"],
  ["C", "comment"],
  ["M  D", "merge with another event, divide in two"],
  ["Z", "take back the last change"],
  ["Esc", "close, choose nothing"],
];

export function Help() {
  const dialog = useRef<HTMLDialogElement>(null);
  const shown = helpShown.value;
  useEffect(() => {
    if (shown && !dialog.current?.open) dialog.current?.showModal();
    if (!shown && dialog.current?.open) dialog.current.close();
  }, [shown]);
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.key === "?" && !typing(event)) helpShown.value = !helpShown.value;
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, []);
  return (
    <dialog ref={dialog} aria-label="Keys and colours" onClose={() => { helpShown.value = false; }}>
      <div class="help">
        <section>
          <h2>Keys</h2>
          <dl class="facts">
            {KEYS.map(([key, meaning]) => (
              <><dt>{key.split(" ").filter(Boolean).map((k) => <><kbd>{k}</kbd> </>)}</dt><dd>{meaning}</dd></>
            ))}
          </dl>
        </section>
        <section>
          <h2>Colours</h2>
          <Legend />
          <p class="quiet">Categories: Okabe &amp; Ito. Scales: viridis. Times are UTC.</p>
        </section>
        <button onClick={() => { helpShown.value = false; }}>Close</button>
      </div>
    </dialog>
  );
}

/** True where a key belongs to a field. */
export function typing(event: KeyboardEvent): boolean {
  const target = event.target as HTMLElement | null;
  return Boolean(target?.closest("input, select, textarea")) || event.ctrlKey || event.metaKey || event.altKey;
}

/** What marks and colours mean. */
export function Legend({ depthsOnly = false }: { readonly depthsOnly?: boolean }) {
  const depths = [0, 5, 10, 20, DEEPEST_KM];
  return (
    <ul class="legend">
      {depths.map((depth) => (
        <li key={depth}>
          <svg width="10" height="10" aria-hidden="true"><circle cx="5" cy="5" r="4.5" fill={depthColour(depth)} /></svg>
          {depth === DEEPEST_KM ? `≥ ${depth} km` : `${depth} km`}
        </li>
      ))}
      {depthsOnly ? null : (
        <>
          <li><span class="p">▏P</span></li>
          <li><span class="s">▏S</span></li>
          <li><span class="good">▲</span> on time</li>
          <li><span class="late">▲</span> late</li>
          <li><span class="bad">▲</span> no data</li>
          <li><span class="quiet">△</span> not recorded</li>
        </>
      )}
    </ul>
  );
}
