/** The catalogue: search, see, count, export. */
import "./catalogue.css";
import { useMemo } from "preact/hooks";
import { answerOf, GET } from "../../api/client";
import { useAsk } from "../../api/ask";
import { go, hashOf, refine, route } from "../../route";
import { filterText, readFilter, type Filter } from "./filter";
import { FilterBar } from "./filterbar";
import { CatalogueMap } from "./cataloguemap";
import { CumulativePlot, DepthSection, MagnitudeFrequency, MagnitudeTime } from "./plots";
import { EventTable } from "./table";

type Query = NonNullable<import("../../api/schema").paths["/api/events/points"]["get"]["parameters"]["query"]>;

/** The page. */
export function Catalogue() {
  const text = route.value.query.toString();
  const filter = useMemo(() => readFilter(new URLSearchParams(text)), [text]);
  const key = JSON.stringify(filter);
  const query = filter as Query;
  const points = useAsk(
    (signal) => answerOf(GET("/api/events/points", { params: { query }, signal })),
    [key],
  );
  const statistics = useAsk(
    (signal) => answerOf(GET("/api/events/statistics", { params: { query }, signal })),
    [key],
  );
  const change = (changes: Partial<Record<keyof Filter, unknown>>): void => {
    refine({ ...filterText({ ...filter, ...changes } as Filter), page: "" });
  };
  const open = (id: string): void => go(hashOf("event", id));
  const chosen = route.value.query.get("chosen") ?? "";

  return (
    <div class="page catalogue">
      <FilterBar filter={filter} total={points.value?.total ?? null} onChange={change} problem={points.problem} />
      <CatalogueMap points={points.value} filter={filter} onChange={change} onEvent={open} chosen={chosen} />
      <DepthSection points={points.value} onEvent={open} />
      <MagnitudeTime points={points.value} onEvent={open} onChange={change} />
      <CumulativePlot statistics={statistics.value} />
      <MagnitudeFrequency statistics={statistics.value} />
      <EventTable filter={filter} filterKey={key} />
    </div>
  );
}
