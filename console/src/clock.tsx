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
