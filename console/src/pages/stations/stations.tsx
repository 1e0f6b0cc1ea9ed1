/** The stations: how they do, and what each one recorded. */
import "./stations.css";
import { useEffect, useMemo, useState } from "preact/hooks";
import { answerOf, GET } from "../../api/client";
import { useAsk } from "../../api/ask";
import { session } from "../../api/session";
import { ageText, numberText, secondsOf, timeText } from "../../format";
import { lazy } from "../../lazy";
import type { EarthProps } from "../../map/map";
import { boundsOf } from "../../map/shapes";
import { markState, stationMarks, type Station } from "../../map/stations";
import { go, hashOf, route } from "../../route";
import { Lack, Panel } from "../../words";
import { StationDetail } from "./detail";

const Earth = lazy<EarthProps>(() => import("../../map/map").then((m) => m.Earth), "earth");

/** How often [ms] ages are asked for anew while a monitor runs. */
const EVERY_MS = 10_000;

/** The page. */
export function Stations() {
  const [round, setRound] = useState(0);
  const live = session.value?.features.live ?? false;
  useEffect(() => {
    if (!live) return;
    const timer = setInterval(() => setRound((n) => n + 1), EVERY_MS);
    return () => clearInterval(timer);
  }, [live]);
  const asked = useAsk((signal) => answerOf(GET("/api/stations", { signal })), [round]);
  const items = asked.value?.items ?? [];
  const chosen = items.find((s) => s.code === route.value.id) ?? items[0] ?? null;
  const places = useMemo(() => stationMarks(items), [asked.value]);
  const bounds = useMemo(() => boundsOf(places.map((s) => [s.longitude, s.latitude] as const)), [places.length]);
  return (
    <div class="page stations">
      <Panel title={`Stations${items.length ? `: ${items.length}` : ""}`} area="list">
        <div class="scroll" tabIndex={0} role="region" aria-label="Table of stations">
          {items.length ? <StationTable items={items} chosen={chosen?.code ?? ""} /> : <Lack asked={asked} empty="No station is known. Start zilzal serve with --inventory, and with --waveforms for their records." />}
        </div>
      </Panel>
      <Panel title="Map" area="map">
        <div class="body">
          <Earth label="Map of the stations" stations={places} bounds={bounds} onStation={(code) => go(hashOf("stations", code))} />
        </div>
      </Panel>
      {chosen ? <StationDetail key={chosen.code} station={chosen} /> : null}
    </div>
  );
}

const LOOK = { good: "good", late: "late", bad: "bad", plain: "quiet", off: "quiet" } as const;

type Column = "code" | "state" | "age" | "behind" | "gaps" | "picks";

const VALUES: Record<Column, (s: Station) => string | number> = {
  code: (s) => s.code,
  state: (s) => s.state,
  age: (s) => -(s.last_data ? secondsOf(s.last_data) : 0),
  behind: (s) => -(s.behind_s ?? 0),
  gaps: (s) => -(s.gap_share ?? 0),
  picks: (s) => -(s.picks_per_hour ?? 0),
};

/** The share of the time that is missing; smaller ones than can be told are not nothing. */
function gapText({ gaps, gap_share }: Station): string {
  if (gap_share === null) return "–";
  if (!gaps && !gap_share) return "0";
  return gap_share < 0.0005 ? "< 0.1 %" : `${numberText(100 * gap_share, 1)} %`;
}

function StationTable({ items, chosen }: { readonly items: readonly Station[]; readonly chosen: string }) {
  const [by, setBy] = useState<Column>("code");
  const live = items.some((s) => s.behind_s !== null);
  const value = VALUES[by];
  const sorted = [...items].sort((a, b) => (value(a) < value(b) ? -1 : value(a) > value(b) ? 1 : 0));
  const head = (column: Column, words: string, look = "") => (
    <th class={look} aria-sort={by === column ? "ascending" : "none"}>
      <button class="plain bare" onClick={() => setBy(column)}>{words}{by === column ? " ▾" : ""}</button>
    </th>
  );
  return (
    <table>
      <thead>
        <tr>
          {head("code", "Station")}{head("state", "State")}{head("age", "Data until", "number")}{live ? head("behind", "Behind", "number") : null}
          {head("gaps", "Gaps", "number")}{head("picks", "Picks/h", "number spare")}
        </tr>
      </thead>
      <tbody>
        {sorted.map((s) => (
          <tr key={s.code} class="link" aria-selected={s.code === chosen} onClick={() => go(hashOf("stations", s.code))}>
            <td><a href={hashOf("stations", s.code)} onClick={(e) => e.stopPropagation()}>{s.code}</a></td>
            <td title={s.trouble}>
              <span class={LOOK[markState(s.state)]}>{markState(s.state) === "off" ? "△" : "▲"}</span> {s.state}
              {s.trouble && s.trouble !== s.state ? <span class="quiet trouble">{s.trouble}</span> : null}
            </td>
            <td class="number">{s.data_age_s === null ? (s.last_data ? timeText(secondsOf(s.last_data), 0) : "–") : `${ageText(s.data_age_s)} ago`}</td>
            {live ? <td class="number">{s.behind_s === null ? "–" : `${numberText(s.behind_s, 1)} s`}</td> : null}
            <td class="number" title={`${s.gaps} in the channel that has most`}>{gapText(s)}</td>
            <td class="number spare">{numberText(s.picks_per_hour, 1)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
