/** What a page shows of a request: the newest answer, and what went wrong. */
import { useEffect, useState } from "preact/hooks";

export interface Asked<T> {
  /** The last answer; stays while the next one is on its way, so that nothing jumps. */
  readonly value: T | null;
  readonly problem: string;
  readonly waiting: boolean;
}

/** Ask anew whenever a dependency changes; null asks for nothing. Older answers are dropped. */
export function useAsk<T>(
  ask: ((signal: AbortSignal) => Promise<T>) | null,
  dependencies: readonly unknown[],
): Asked<T> {
  const [state, setState] = useState<Asked<T>>({ value: null, problem: "", waiting: ask !== null });
  useEffect(() => {
    if (!ask) {
      setState({ value: null, problem: "", waiting: false });
      return;
    }
    const abort = new AbortController();
    setState((old) => ({ ...old, waiting: true }));
    ask(abort.signal).then(
      (value) => {
        if (!abort.signal.aborted) setState({ value, problem: "", waiting: false });
      },
      (error: unknown) => {
        if (abort.signal.aborted) return;
        const problem = error instanceof Error ? error.message : String(error);
        setState((old) => ({ ...old, problem, waiting: false }));
      },
    );
    return () => abort.abort();
  }, dependencies);
  return state;
}
