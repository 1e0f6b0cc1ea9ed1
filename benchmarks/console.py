"""What the console's page costs a browser: first paint, a live page, a large catalogue.

Chromium opens the built page from a console that runs in this process, on a store with a made
catalogue. Maps are drawn in software: the figures are those of a machine without a graphics card.
The live page is fed a made stream in real time: for each of the sensors, records of 4 s, the
network's curves every two seconds, picks, now and then a version of an event, the
stations' health; what the server spends on making these is not counted. Processor time is that
of all of Chromium's processes. `frames_per_s` says how often the page came to draw: where it is
far below `wanted_frames_per_s`, others kept the machine busy, and the share is worth nothing.
Writes benchmarks/results/console.json.

    python benchmarks/console.py [paint] [catalogue] [live] [--traces 50] [--events 100000]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import console_made as made
import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright
from starlette.routing import Route

import zilzal
from zilzal.app.display.holdings import Holdings, Places, open_holdings
from zilzal.web.server import create_app

RESULTS = Path(__file__).parent / "results" / "console.json"
PARTS = ("paint", "catalogue", "live")
RUNS = 5
WARM_S = 10.0
PATIENCE_MS = 120_000
WANTED_FRAMES_PER_S = 3.0
"""The page draws its traces so often at most: console/src/pages/now/traces.tsx."""
SCREEN = {"width": 1440, "height": 900}
ARGUMENTS = [
    "--no-sandbox", "--no-first-run", "--disable-background-networking", "--disable-dev-shm-usage",
    "--disable-component-update", "--disable-sync", "--enable-unsafe-swiftshader",
]  # fmt: skip
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
COUNT_FRAMES = """
window.framesDrawn = 0;
const ask = window.requestAnimationFrame.bind(window);
window.requestAnimationFrame = (draw) => ask((now) => { window.framesDrawn += 1; draw(now); });
"""
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


@contextmanager
def serving(held: Holdings, stream: made.Stream) -> Iterator[str]:
    """The console's address; what its page hears as live is made."""
    app = create_app(held)
    app.router.routes.insert(0, Route("/api/live", stream.answer))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)


@contextmanager
def opened(browser: Browser, address: str, script: str = "") -> Iterator[Page]:
    """A page that no other has left anything to."""
    context = browser.new_context(viewport=SCREEN, color_scheme="dark")
    context.add_init_script(script)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(address)
    yield page
    context.close()


def children(parent: int) -> Iterator[int]:
    """All processes below one."""
    for listed in Path(f"/proc/{parent}/task").glob("*/children"):
        for child in map(int, listed.read_text().split()):
            yield child
            yield from children(child)


def chromium_cpu_s() -> Counter[str]:
    """Processor time of Chromium's processes so far, by their kind."""
    spent: Counter[str] = Counter()
    for process in children(os.getpid()):
        try:
            line = Path(f"/proc/{process}/cmdline").read_text().replace("\0", " ")
            numbers = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if "chrom" in line:
            kinds = [w.removeprefix("--type=") for w in line.split() if w.startswith("--type=")]
            spent[(kinds or ["browser"])[0]] += sum(map(int, numbers[11:13])) / TICKS_PER_S
    return spent


def measure_paint(browser: Browser, address: str) -> dict[str, Any]:
    """From the request to the first text on the screen, and to the events and the map."""
    found: dict[str, list[float]] = {"first_paint_ms": [], "events_ms": [], "map_ms": []}
    for _ in range(RUNS):
        with opened(browser, f"{address}/#/now") as page:
            page.get_by_role("region", name="Latest events").get_by_role("row").nth(1).wait_for()
            found["events_ms"].append(page.evaluate("performance.now()"))
            map_drawn(page)
            found["map_ms"].append(page.evaluate("performance.now()"))
            found["first_paint_ms"].append(page.evaluate(PAINT))
    return {what: summary(values) for what, values in found.items()}


def measure_live(
    browser: Browser, address: str, stream: made.Stream, seconds: float
) -> dict[str, Any]:
    """Processor time of a page that shows live traces."""
    sensors = ",".join(map(str, stream.sensors))
    with opened(browser, f"{address}/#/now?sensors={sensors}", COUNT_FRAMES) as page:
        if not stream.is_in_time.wait(PATIENCE_MS / 1_000):
            raise TimeoutError("the stream does not keep up: leave the machine to it alone")
        page.wait_for_timeout(WARM_S * 1_000)
        before, frames = chromium_cpu_s(), page.evaluate("framesDrawn")
        start_s = time.monotonic()
        page.wait_for_timeout(seconds * 1_000)
        after, wall_s = chromium_cpu_s(), time.monotonic() - start_s
        drawn = page.evaluate("framesDrawn") - frames
    after.subtract(before)
    return {
        "traces": len(stream.sensors),
        "seconds": round(wall_s, 1),
        "core_share": round(sum(after.values()) / wall_s, 4),
        "core_share_by_process": {k: round(s / wall_s, 4) for k, s in sorted(after.items())},
        "frames_per_s": round(drawn / wall_s, 2),
        "wanted_frames_per_s": WANTED_FRAMES_PER_S,
    }


def measure_catalogue(browser: Browser, address: str, total: int) -> dict[str, Any]:
    """From the request to the first rows, the figures and the map; and from page to page."""
    found: dict[str, list[float]] = {
        "rows_ms": [], "figures_ms": [], "map_ms": [], "next_page_ms": [],
    }  # fmt: skip
    for _ in range(RUNS):
        with opened(browser, f"{address}/#/catalogue") as page:
            rows = page.get_by_role("region", name="Table of events").get_by_role("row")
            rows.nth(1).wait_for()
            found["rows_ms"].append(page.evaluate("performance.now()"))
            for figure in ("Magnitude", "Depth"):
                page.get_by_role("img", name=f"{figure} of {total} events").wait_for()
            page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
            found["figures_ms"].append(page.evaluate("performance.now()"))
            map_drawn(page)
            found["map_ms"].append(page.evaluate("performance.now()"))
            first, start_ms = rows.nth(1).text_content(), page.evaluate("performance.now()")
            page.get_by_role("button", name="Next page").click()
            rows.nth(1).filter(has_not_text=first).wait_for()
            found["next_page_ms"].append(page.evaluate("performance.now()") - start_ms)
    return {"events": total, **{what: summary(values) for what, values in found.items()}}


def map_drawn(page: Page) -> None:
    """Wait until the map has nothing more to draw."""
    page.locator('.earth[aria-busy="false"]').wait_for()


def summary(values: list[float]) -> dict[str, float]:
    return {"median": round(statistics.median(values), 1), "worst": round(max(values), 1)}


def measure(
    part: str, browser: Browser, address: str, stream: made.Stream, chosen: argparse.Namespace
) -> dict[str, Any]:
    """One part, and how busy the machine was before and after it."""
    before = os.getloadavg()[0]
    match part:
        case "paint":
            found = measure_paint(browser, address)
        case "live":
            found = measure_live(browser, address, stream, chosen.seconds)
        case _:
            found = measure_catalogue(browser, address, chosen.events)
    return {"load_average": [round(before, 1), round(os.getloadavg()[0], 1)], **found}


def main() -> None:
    """Measure, print and write; parts that are not measured keep what was measured before."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=PARTS, help=f"of {', '.join(PARTS)}")
    parser.add_argument("--traces", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--events", type=int, default=100_000)
    chosen = parser.parse_args()
    chromium = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))))
    result = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        places = Places(inventory=(made.write_inventory(folder, chosen.traces),))
        made.write_store(folder, chosen.events)
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        stream = made.Stream(chosen.traces)
        with open_holdings(folder, places) as held, serving(held, stream) as address:
            for part in chosen.parts:
                if part == "live":
                    made.tell_health(held.store)
                result[part] = measure(part, browser, address, stream, chosen)
        result |= {
            "version": zilzal.__version__,
            "machine": platform.platform(),
            "cores_of_the_machine": os.cpu_count(),
            "chromium": browser.version,
            "screen": SCREEN,
            "runs": RUNS,
        }
        browser.close()
    text = json.dumps(result, indent=1, sort_keys=True) + "\n"
    print(text)
    RESULTS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
