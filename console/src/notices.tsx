/** What went wrong or was done, told once at the foot of the page and to screen readers. */
import { signal } from "@preact/signals";

interface Notice {
  readonly number: number;
  readonly text: string;
  readonly bad: boolean;
}

const SHOWN_MS = 8000;
const notices = signal<readonly Notice[]>([]);
let last = 0;

function add(text: string, bad: boolean): void {
  if (notices.value.some((notice) => notice.text === text)) return;
  const number = ++last;
  notices.value = [...notices.value.slice(-2), { number, text, bad }];
  setTimeout(() => drop(number), SHOWN_MS);
}

function drop(number: number): void {
  notices.value = notices.value.filter((notice) => notice.number !== number);
}

/** Say that something was done. */
export function tell(text: string): void {
  add(text, false);
}

/** Say that something went wrong. */
export function warn(problem: unknown): void {
  if (problem instanceof DOMException && problem.name === "AbortError") return;
  add(problem instanceof Error ? problem.message : String(problem), true);
}

export function Notices() {
  return (
    <div class="notices" role="status" aria-live="polite">
      {notices.value.map((notice) => (
        <p key={notice.number} class={notice.bad ? "notice bad" : "notice"}>
          {notice.text} <button class="plain" aria-label="Dismiss" onClick={() => drop(notice.number)}>×</button>
        </p>
      ))}
    </div>
  );
}
