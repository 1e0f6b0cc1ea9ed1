/** The frame of all pages: where one is, who one is, how it goes, and what the keys do. */
import { useEffect } from "preact/hooks";
import { Help, helpShown } from "./help";
import { lazy } from "./lazy";
import { hashOf, route, type Place } from "./route";
import { Account } from "./account";
import { Clock, Lost } from "./clock";
import { Notices } from "./notices";
import { theme, toggleTheme } from "./theme";

const Now = lazy(() => import("./pages/now/now").then((m) => m.Now), "page");
const EventPage = lazy(() => import("./pages/event/event").then((m) => m.EventPage), "page");
const Catalogue = lazy(() => import("./pages/catalogue/catalogue").then((m) => m.Catalogue), "page");
const Stations = lazy(() => import("./pages/stations/stations").then((m) => m.Stations), "page");

const TABS: readonly (readonly [Place, string])[] = [
  ["now", "Now"],
  ["event", "Event"],
  ["catalogue", "Catalogue"],
  ["stations", "Stations"],
];

/** The page as a whole. */
export function App() {
  const { place, id } = route.value;
  useEffect(() => {
    const name = TABS.find(([tab]) => tab === place)?.[1] ?? "";
    document.title = `${id || name} · zilzal`;
  }, [place, id]);
  return (
    <>
      <header class="bar">
        <span class="brand">zilzal</span>
        <nav aria-label="Pages">
          {TABS.map(([tab, name]) => (
            <a key={tab} href={hashOf(tab)} aria-current={place === tab ? "page" : undefined}>{name}</a>
          ))}
        </nav>
        <Clock />
        <Account />
        <button class="plain" onClick={toggleTheme} aria-label={`Change to ${theme.value === "dark" ? "light" : "dark"} colours`}>
          {theme.value === "dark" ? "Light" : "Dark"}
        </button>
        <button class="plain" onClick={() => { helpShown.value = true; }} aria-label="Keys and colours">?</button>
      </header>
      <Lost />
      <main>{pageOf(place)}</main>
      <Notices />
      <Help />
    </>
  );
}

function pageOf(place: Place) {
  switch (place) {
    case "now": return <Now />;
    case "event": return <EventPage />;
    case "catalogue": return <Catalogue />;
    case "stations": return <Stations />;
  }
}
