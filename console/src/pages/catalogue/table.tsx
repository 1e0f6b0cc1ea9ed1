/** The events of a selection, a page at a time. */
import { answerOf, GET, type Schemas } from "../../api/client";
import { useAsk } from "../../api/ask";
import { countText, depthText, numberText, secondsOf, timeText } from "../../format";
import { rememberList } from "../../list";
import { go, hashOf, refine, route } from "../../route";
import { Lack, Panel, typeText } from "../../words";
import type { Filter } from "./filter";

const PAGE = 100;

type Line = Schemas["EventLine"];
type Query = NonNullable<import("../../api/schema").paths["/api/events"]["get"]["parameters"]["query"]>;

interface Props {
  readonly filter: Filter;
  readonly filterKey: string;
}

/** Only a page is fetched, whatever the size of the catalogue. */
export function EventTable({ filter, filterKey }: Props) {
  const page = Math.max(1, Number(route.value.query.get("page")) || 1);
  const order = (route.value.query.get("order") ?? "newest") as NonNullable<Query["order"]>;
  const events = useAsk(
    (signal) => answerOf(GET("/api/events", {
      params: { query: { ...(filter as Query), order, limit: PAGE, offset: (page - 1) * PAGE } },
      signal,
    })),
    [filterKey, page, order],
  );
  const total = events.value?.total ?? 0;
  const pages = Math.max(1, Math.ceil(total / PAGE));
  const turn = (to: number): void => refine({ page: to === 1 ? "" : to });
  const items = events.value?.items ?? [];
  rememberList(items.map((line) => line.id));
  return (
    <Panel title="Events" area="table" right={
      <>
        <label>
          <span class="hidden">Order</span>
          <select value={order} onChange={(e) => refine({ order: e.currentTarget.value === "newest" ? "" : e.currentTarget.value, page: "" })}>
            <option value="newest">newest first</option>
            <option value="oldest">oldest first</option>
            <option value="largest">largest first</option>
            <option value="smallest">smallest first</option>
          </select>
        </label>
        <nav class="pager" aria-label="Pages of the table">
          <button disabled={page <= 1} onClick={() => turn(1)} aria-label="First page">«</button>
          <button disabled={page <= 1} onClick={() => turn(page - 1)} aria-label="Page before">‹</button>
          <span>{countText(page)} / {countText(pages)}</span>
          <button disabled={page >= pages} onClick={() => turn(page + 1)} aria-label="Next page">›</button>
          <button disabled={page >= pages} onClick={() => turn(pages)} aria-label="Last page">»</button>
        </nav>
      </>
    }>
      <div class="scroll" tabIndex={0} role="region" aria-label="Table of events">
        {items.length ? <Rows items={items} /> : <Lack asked={events} empty={filterKey === "{}" ? "This store has no located events. All shows those that are not." : "No event is within these limits."} />}
      </div>
    </Panel>
  );
}

function Rows({ items }: { readonly items: readonly Line[] }) {
  return (
    <table>
      <thead>
        <tr>
          <th>Time (UTC)</th><th class="number">M</th><th class="number spare">Latitude</th><th class="number spare">Longitude</th>
          <th class="number">Depth</th><th>Type</th><th title="Quality of the location, A to D">Q</th><th title="Judged by a person">✓</th>
        </tr>
      </thead>
      <tbody>
        {items.map((line) => (
          <tr key={line.id} class="link" onClick={() => go(hashOf("event", line.id))}>
            <td><a href={hashOf("event", line.id)} onClick={(e) => e.stopPropagation()}>{timeText(secondsOf(line.time))}</a></td>
            <td class="number">{numberText(line.magnitude, 1)}</td>
            <td class="number spare">{numberText(line.latitude, 3)}</td>
            <td class="number spare">{numberText(line.longitude, 3)}</td>
            <td class="number">{depthText(line.depth_km)}</td>
            <td>{typeText(line.event_type)}</td>
            <td>{line.quality ?? "–"}</td>
            <td>{line.evaluation_mode === "manual" ? <span role="img" aria-label="judged">✓</span> : ""}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
