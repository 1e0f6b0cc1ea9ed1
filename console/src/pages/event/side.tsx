/** What there is to read of an event: arrivals, magnitudes, type, versions, provenance. */
import { useMemo } from "preact/hooks";
import { answerOf, GET, type Schemas } from "../../api/client";
import { useAsk } from "../../api/ask";
import { Chart, type Line } from "../../draw/chart";
import { numberText, secondsOf, signedText, timeText } from "../../format";
import { refine, route } from "../../route";
import { Choice, Lack } from "../../words";
import { keyOf } from "./draft";
import { chooseStation, chosenPick, draft, shown, station, stored, type EventAnswer } from "./state";

type Tab = "arrivals" | "magnitude" | "type" | "versions" | "made";

const TABS: readonly (readonly [Tab, string])[] = [
  ["arrivals", "Arrivals"],
  ["magnitude", "Magnitude"],
  ["type", "Type"],
  ["versions", "Versions"],
  ["made", "Provenance"],
];

export function SidePanel() {
  const tab = (TABS.find(([name]) => name === route.value.query.get("tab"))?.[0] ?? "arrivals");
  const event = shown.value;
  return (
    <section class="panel at-side" aria-label="Details">
      <header>
        <Choice label="Details" value={tab} of={TABS} onChange={(value) => refine({ tab: value === "arrivals" ? "" : value })} />
      </header>
      {event ? <Content tab={tab} event={event} /> : null}
    </section>
  );
}

function Content({ tab, event }: { readonly tab: Tab; readonly event: EventAnswer }) {
  switch (tab) {
    case "arrivals": return <Arrivals event={event} />;
    case "magnitude": return <Magnitudes event={event} />;
    case "type": return <TypeOf event={event} />;
    case "versions": return <Versions event={event} />;
    case "made": return <Made event={event} />;
  }
}

function Arrivals({ event }: { readonly event: EventAnswer }) {
  const arrivals = event.origin?.arrivals ?? [];
  const sigma = new Map(draft.value.map((pick) => [keyOf(pick), pick.uncertainty_s]));
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Arrivals">
      <table>
        <thead>
          <tr>
            <th>Station</th><th>Ph</th><th class="number">km</th><th class="number">Azimuth</th>
            <th class="number">Residual [s]</th><th class="number">Weight</th><th class="number">σ [s]</th>
          </tr>
        </thead>
        <tbody>
          {arrivals.map((a) => (
            <tr
              key={keyOf(a)} class="link" aria-selected={a.station === station.value}
              onClick={() => { chooseStation(a.station); chosenPick.value = keyOf(a); }}
            >
              <td><button class="plain bare" onClick={() => { chooseStation(a.station); }}>{a.station}</button></td>
              <td class={a.phase === "S" ? "s" : "p"}>{a.phase}</td>
              <td class="number">{numberText(a.distance_km, 1)}</td>
              <td class="number">{numberText(a.azimuth_deg, 0)}°</td>
              <td class="number">{signedText(a.residual_s, 2)}</td>
              <td class="number">{numberText(a.weight, 2)}</td>
              <td class="number">{numberText(sigma.get(keyOf(a)), 2)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const DISTANCE = { label: "Hypocentral distance [km]" } as const;
const VALUE = { label: "Station magnitude" } as const;

function Magnitudes({ event }: { readonly event: EventAnswer }) {
  const network = event.magnitudes.find((m) => m.magnitude !== null) ?? event.magnitudes[0];
  const ordered = useMemo(
    () => [...(network?.stations ?? [])]
      .filter((s) => s.hypocentral_distance_km !== null && s.magnitude !== null)
      .sort((a, b) => (a.hypocentral_distance_km as number) - (b.hypocentral_distance_km as number)),
    [network],
  );
  const at = useMemo(() => ordered.map((s) => s.hypocentral_distance_km as number), [ordered]);
  const lines = useMemo<Line[]>(() => [
    { label: "used", colour: "accent", kind: "points", values: ordered.map((s) => (s.reason ? null : s.magnitude)), markRadius: () => 3.5 },
    { label: "left out", colour: "off", kind: "points", values: ordered.map((s) => (s.reason ? s.magnitude : null)), markRadius: () => 3 },
    { label: "network", colour: "s", values: ordered.map(() => network?.magnitude ?? null), dashed: true },
  ], [ordered, network]);
  if (!network) return <p class="empty">No magnitude was measured.</p>;
  return (
    <div class="scroll split" tabIndex={0} role="region" aria-label="Magnitudes">
      <p class="inset">
        {network.type} {numberText(network.magnitude, 2)}{network.uncertainty ? ` ± ${numberText(network.uncertainty, 2)}` : ""} of {network.n_stations} stations
        {network.reason ? <span class="late"> · {network.reason}</span> : null}
      </p>
      <div class="plot"><Chart label="Station magnitudes against distance" x={DISTANCE} y={VALUE} at={at} lines={lines} onPoint={(i) => chooseStation(ordered[i]?.station ?? "")} /></div>
      <table>
        <thead><tr><th>Channel</th><th class="number">{network.type}</th><th class="number">Residual</th><th class="number">SNR</th><th>Left out</th></tr></thead>
        <tbody>
          {network.stations.map((s) => (
            <tr key={s.channel} class="link" onClick={() => chooseStation(s.station)} aria-selected={s.station === station.value}>
              <td>{s.channel}</td>
              <td class="number">{numberText(s.magnitude, 2)}</td>
              <td class="number">{signedText(s.residual, 2)}</td>
              <td class="number">{numberText(s.snr, 1)}</td>
              <td class="quiet">{s.reason}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function TypeOf({ event }: { readonly event: EventAnswer }) {
  const kind = event.classification;
  if (!kind) return <p class="empty">No classifier has spoken.</p>;
  const all = Object.entries(kind.probabilities).sort((a, b) => b[1] - a[1]);
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Type">
      <div class="inset">
        <p><strong>{kind.event_type}</strong>{kind.label !== kind.event_type ? ` (${kind.label})` : ""}</p>
        {kind.reason ? <p class="quiet">{kind.reason}</p> : null}
        <table class="bars">
          <tbody>
            {all.map(([label, probability]) => (
              <tr key={label}>
                <th scope="row">{label}</th>
                <td class="number">{numberText(probability, 3)}</td>
                <td class="bar"><meter min={0} max={1} value={probability} aria-label={label} /></td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {kind.station_types.length ? <StationTypes of={kind.station_types} labels={all.map(([label]) => label)} /> : null}
    </div>
  );
}

interface StationTypesProps {
  readonly of: readonly Schemas["StationTypeAnswer"][];
  readonly labels: readonly string[];
}

/** What was said of each station's record, those that count most first. */
function StationTypes({ of, labels }: StationTypesProps) {
  const models = new Set(of.map((line) => line.model));
  const ordered = [...of].sort((a, b) => b.weight - a.weight);
  return (
    <table>
      <thead>
        <tr>
          <th>Station</th>{models.size > 1 ? <th>Model</th> : null}
          {labels.map((label) => <th key={label} class="number">{label}</th>)}
          <th class="number">Weight</th>
        </tr>
      </thead>
      <tbody>
        {ordered.map((line) => (
          <tr key={line.station + line.model} class="link" aria-selected={line.station === station.value} onClick={() => chooseStation(line.station)}>
            <td><button class="plain bare" onClick={() => chooseStation(line.station)}>{line.station}</button></td>
            {models.size > 1 ? <td class="quiet">{line.model}</td> : null}
            {line.weight > 0
              ? labels.map((label) => <td key={label} class="number">{numberText(line.probabilities[label], 2)}</td>)
              : <td class="quiet" colSpan={labels.length}>{line.reason}</td>}
            <td class="number">{numberText(line.weight, 2)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Versions({ event }: { readonly event: EventAnswer }) {
  const asked = useAsk(
    (signal) => answerOf(GET("/api/events/{event_id}/versions", { params: { path: { event_id: event.id } }, signal })),
    [event.id, stored.value?.version],
  );
  const items = asked.value?.items ?? [];
  if (!items.length) return <Lack asked={asked} empty="" />;
  return (
    <ol class="scroll versions" reversed tabIndex={0} aria-label="Versions">
      {[...items].reverse().map((line) => (
        <li key={line.version}>
          <p>
            <strong>Version {line.version}</strong>{" "}
            <span class="quiet">{timeText(secondsOf(line.written), 0)} · {line.author || line.evaluation_mode}</span>
          </p>
          <ul>{line.changes.map((change) => <li key={change}>{change}</li>)}</ul>
        </li>
      ))}
    </ol>
  );
}

function Made({ event }: { readonly event: EventAnswer }) {
  const makers: [string, Schemas["Maker"]][] = [];
  const add = (what: string, maker: Schemas["Maker"]): void => {
    if (!makers.some(([name, known]) => name === what && JSON.stringify(known) === JSON.stringify(maker))) makers.push([what, maker]);
  };
  if (event.origin) add("Origin", event.origin.provenance);
  for (const magnitude of event.magnitudes) add(`Magnitude ${magnitude.type}`, magnitude.provenance);
  if (event.classification) add("Type", event.classification.provenance);
  for (const pick of event.picks) add("Picks", pick.provenance);
  return (
    <div class="scroll inset" tabIndex={0} role="region" aria-label="Provenance">
      {makers.map(([what, maker]) => (
        <section key={what + maker.method + maker.model} class="maker">
          <h3>{what}</h3>
          <dl class="facts">
            <dt>method</dt><dd>{maker.method}</dd>
            <dt>code</dt><dd>zilzal {maker.version}</dd>
            {maker.model ? <><dt>model</dt><dd class="code">{maker.model}</dd></> : null}
            {maker.configuration ? <><dt>configuration</dt><dd class="code">{maker.configuration}</dd></> : null}
          </dl>
        </section>
      ))}
      <dl class="facts">
        <dt>event</dt><dd class="code">{event.id}</dd>
        <dt>written</dt><dd>{timeText(secondsOf(event.written), 0)} UTC</dd>
        {event.origin ? <><dt>earth model</dt><dd>{event.origin.earth_model}</dd></> : null}
        {event.comment ? <><dt>comment</dt><dd>{event.comment}</dd></> : null}
      </dl>
    </div>
  );
}
