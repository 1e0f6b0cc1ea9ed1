/** The ledger of a station: what was analysed of each hour, what was not, and why. */
import { useMemo } from "preact/hooks";
import { answerOf, GET } from "../../api/client";
import { useAsk } from "../../api/ask";
import { Canvas } from "../../draw/canvas";
import { ageText, isoOf, secondsOf, timeText } from "../../format";
import { colour } from "../../theme";
import { Lack, Panel } from "../../words";
import { sumsOf, type Line } from "./sums";

const HOUR_S = 3600;
const DAYS = 7;
const LEFT = 104;
const BOTTOM = 16;
const ANALYSED = "analysed";

/** A week that ends with the day in view. */
export function CoveragePanel({ code, end_s }: { readonly code: string; readonly end_s: number }) {
  const start_s = end_s - DAYS * 24 * HOUR_S;
  const asked = useAsk(
    (signal) => answerOf(GET("/api/stations/{code}/coverage", { params: { path: { code }, query: { start: isoOf(start_s), end: isoOf(end_s) } }, signal })),
    [code, end_s],
  );
  const items = asked.value?.items ?? [];
  const sums = useMemo(() => sumsOf(items), [asked.value]);
  return (
    <Panel title="Ledger of a week" area="coverage" right={<span class="quiet hint">height: seconds of the hour</span>}>
      {items.length ? (
        <>
          <div class="body">
            <Canvas label="Coverage by channel and hour; the list below has the sums" draw={(pen, width, height) => drawLedger(pen, width, height, { items, start_s, end_s })} />
          </div>
          <ul class="counts inset">
            {sums.map(([reason, seconds]) => (
              <li key={reason}><span class={reason === ANALYSED ? "good" : "late"}>■</span> {reason.replaceAll("_", " ")} {ageText(seconds)}</li>
            ))}
          </ul>
        </>
      ) : <Lack asked={asked} empty="Nothing was analysed in this week." />}
    </Panel>
  );
}

interface Ledger {
  readonly items: readonly Line[];
  readonly start_s: number;
  readonly end_s: number;
}

function drawLedger(pen: CanvasRenderingContext2D, width: number, height: number, { items, start_s, end_s }: Ledger): void {
  const channels = [...new Set(items.map((line) => line.channel))].sort();
  const pitch = (height - BOTTOM) / channels.length;
  const scale = (width - LEFT - 4) / (end_s - start_s);
  const tall = Math.min(pitch - 4, 60);
  pen.font = "11px system-ui, sans-serif";
  drawDays(pen, { start_s, end_s, scale, height });
  channels.forEach((channel, i) => {
    const floor = i * pitch + (pitch + tall) / 2;
    pen.fillStyle = colour("ink");
    pen.textAlign = "left";
    pen.textBaseline = "middle";
    pen.fillText(channel, 6, floor - tall / 2, LEFT - 10);
    const filled = new Map<string, number>();
    const mine = items.filter((line) => line.channel === channel);
    // What was analysed stands below what was not.
    for (const line of [...mine.filter((l) => l.reason === ANALYSED), ...mine.filter((l) => l.reason !== ANALYSED)]) {
      const before = filled.get(line.hour) ?? 0;
      const x = LEFT + (secondsOf(line.hour) - start_s) * scale;
      pen.fillStyle = colour(line.reason === ANALYSED ? "good" : "late");
      const size = (line.seconds / HOUR_S) * tall;
      pen.fillRect(x, floor - (before / HOUR_S) * tall - size, Math.max(HOUR_S * scale - 0.5, 1), size);
      filled.set(line.hour, before + line.seconds);
    }
    pen.strokeStyle = colour("line");
    pen.strokeRect(LEFT + 0.5, Math.round(floor - tall) + 0.5, (end_s - start_s) * scale, tall);
  });
}

function drawDays(pen: CanvasRenderingContext2D, { start_s, end_s, scale, height }: { start_s: number; end_s: number; scale: number; height: number }): void {
  pen.strokeStyle = colour("line");
  pen.fillStyle = colour("quiet");
  pen.textAlign = "center";
  pen.textBaseline = "alphabetic";
  for (let day = start_s; day < end_s; day += 24 * HOUR_S) {
    const x = LEFT + (day - start_s) * scale;
    pen.strokeRect(Math.round(x) + 0.5, 0, 0, height - BOTTOM);
    pen.fillText(timeText(day, 0).slice(5, 10), x + 12 * HOUR_S * scale, height - 2);
  }
}
