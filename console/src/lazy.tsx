/** Parts of the page that are fetched when they are first shown, so that the first paint is quick. */
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";

/** A component that stands in for one that `load` brings. */
export function lazy<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
  className = "",
): ComponentType<Props> {
  let found: ComponentType<Props> | null = null;
  return function Lazy(props: Props) {
    const [, setReady] = useState(found !== null);
    const [problem, setProblem] = useState("");
    useEffect(() => {
      if (found) return;
      load().then(
        (component) => {
          found = component;
          setReady(true);
        },
        () => setProblem("This part of the page could not be fetched; reload the page."),
      );
    }, []);
    if (found) {
      const Found = found;
      return <Found {...props} />;
    }
    return <div class={className} role={problem ? "alert" : undefined}>{problem}</div>;
  };
}
