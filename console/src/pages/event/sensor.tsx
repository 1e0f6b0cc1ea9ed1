/** The traces of one sensor: zoom, filter, probabilities, spectrogram; picks are set here. */
import { useEffect, useRef } from "preact/hooks";
import { Canvas } from "../../draw/canvas";
import { timeAt, type Span } from "../../draw/trace";
import { timeText } from "../../format";
import { refine, route } from "../../route";
import { Choice, Panel } from "../../words";
import { keyOf, moved } from "./draft";
import { pickNear } from "./marks";
import { canReview, updatePreview } from "./review";
import { drawSensor, layout, type SensorDrawn } from "./sensordraw";
import { curves, readSensor, spectrogram, traces } from "./sensordata";
import { chosenPick, draft, pointer, predictedAt, section, station, stationLine } from "./state";
import { look, viewOf, zoom, zoomToPicks } from "./view";

/** Room [px] for names beside the traces. */
const LEFT = 124;
const RIGHT = 8;

type Drag =
  | { readonly kind: "pick"; readonly key: string }
  | { readonly kind: "view"; readonly x: number; readonly view: { start_s: number; end_s: number } };

/** The panel. */
export function SensorPanel() {
  const line = stationLine.value;
  const view = viewOf();
  const units = route.value.query.get("units") ?? "counts";
  const withSpectrogram = route.value.query.get("spectrogram") === "1";
  const size = useRef({ width: 0, height: 0 });
  const drag = useRef<Drag | null>(null);
  useEffect(() => { readSensor(); }, [line?.sensor, view?.start_s, view?.end_s, units, withSpectrogram, route.value.query.get("filter"), section.value]);
  const drawn: SensorDrawn = {
    traces: traces.value, curves: curves.value, spectrogram: withSpectrogram ? spectrogram.value : null,
    picks: draft.value.filter((pick) => pick.station === station.value),
    chosen: chosenPick.value, pointer: pointer.value?.time_s ?? null, predicted: line ? predictedAt(line) : {}, units,
  };
  const spanNow = (): Span | null =>
    view ? { ...view, left: LEFT, width: Math.max(size.current.width - LEFT - RIGHT, 10) } : null;

  const down = (event: PointerEvent & { currentTarget: HTMLCanvasElement }): void => {
    const span = spanNow();
    if (!span || !view) return;
    event.currentTarget.focus({ preventScroll: true });
    const pick = pickNear(drawn.picks, span, event.offsetX);
    chosenPick.value = pick ? keyOf(pick) : "";
    drag.current = pick && canReview.value
      ? { kind: "pick", key: keyOf(pick) }
      : { kind: "view", x: event.offsetX, view };
    event.currentTarget.setPointerCapture(event.pointerId);
  };
  const move = (event: PointerEvent & { currentTarget: HTMLCanvasElement }): void => {
    const span = spanNow();
    if (!span) return;
    const time_s = timeAt(span, event.offsetX);
    const going = drag.current;
    if (going?.kind === "pick") draft.value = moved(draft.value, going.key, time_s);
    if (going?.kind === "view") {
      const by = ((going.x - event.offsetX) / span.width) * (going.view.end_s - going.view.start_s);
      look(going.view.start_s + by, going.view.end_s + by);
    }
    const channel = channelAt(event.offsetY, size.current.height, drawn) ?? line?.channel;
    if (channel) pointer.value = { time_s, channel };
    const near = pickNear(drawn.picks, span, event.offsetX);
    event.currentTarget.style.cursor = near ? (canReview.value ? "ew-resize" : "pointer") : "crosshair";
  };
  const up = (): void => {
    if (drag.current?.kind === "pick") updatePreview();
    drag.current = null;
  };
  const wheel = (event: WheelEvent): void => {
    const span = spanNow();
    if (!span) return;
    event.preventDefault();
    zoom(event.deltaY > 0 ? 1.25 : 0.8, timeAt(span, event.offsetX));
  };

  return (
    <Panel title={line ? `Traces of ${line.sensor ?? line.station}` : "Traces"} area="sensor" right={<Controls units={units} withSpectrogram={withSpectrogram} />}>
      <div class="body">
        <Canvas
          label={`Traces of ${station.value}${view ? `, from ${timeText(view.start_s, 1)} to ${timeText(view.end_s, 1)} UTC` : ""}`}
          tabIndex={0} cursor="crosshair"
          draw={(pen, width, height) => {
            size.current = { width, height };
            const span = spanNow();
            if (span) drawSensor(pen, span, { width, height }, drawn);
          }}
          onPointerDown={down} onPointerMove={move} onPointerUp={up}
          onPointerLeave={() => { if (!drag.current) pointer.value = null; }}
          onWheel={wheel}
        />
      </div>
    </Panel>
  );
}

function channelAt(y: number, height: number, drawn: SensorDrawn): string | null {
  const strip = layout(height, drawn).find((s) => y >= s.top && y < s.bottom);
  return strip?.kind === "trace" ? (strip.trace?.channel ?? null) : null;
}

function Controls({ units, withSpectrogram }: { readonly units: string; readonly withSpectrogram: boolean }) {
  return (
    <>
      <button onClick={zoomToPicks}>Picks</button>
      <button onClick={() => refine({ from: "", to: "" })}>All</button>
      <button aria-label="Zoom in" onClick={() => zoom(0.6)}>+</button>
      <button aria-label="Zoom out" onClick={() => zoom(1.67)}>−</button>
      <Choice label="Units" value={units as "counts"} of={[["counts", "counts"], ["m/s" as "counts", "m/s"], ["m" as "counts", "m"]]} onChange={(value) => refine({ units: value === "counts" ? "" : value })} />
      <button aria-pressed={withSpectrogram} onClick={() => refine({ spectrogram: withSpectrogram ? "" : 1 })}>Spectrogram</button>
    </>
  );
}
