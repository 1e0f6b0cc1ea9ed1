/** The limits of a search, as a form. */
import { useState } from "preact/hooks";
import { BASE } from "../../api/client";
import { session } from "../../api/session";
import { countText } from "../../format";
import { typeText } from "../../words";
import { filterText, isoFrom, type Filter, type NumberName } from "./filter";

export const EVENT_TYPES = [
  "earthquake", "quarry blast", "explosion", "landslide", "rockslide", "snow avalanche",
  "volcanic eruption", "other event", "not reported", "not existing",
] as const;

/** Names of the formats that people know; others are shown as the server names them. */
const FORMAT_NAMES: Record<string, string> = {
  quakeml: "QuakeML", scml: "SCML", csv: "CSV", geojson: "GeoJSON", text: "FDSN text", zmap: "ZMAP", arrivals: "Arrivals, CSV",
};

interface Props {
  readonly filter: Filter;
  readonly total: number | null;
  readonly problem: string;
  readonly onChange: (changes: Partial<Record<keyof Filter, unknown>>) => void;
}

/** Every change is asked for at once, and stands in the link. */
export function FilterBar({ filter, total, problem, onChange }: Props) {
  const limited = Object.keys(filter).length > 0;
  return (
    <form class="panel at-filter" role="search" aria-label="Limits of the search" onSubmit={(e) => e.preventDefault()}>
      <div class="filters">
        <TimeField name="start" label="From (UTC)" filter={filter} onChange={onChange} />
        <TimeField name="end" label="Until (UTC)" filter={filter} onChange={onChange} />
        <Pair label="Magnitude" low="min_magnitude" high="max_magnitude" step={0.1} filter={filter} onChange={onChange} />
        <Pair label="Depth [km]" low="min_depth_km" high="max_depth_km" step={1} filter={filter} onChange={onChange} />
        <label class="field">
          Type
          <select value={filter.type?.[0] ?? ""} onChange={(e) => onChange({ type: e.currentTarget.value ? [e.currentTarget.value] : undefined })}>
            <option value="">all</option>
            {EVENT_TYPES.map((type) => <option key={type} value={type}>{typeText(type) === "–" ? type : typeText(type)}</option>)}
          </select>
        </label>
        <label class="field">
          Quality
          <select value={filter.quality?.join(",") ?? ""} onChange={(e) => onChange({ quality: e.currentTarget.value ? e.currentTarget.value.split(",") : undefined })}>
            <option value="">all</option>
            <option value="A">A</option>
            <option value="A,B">A, B</option>
            <option value="A,B,C">A to C</option>
            <option value="D">D</option>
          </select>
        </label>
        <label class="field">
          Judged
          <select value={filter.status ?? ""} onChange={(e) => onChange({ status: e.currentTarget.value || undefined })}>
            <option value="">all</option>
            <option value="manual">by a person</option>
            <option value="automatic">by nobody</option>
          </select>
        </label>
        <label class="field">
          Text
          <input type="search" size={10} value={filter.text ?? ""} placeholder="id, comment" onChange={(e) => onChange({ text: e.currentTarget.value || undefined })} />
        </label>
        <label class="field" title="Events that are not located, were rejected or are noise">
          All
          <input type="checkbox" checked={filter.catalogue === false} onChange={(e) => onChange({ catalogue: e.currentTarget.checked ? false : undefined })} />
        </label>
        <span class="sum" role="status">
          {problem ? <span class="bad">{problem}</span> : total === null ? "" : `${countText(total)} events`}
        </span>
        <Export filter={filter} />
        <button type="button" disabled={!limited} onClick={() => onChange(Object.fromEntries(Object.keys(filter).map((k) => [k, undefined])))}>
          Reset
        </button>
      </div>
    </form>
  );
}

type Part = Pick<Props, "filter" | "onChange">;

function TimeField({ name, label, filter, onChange }: Part & { name: "start" | "end"; label: string }) {
  return (
    <label class="field">
      {label}
      <input
        size={15} value={filter[name]?.replace("T", " ").replace(/(\.\d+)?Z$/, "") ?? ""} placeholder="2024-03-05 10:00"
        pattern="\d{4}-\d\d-\d\d([T ]\d\d(:\d\d(:\d\d(\.\d+)?)?)?)?Z?" title="as 2024-03-05 or 2024-03-05 10:00:00"
        onChange={(e) => { if (e.currentTarget.checkValidity()) onChange({ [name]: isoFrom(e.currentTarget.value) }); }}
      />
    </label>
  );
}

function Pair({ label, low, high, step, filter, onChange }: Part & { label: string; low: NumberName; high: NumberName; step: number }) {
  const field = (name: NumberName, words: string) => (
    <input
      type="number" step={step} value={filter[name] ?? ""} aria-label={`${label}, ${words}`}
      onChange={(e) => onChange({ [name]: e.currentTarget.value === "" ? undefined : e.currentTarget.valueAsNumber })}
    />
  );
  return (
    <div class="field pair" role="group" aria-label={label}>
      <span class="quiet">{label}</span>
      <span>{field(low, "at least")} {field(high, "at most")}</span>
    </div>
  );
}

function Export({ filter }: { readonly filter: Filter }) {
  const formats = session.value?.features.export_formats ?? [];
  const [format, setFormat] = useState("csv");
  const wanted = new URLSearchParams({ format });
  for (const [name, value] of Object.entries(filterText(filter))) {
    if (!value) continue;
    for (const part of name === "type" || name === "quality" ? value.split(",") : [value]) wanted.append(name, part);
  }
  return (
    <span class="export">
      <label>
        <span class="hidden">Format of the export</span>
        <select value={format} onChange={(e) => setFormat(e.currentTarget.value)}>
          {formats.map((name) => <option key={name} value={name}>{FORMAT_NAMES[name] ?? name}</option>)}
        </select>
      </label>
      <a class="button" href={`${BASE}/api/events/export?${wanted}`} download>Export</a>
    </span>
  );
}
