/** The time, in UTC, and whether what is shown is live. */
import { useEffect, useState } from "preact/hooks";
import { connection } from "./api/live";
import { session } from "./api/session";
import { timeText } from "./format";

export function Clock() {
  const [now, setNow] = useState(Date.now() / 1000);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now() / 1000), 1000);
    return () => clearInterval(timer);
  }, []);
  const words = { live: session.value?.features.live ? "live" : "connected", waiting: "connecting", lost: "connection lost", idle: "" }[connection.value];
  return (
    <span class="clock">
      <time>{timeText(Math.floor(now), 0)}</time> UTC{" "}
      <span class={connection.value === "lost" ? "bad" : "quiet"}>{words}</span>
    </span>
  );
}

/** How long [ms] a connection may be lost before more is made of it than a word. */
const PATIENCE_MS = 4000;

/** Says that what is shown is old, and since when. */
export function Lost() {
  const [since, setSince] = useState("");
  const lost = connection.value === "lost";
  useEffect(() => {
    setSince("");
    if (!lost) return;
    const began = timeText(Date.now() / 1000, 0).slice(11);
    const timer = setTimeout(() => setSince(began), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [lost]);
  return since ? <p class="lost" role="alert">The server does not answer since {since} UTC. What is shown is from before; it goes on by itself.</p> : null;
}
