/** The ledger of a station: how much of each hour was analysed, how much was not, and why. */
import { useMemo } from "preact/hooks";
import { answerOf, GET } from "../../api/client";
import { useAsk } from "../../api/ask";
import { Canvas } from "../../draw/canvas";
import { timeLabel } from "../../draw/chart";
import { multiples, timeStep } from "../../draw/scale";
import { ageText, isoOf, secondsOf } from "../../format";
import { colour } from "../../theme";
import { Lack } from "../../words";
import { sumsOf, type Line } from "./sums";

const HOUR_S = 3600;
const LEFT = 104;
/** Least room [px] for the label of a time. */
const ROOM = 72;
const BOTTOM = 16;
const ANALYSED = "analysed";

interface Props {
  readonly code: string;
  readonly start_s: number;
  readonly end_s: number;
}

/** The ledger between two instants, with its sums. */
export function CoverageLedger({ code, start_s, end_s }: Props) {
  const asked = useAsk(
    (signal) => answerOf(GET("/api/stations/{code}/coverage", { params: { path: { code }, query: { start: isoOf(start_s), end: isoOf(end_s) } }, signal })),
    [code, start_s, end_s],
  );
  const items = asked.value?.items ?? [];
  const sums = useMemo(() => sumsOf(items), [asked.value]);
  if (!items.length) return <Lack asked={asked} empty="Nothing was analysed in this time." />;
  return (
    <>
      <div class="body">
        <Canvas label="Coverage by channel and hour; the list below has the sums" draw={(pen, width, height) => drawLedger(pen, width, height, { items, start_s, end_s })} />
      </div>
      <ul class="counts inset" aria-label="Time by what became of it">
        {sums.map(([reason, seconds]) => (
          <li key={reason}><span class={reason === ANALYSED ? "good" : "late"}>■</span> {reason.replaceAll("_", " ")} {ageText(seconds)}</li>
        ))}
      </ul>
    </>
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
  drawTimes(pen, { start_s, end_s, scale, height });
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

/** Lines and labels at whole days, or at hours where a day or two are in view. */
function drawTimes(pen: CanvasRenderingContext2D, { start_s, end_s, scale, height }: { start_s: number; end_s: number; scale: number; height: number }): void {
  const step = timeStep(end_s - start_s, Math.max(1, ((end_s - start_s) * scale) / ROOM));
  pen.strokeStyle = colour("line");
  pen.fillStyle = colour("quiet");
  pen.textAlign = "left";
  pen.textBaseline = "alphabetic";
  for (const time of multiples(start_s, end_s - 1, step)) {
    const x = LEFT + (time - start_s) * scale;
    pen.strokeRect(Math.round(x) + 0.5, 0, 0, height - BOTTOM);
    pen.fillText(timeLabel(time, step), x + 3, height - 3);
  }
}
