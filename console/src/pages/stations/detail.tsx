/** One station: its day on a sheet, its noise, its ledger, its picks, its channels. */
import { useMemo } from "preact/hooks";
import { answerOf, GET, type Schemas } from "../../api/client";
import { useAsk } from "../../api/ask";
import { Canvas } from "../../draw/canvas";
import { Chart, type Line } from "../../draw/chart";
import { countText, isoOf, numberText, placeText, secondsOf, signedText, timeText } from "../../format";
import type { Station } from "../../map/stations";
import { refine, route } from "../../route";
import { Lack, Panel } from "../../words";
import { HistoryPanel } from "./history";
import { drawSheet } from "./sheet";

const DAY_S = 86_400;

/** Midnight of the day in view: the link's, or that of the newest data. */
function dayOf(station: Station): number {
  const asked = secondsOf(`${route.value.query.get("day") ?? ""}T00:00:00Z`);
  if (Number.isFinite(asked)) return asked;
  const last = station.last_data ? secondsOf(station.last_data) - 1e-3 : Date.now() / 1000;
  return Math.floor(last / DAY_S) * DAY_S;
}

function dayText(day_s: number): string {
  return timeText(day_s, 0).slice(0, 10);
}

export function StationDetail({ station }: { readonly station: Station }) {
  const day_s = dayOf(station);
  const channel = route.value.query.get("channel") ?? "";
  const detail = useAsk((signal) => answerOf(GET("/api/stations/{code}", { params: { path: { code: station.code } }, signal })), [station.code]);
  return (
    <>
      <Sheet station={station} day_s={day_s} channel={channel} channels={detail.value?.channels ?? []} />
      <Noise station={station} day_s={day_s} channel={channel} />
      <HistoryPanel code={station.code} end_s={day_s + DAY_S} />
      <Facts station={station} channels={detail.value?.channels ?? []} />
    </>
  );
}

interface OfDay {
  readonly station: Station;
  readonly day_s: number;
  readonly channel: string;
}

function Sheet({ station, day_s, channel, channels }: OfDay & { readonly channels: readonly Schemas["ChannelAnswer"][] }) {
  const asked = useAsk(
    (signal) => answerOf(GET("/api/stations/{code}/helicorder", {
      params: { path: { code: station.code }, query: { day: isoOf(day_s), row_min: 30, points: 1200, ...(channel ? { channel } : {}) } },
      signal,
    })),
    [station.code, day_s, channel],
  );
  const names = [...new Set(channels.map((c) => c.channel))];
  const turn = (days: number): void => refine({ day: dayText(day_s + days * DAY_S) });
  return (
    <Panel title={`Helicorder of ${asked.value?.channel ?? station.code}, above 0.5 Hz`} area="sheet" right={
      <>
        <label>
          <span class="hidden">Channel</span>
          <select value={channel} onChange={(e) => refine({ channel: e.currentTarget.value })}>
            <option value="">vertical</option>
            {names.map((name) => <option key={name} value={name}>{name}</option>)}
          </select>
        </label>
        <button aria-label="Day before" onClick={() => turn(-1)}>‹</button>
        <time>{dayText(day_s)}</time>
        <button aria-label="Next day" onClick={() => turn(1)}>›</button>
      </>
    }>
      <div class="body">
        {asked.value
          ? <Canvas label={`Helicorder of ${asked.value.channel} on ${dayText(day_s)}`} draw={(pen, width, height) => drawSheet(pen, width, height, asked.value as Schemas["Helicorder"])} />
          : <Lack asked={asked} empty="Nothing was recorded on this day." />}
      </div>
    </Panel>
  );
}

const PERIOD = { label: "Period [s]", log: true } as const;
const POWER = { label: "dB re (m/s²)²/Hz" } as const;
const SHADES: Record<string, string> = { "10": "off", "50": "accent", "90": "off" };

function Noise({ station, day_s, channel }: OfDay) {
  const asked = useAsk(
    (signal) => answerOf(GET("/api/stations/{code}/noise", {
      params: { path: { code: station.code }, query: { start: isoOf(day_s), end: isoOf(day_s + DAY_S), ...(channel ? { channel } : {}) } },
      signal,
    })),
    [station.code, day_s, channel],
  );
  const found = asked.value;
  const at = useMemo(() => (found?.frequency_hz ?? []).map((f) => 1 / f).reverse(), [found]);
  const lines = useMemo<Line[]>(() => {
    if (!found) return [];
    const turned = (values: readonly number[]): number[] => [...values].reverse();
    return [
      { label: "low-noise model", colour: "quiet", values: turned(found.low_noise_db), dashed: true, width: 1 },
      { label: "high-noise model", colour: "quiet", values: turned(found.high_noise_db), dashed: true, width: 1 },
      ...Object.entries(found.power_db).map(([percentile, values]) => ({
        label: `${percentile} %`, colour: SHADES[percentile] ?? "accent", values: turned(values), width: percentile === "50" ? 2 : 1,
      })),
    ];
  }, [found]);
  return (
    <Panel title="Noise" area="noise" right={<span class="quiet hint">10, 50, 90 % of {found ? countText(found.n_segments) : "–"} pieces; dashed: Peterson’s models</span>}>
      <div class="body">
        {found
          ? <Chart label="Power of the noise against period, with Peterson's low- and high-noise models" x={PERIOD} y={POWER} at={at} lines={lines} />
          : <Lack asked={asked} empty="Too little was recorded." />}
      </div>
    </Panel>
  );
}

function Facts({ station, channels }: { readonly station: Station; readonly channels: readonly Schemas["ChannelAnswer"][] }) {
  const picks = useAsk((signal) => answerOf(GET("/api/stations/{code}/picks", { params: { path: { code: station.code } }, signal })), [station.code]);
  return (
    <Panel title={station.code} area="facts">
      <div class="scroll" tabIndex={0} role="region" aria-label={`Facts of ${station.code}`}>
        <dl class="facts inset">
          <dt>place</dt>
          <dd>{station.latitude === null || station.longitude === null ? "not in the inventory" : `${placeText(station.latitude, station.longitude, 4)}, ${numberText(station.elevation_m, 0)} m`}</dd>
          <dt>state</dt><dd>{station.state}{station.trouble ? `: ${station.trouble}` : ""}</dd>
          {station.silent_s === null ? null : <><dt>last packet</dt><dd>{numberText(station.silent_s, 1)} s ago</dd></>}
          <dt>picks</dt><dd>{countText(station.picks)}</dd>
        </dl>
        <table>
          <thead><tr><th>Phase</th><th class="number">Picks</th><th class="number">Used</th><th class="number">Median residual</th><th class="number">Spread</th></tr></thead>
          <tbody>
            {(picks.value?.items ?? []).map((s) => (
              <tr key={s.phase}>
                <td class={s.phase === "S" ? "s" : "p"}>{s.phase}</td>
                <td class="number">{countText(s.picks)}</td>
                <td class="number">{countText(s.used)}</td>
                <td class="number">{signedText(s.median_residual_s, 3)} s</td>
                <td class="number">{numberText(s.spread_s, 3)} s</td>
              </tr>
            ))}
          </tbody>
        </table>
        <table>
          <thead><tr><th>Channel</th><th class="number">Rate</th><th class="number">Azimuth</th><th class="number">Dip</th><th>Measures</th><th>From</th></tr></thead>
          <tbody>
            {channels.map((c) => (
              <tr key={c.channel + c.start}>
                <td>{c.channel}</td>
                <td class="number">{c.sampling_rate === null ? "–" : `${c.sampling_rate} Hz`}</td>
                <td class="number">{numberText(c.azimuth_deg, 0)}°</td>
                <td class="number">{numberText(c.dip_deg, 0)}°</td>
                <td>{c.ground_motion ?? "–"}</td>
                <td>{c.start ? dayText(secondsOf(c.start)) : "–"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}
