/** What became of a station over days: its ledger, how its data came, its gaps, noise and picks. */
import { useMemo } from "preact/hooks";
import { answerOf, GET, type Schemas } from "../../api/client";
import { useAsk } from "../../api/ask";
import { Chart, type Axis, type Line } from "../../draw/chart";
import { countText, isoOf, secondsOf, timeText } from "../../format";
import { markState } from "../../map/stations";
import { refine, route } from "../../route";
import { Choice, Lack, Panel } from "../../words";
import { CoverageLedger } from "./coverage";
import { statesOf } from "./spells";

type History = Schemas["HistoryAnswer"];
type View = "ledger" | "latency" | "gaps" | "noise" | "picks";

const VIEWS: readonly (readonly [View, string])[] = [
  ["ledger", "Ledger"], ["latency", "Latency"], ["gaps", "Gaps"], ["noise", "Noise"], ["picks", "Picks"],
];
const SPANS: readonly (readonly [string, string])[] = [["1", "Day"], ["7", "Week"], ["30", "30 days"]];
const USUAL_DAYS = "7";
const DAY_S = 86_400;
const POINTS = 300;

interface Props {
  readonly code: string;
  /** End of the day in view. */
  readonly end_s: number;
}

/** The panel. */
export function HistoryPanel({ code, end_s }: Props) {
  const { query } = route.value;
  const view = VIEWS.find(([name]) => name === query.get("history"))?.[0] ?? "ledger";
  const days = SPANS.find(([name]) => name === query.get("days"))?.[0] ?? USUAL_DAYS;
  const start_s = end_s - Number(days) * DAY_S;
  return (
    <Panel title="History" area="history" right={
      <>
        <Choice label="What of it" value={view} of={VIEWS} onChange={(value) => refine({ history: value === "ledger" ? "" : value })} />
        <label>
          <span class="hidden">How long</span>
          <select value={days} onChange={(e) => refine({ days: e.currentTarget.value === USUAL_DAYS ? "" : e.currentTarget.value })}>
            {SPANS.map(([value, words]) => <option key={value} value={value}>{words}</option>)}
          </select>
        </label>
      </>
    }>
      {view === "ledger"
        ? <CoverageLedger code={code} start_s={start_s} end_s={end_s} />
        : <Course code={code} start_s={start_s} end_s={end_s} view={view} />}
    </Panel>
  );
}

interface Drawn {
  readonly y: Axis;
  readonly lines: (history: History) => Line[];
}

/** Least delay [s] that the logarithmic axis of latencies shows. */
const LEAST_S = 0.01;

function delay(values: History["arrival_s"]): (number | null)[] {
  return values.map((value) => (value === null ? null : Math.max(value, LEAST_S)));
}

const DRAWN: Record<Exclude<View, "ledger">, Drawn> = {
  latency: {
    y: { label: "Delay [s]", log: true },
    lines: (h) => [
      { label: "age of the data", colour: "off", values: delay(h.data_age_s), kind: "steps" },
      { label: "behind", colour: "s", values: delay(h.behind_s), kind: "steps" },
      { label: "arrival", colour: "accent", values: delay(h.arrival_s), kind: "steps", width: 2 },
    ],
  },
  gaps: {
    y: { label: "Missing [%]" },
    lines: (h) => [{ label: "missing", colour: "late", values: h.gap_share.map((share) => (share === null ? null : 100 * share)), kind: "steps" }],
  },
  noise: {
    y: { label: "dB re 1 count" },
    lines: (h) => [{ label: "noise", colour: "accent", values: h.noise_db, kind: "steps" }],
  },
  picks: {
    y: { label: "Picks per hour" },
    lines: (h) => [{ label: "picks", colour: "accent", values: h.picks_per_hour, kind: "steps" }],
  },
};

const TIME: Axis = { label: "", time: true };

/** One quantity against time, and above it how the station did. */
function Course({ code, start_s, end_s, view }: { readonly code: string; readonly start_s: number; readonly end_s: number; readonly view: Exclude<View, "ledger"> }) {
  const asked = useAsk(
    (signal) => answerOf(GET("/api/stations/{code}/history", {
      params: { path: { code }, query: { start: isoOf(start_s), end: isoOf(end_s), points: POINTS } },
      signal,
    })),
    [code, start_s, end_s],
  );
  const history = asked.value;
  const { y, lines: linesOf } = DRAWN[view];
  const at = useMemo(() => (history ? history.state.map((_, i) => secondsOf(history.start) + i * history.step_s) : []), [history]);
  const lines = useMemo(() => (history ? linesOf(history) : []), [history, view]);
  if (!history) return <Lack asked={asked} empty="" />;
  if (lines.every((line) => Array.from(line.values).every((value) => value === null))) {
    return <p class="empty">{view === "gaps" ? "Nothing was analysed in this time." : "No monitor watched the station in this time."}</p>;
  }
  return (
    <>
      <Spells history={history} />
      <div class="body"><Chart label={`${y.label} of ${code} against time`} x={TIME} y={y} at={at} lines={lines} /></div>
      <p class="counts inset quiet">
        {view === "gaps"
          ? `${countText(history.gap_total)} ${history.gap_total === 1 ? "gap" : "gaps"} in the ledgers of its channels`
          : lines.map((line) => <span key={line.label}><span style={{ color: `var(--${line.colour})` }}>━</span> {line.label}</span>)}
      </p>
    </>
  );
}

const SHADES = { good: "good", late: "late", bad: "bad", plain: "off", off: "line" } as const;

/** A strip of the station's states. */
function Spells({ history }: { readonly history: History }) {
  const spells = statesOf(history.state);
  const worst = spells.filter(({ state }) => state !== "good").map(({ state }) => state);
  return (
    <div class="spells" role="img" aria-label={worst.length ? `States: ${[...new Set(worst)].join(", ")}, else on time` : "On time"}>
      {spells.map(({ state, first, count }) => (
        <span
          key={first} style={{ flex: count, background: state ? `var(--${SHADES[markState(state)]})` : "none" }}
          title={`${state ?? "not monitored"} from ${timeText(secondsOf(history.start) + first * history.step_s, 0)}`}
        />
      ))}
    </div>
  );
}
