/** Scrolling traces of some stations, with what the network says of them and the picks. */
import { useEffect, useRef, useState } from "preact/hooks";
import { paintCanvas } from "../../draw/canvas";
import { refine } from "../../route";
import { theme } from "../../theme";
import { Panel } from "../../words";
import { filterNumber, FILTERS, isLive, lacksWaveforms, sensors, stations } from "./state";
import { grown, WINDOW_S } from "./tail";
import { TracesPicture } from "./tracesdraw";

/** Least time [ms] between two drawings: traces move calmly and cost little. */
const EVERY_MS = 330;

export function TracesPanel() {
  const [choosing, setChoosing] = useState(false);
  return (
    <Panel title={isLive.value ? "Traces" : "End of the record"} area="traces" right={
      <>
        <label>
          <span class="hidden">Filter</span>
          <select value={String(filterNumber.value)} onChange={(e) => refine({ filter: e.currentTarget.value === "0" ? "" : e.currentTarget.value })}>
            {FILTERS.map(([name], i) => <option key={name} value={String(i)}>{name}</option>)}
          </select>
        </label>
        <button aria-expanded={choosing} onClick={() => setChoosing(!choosing)}>Stations</button>
      </>
    }>
      {choosing ? <Chooser /> : null}
      <div class="body">{lacksWaveforms.value ? <p class="empty">No waveforms are known here. Start zilzal serve with --waveforms, and with --inventory for the stations' places.</p> : <Scroll />}</div>
    </Panel>
  );
}

const MOST = 50;

function Chooser() {
  const all = stations.value.flatMap((s) => s.sensors);
  const shown = new Set(sensors.value);
  const put = (next: readonly string[]): void => refine({ sensors: next.slice(0, MOST).join(",") });
  return (
    <fieldset class="chooser">
      <legend>Sensors, at most {MOST}</legend>
      <button type="button" onClick={() => put(all)}>All</button>
      <button type="button" onClick={() => put([])}>Default</button>
      {all.map((sensor) => (
        <label key={sensor}>
          <input type="checkbox" checked={shown.has(sensor)} onChange={() => put(all.filter((s) => (s === sensor) !== shown.has(s)))} /> {sensor}
        </label>
      ))}
    </fieldset>
  );
}

/** A canvas that is drawn when something has come, a few times a second at most. */
function Scroll() {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const element = canvas.current as HTMLCanvasElement;
    const picture = new TracesPicture();
    let drawn = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const paint = (): void => {
      timer = undefined;
      drawn = performance.now();
      if (!document.hidden) paintCanvas(element, picture.draw);
    };
    const soon = (): void => {
      timer ??= setTimeout(() => requestAnimationFrame(paint), Math.max(0, EVERY_MS - (performance.now() - drawn)));
    };
    const observer = new ResizeObserver(soon);
    observer.observe(element);
    const forget = [grown.subscribe(soon), theme.subscribe(soon), sensors.subscribe(soon)];
    return () => {
      observer.disconnect();
      clearTimeout(timer);
      for (const stop of forget) stop();
    };
  }, []);
  return <canvas ref={canvas} class="fill whole" role="img" aria-label={`Traces of ${sensors.value.length} sensors over the last ${WINDOW_S} seconds`} />;
}
