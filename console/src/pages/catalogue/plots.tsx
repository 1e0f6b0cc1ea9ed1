/** A catalogue in pictures: depth, time, magnitude, and how they are distributed. */
import { useMemo } from "preact/hooks";
import type { Schemas } from "../../api/client";
import { Chart, type Line } from "../../draw/chart";
import { depthColour, magnitudeRadius } from "../../draw/scale";
import { isoOf, numberText, secondsOf } from "../../format";
import { Panel } from "../../words";
import type { Filter } from "./filter";
import { inOrderOf, type Ordered } from "./order";

type Points = Schemas["EventPoints"];
type Statistics = Schemas["EventStatistics"];

function marks(points: Points, { index }: Ordered, values: readonly (number | null)[]): Line {
  const of = (i: number): number => index[i] as number;
  return {
    label: "events", colour: "ink", kind: "points",
    values: Array.from(index, (i) => values[i] ?? null),
    markColour: (i) => depthColour(points.depth_km[of(i)] ?? 0),
    markRadius: (i) => Math.min(magnitudeRadius(points.magnitude[of(i)] ?? null), 9),
  };
}

interface PointProps {
  readonly points: Points | null;
  readonly onEvent: (id: string) => void;
}

/** Depth against longitude, as seen from the south. */
export function DepthSection({ points, onEvent }: PointProps) {
  const order = useMemo(() => inOrderOf(points?.longitude ?? [], points?.depth_km ?? []), [points]);
  const lines = useMemo(() => (points ? [marks(points, order, points.depth_km)] : []), [points, order]);
  return (
    <Panel title="Depth section, seen from the south" area="section">
      <div class="body">
        <Chart
          label={`Depth of ${order.at.length} events against longitude`} x={LONGITUDE} y={DEPTH} at={order.at} lines={lines}
          empty={points ? "No event has a depth." : ""}
          onPoint={(i) => onEvent(points?.id[order.index[i] as number] as string)}
        />
      </div>
    </Panel>
  );
}

const LONGITUDE = { label: "Longitude [°]" } as const;
const DEPTH = { label: "Depth [km]", reversed: true } as const;
const TIME = { label: "", time: true } as const;
const MAGNITUDE = { label: "Magnitude" } as const;
const COUNT = { label: "Events" } as const;
const LOG_COUNT = { label: "Events", log: true } as const;

/** Magnitude against time; a stretch of time that is marked becomes the search's. */
export function MagnitudeTime({ points, onEvent, onChange }: PointProps & {
  readonly onChange: (changes: Partial<Record<keyof Filter, unknown>>) => void;
}) {
  const order = useMemo(() => inOrderOf(points?.time_unix_s ?? [], points?.magnitude ?? []), [points]);
  const lines = useMemo(() => (points ? [marks(points, order, points.magnitude)] : []), [points, order]);
  return (
    <Panel title="Magnitude and time" area="time" right={<span class="quiet hint">drag to choose a time</span>}>
      <div class="body">
        <Chart
          label={`Magnitude of ${order.at.length} events against time`} x={TIME} y={MAGNITUDE} at={order.at} lines={lines}
          empty={points ? "No event has a magnitude." : ""}
          onPoint={(i) => onEvent(points?.id[order.index[i] as number] as string)}
          onRange={(low, high) => onChange({ start: isoOf(low), end: isoOf(high) })}
        />
      </div>
    </Panel>
  );
}

/** How many events until a time. */
export function CumulativePlot({ statistics }: { readonly statistics: Statistics | null }) {
  const counts = statistics?.counts ?? [];
  const at = useMemo(() => counts.map((bin) => secondsOf(bin.start) + (statistics?.bin_s ?? 0)), [statistics]);
  const lines = useMemo<Line[]>(
    () => [{ label: "until then", colour: "accent", kind: "steps", values: counts.map((bin) => bin.cumulative) }],
    [statistics],
  );
  return (
    <Panel title="Events until a time" area="cumulative">
      <div class="body"><Chart label="Count of events until a time" x={TIME} y={COUNT} at={at} lines={lines} empty={statistics ? "No events." : ""} /></div>
    </Panel>
  );
}

/** Gutenberg and Richter's plot with the completeness and the slope. */
export function MagnitudeFrequency({ statistics }: { readonly statistics: Statistics | null }) {
  const bins = statistics?.magnitudes ?? [];
  const fit = statistics?.completeness ?? null;
  const at = useMemo(() => bins.map((bin) => bin.magnitude), [statistics]);
  const lines = useMemo<Line[]>(() => {
    const positive = (count: number): number | null => (count > 0 ? count : null);
    const found: Line[] = [
      { label: "in the bin", colour: "off", kind: "points", values: bins.map((bin) => positive(bin.count)) },
      { label: "of at least", colour: "accent", kind: "points", values: bins.map((bin) => positive(bin.cumulative)) },
    ];
    if (fit) {
      const expected = (m: number): number | null => (m < fit.mc - 1e-9 ? null : Math.max(10 ** (fit.a - fit.b * m), 0.5));
      found.push({ label: "fit", colour: "s", values: bins.map((bin) => expected(bin.magnitude)) });
    }
    return found;
  }, [statistics]);
  const words = fit
    ? `Mc ${numberText(fit.mc, 1)} · b ${numberText(fit.b, 2)} ± ${numberText(fit.b_uncertainty, 2)}`
    : (statistics?.completeness_reason ?? "");
  return (
    <Panel title="Magnitudes" area="frequency" right={<span class={fit ? "hint" : "quiet hint"} title={words}>{bins.length ? words : ""}</span>}>
      <div class="body">
        <Chart label={`Count of events against magnitude: ${words}`} x={MAGNITUDE} y={LOG_COUNT} at={at} lines={lines} empty={statistics ? "No event has a magnitude." : ""} />
      </div>
    </Panel>
  );
}
