/** Charts by uPlot, in the theme's colours, with times in UTC. */
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { colour, theme } from "../theme";
import { clockText, timeText } from "../format";

export interface Axis {
  readonly label: string;
  /** Seconds since 1970. */
  readonly time?: boolean;
  readonly log?: boolean;
  /** Values grow downwards or to the left. */
  readonly reversed?: boolean;
  readonly range?: readonly [number, number];
}

export interface Line {
  readonly label: string;
  /** Name of a colour of the style sheet. */
  readonly colour: string;
  readonly values: ArrayLike<number | null>;
  readonly kind?: "line" | "steps" | "bars" | "points";
  readonly dashed?: boolean;
  readonly width?: number;
  /** Of points: a colour and a radius [px] for each. */
  readonly markColour?: (index: number) => string;
  readonly markRadius?: (index: number) => number;
}

export interface ChartProps {
  readonly label: string;
  readonly x: Axis;
  readonly y: Axis;
  /** Ascending. */
  readonly at: ArrayLike<number>;
  readonly lines: readonly Line[];
  /** Said where there is nothing to draw. */
  readonly empty?: string;
  /** A range of x was chosen with the pointer. */
  readonly onRange?: (low: number, high: number) => void;
  /** The point nearest to a click. */
  readonly onPoint?: (index: number) => void;
}

/** A chart that fills its parent. */
export function Chart(props: ChartProps) {
  const holder = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = holder.current as HTMLDivElement;
    const plot = new uPlot(options(props, element), data(props), element);
    const observer = new ResizeObserver(() => {
      plot.setSize({ width: element.clientWidth, height: element.clientHeight });
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [props.at, props.lines, props.x, props.y, theme.value]);
  return (
    <>
      <div class="fill chart" ref={holder} role="img" aria-label={props.label} />
      {props.at.length || !props.empty ? null : <p class="empty fill">{props.empty}</p>}
    </>
  );
}

function data(props: ChartProps): uPlot.AlignedData {
  return [props.at, ...props.lines.map((line) => line.values)] as unknown as uPlot.AlignedData;
}

function options(props: ChartProps, element: HTMLElement): uPlot.Options {
  return {
    width: element.clientWidth,
    height: element.clientHeight,
    padding: [8, 10, 0, 0],
    legend: { show: false },
    cursor: {
      points: { show: false },
      drag: { x: Boolean(props.onRange), y: false, setScale: false },
      y: false,
    },
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
    scales: { x: { ...scale(props.x, true), ...xRange(props) }, y: scale(props.y, false) },
    axes: [axis(props.x, "x"), axis(props.y, "y")],
    series: [{}, ...props.lines.map((line) => series(line))],
    hooks: {
      setSelect: [(plot) => {
        if (!props.onRange || plot.select.width < 3) return;
        const { left, width } = plot.select;
        props.onRange(plot.posToVal(left, "x"), plot.posToVal(left + width, "x"));
        plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
      }],
      ready: [(plot) => {
        if (!props.onPoint) return;
        plot.over.addEventListener("click", (click) => {
          const index = nearest(plot, props, click.offsetX, click.offsetY);
          if (index !== null) props.onPoint?.(index);
        });
      }],
    },
  };
}

function scale(axis: Axis, horizontal: boolean): uPlot.Scale {
  return {
    time: horizontal && Boolean(axis.time),
    distr: axis.log ? 3 : 1,
    dir: axis.reversed ? -1 : 1,
    ...(axis.range ? { range: [axis.range[0], axis.range[1]] as [number, number] } : {}),
  };
}

/** All of x, with room for marks at the ends; a logarithmic axis ends where the values do. */
function xRange(props: ChartProps): uPlot.Scale {
  const [first, last] = [props.at[0], props.at[props.at.length - 1]];
  if (props.x.range || first === undefined || last === undefined) return {};
  const withMarks = props.lines.some((line) => line.kind === "points");
  const margin = withMarks && !props.x.log ? 0.03 * (last - first) || 0.5 : 0;
  return { range: [first - margin, last + margin] };
}

function axis(wanted: Axis, side: "x" | "y"): uPlot.Axis {
  const quiet = colour("quiet");
  return {
    stroke: quiet,
    font: "11px system-ui, sans-serif",
    labelFont: "11px system-ui, sans-serif",
    ...(wanted.label ? { label: wanted.label } : {}),
    labelSize: wanted.label ? 16 : 0,
    labelGap: 0,
    size: side === "x" ? 24 : 44,
    gap: 3,
    grid: { stroke: colour("line"), width: 1 },
    ticks: { stroke: colour("line"), width: 1, size: 3 },
    ...(wanted.time ? { values: (_: uPlot, at: number[], _i: number, _s: number, step: number) => at.map((t) => timeLabel(t, step)) } : {}),
    ...(wanted.log ? { values: (_: uPlot, at: number[]) => at.map((v) => (isPower(v) ? String(Number(v.toPrecision(3))) : "")) } : {}),
  };
}

function isPower(value: number): boolean {
  const power = Math.log10(value);
  return Math.abs(power - Math.round(power)) < 1e-6;
}

/** A time as short as the step between ticks allows. */
export function timeLabel(seconds: number, step: number): string {
  if (step >= 86_400 * 28) return timeText(seconds, 0).slice(0, 7);
  if (step >= 86_400) return timeText(seconds, 0).slice(0, 10);
  if (seconds % 86_400 === 0) return timeText(seconds, 0).slice(5, 10);
  return step >= 60 ? clockText(seconds).slice(0, 5) : clockText(seconds);
}

function series(line: Line): uPlot.Series {
  const stroke = colour(line.colour);
  const common: uPlot.Series = { label: line.label, stroke, width: line.width ?? 1.5, spanGaps: false };
  if (line.dashed) common.dash = [5, 4];
  if (line.kind === "points") {
    return { ...common, paths: markPaths(line), points: { show: false } };
  }
  if (line.kind === "bars" && uPlot.paths.bars) {
    return { ...common, width: 0, fill: stroke, paths: uPlot.paths.bars({ size: [0.9, Infinity], align: 1 }), points: { show: false } };
  }
  if (line.kind === "steps" && uPlot.paths.stepped) {
    return { ...common, paths: uPlot.paths.stepped({ align: 1 }), points: { show: false } };
  }
  return { ...common, points: { show: false } };
}

/** Above so many points marks are small squares, which draw several times faster than circles. */
const MANY = 5000;
const SMALL_PX = 3;

/** Draws marks itself, one colour and radius each. */
function markPaths(line: Line): uPlot.Series.PathBuilder {
  return (plot, seriesIndex, from, to) => {
    const pen = plot.ctx;
    const xs = plot.data[0] as ArrayLike<number>;
    const ys = plot.data[seriesIndex] as ArrayLike<number | null>;
    const ratio = devicePixelRatio || 1;
    const { left, top, width, height } = plot.bbox;
    pen.save();
    pen.beginPath();
    pen.rect(left, top, width, height);
    pen.clip();
    const plain = colour(line.colour);
    const largest = to - from > MANY ? SMALL_PX : Infinity;
    for (let i = from; i <= to; i++) {
      const value = ys[i];
      if (value === null || value === undefined) continue;
      const x = plot.valToPos(xs[i] as number, "x", true);
      const y = plot.valToPos(value, "y", true);
      const radius = Math.min(line.markRadius?.(i) ?? 2.5, largest) * ratio;
      pen.fillStyle = line.markColour?.(i) ?? plain;
      if (to - from > MANY) {
        pen.fillRect(x - radius, y - radius, 2 * radius, 2 * radius);
      } else {
        pen.beginPath();
        pen.arc(x, y, radius, 0, 2 * Math.PI);
        pen.fill();
      }
    }
    pen.restore();
    return null;
  };
}

/** Index of the mark within 12 px of a place in the plot, or null. */
function nearest(plot: uPlot, props: ChartProps, left: number, top: number): number | null {
  let best = 144;
  let found: number | null = null;
  for (const line of props.lines) {
    if (line.kind !== "points") continue;
    for (let i = 0; i < props.at.length; i++) {
      const value = line.values[i];
      if (value === null || value === undefined) continue;
      const away = (plot.valToPos(props.at[i] as number, "x") - left) ** 2 + (plot.valToPos(value, "y") - top) ** 2;
      if (away < best) {
        best = away;
        found = i;
      }
    }
  }
  return found;
}
