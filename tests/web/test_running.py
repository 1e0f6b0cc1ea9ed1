"""Stations of a monitor that runs, fed by a server of records, as the console shows them."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.live.network import monitor_of, served, settings
from tests.web.conftest import Served, serving
from zilzal.app.display.holdings import Places
from zilzal.app.live.monitor import Monitor
from zilzal.app.synthetic import Synthetic
from zilzal.core.coverage import CoverageSpan, Reason
from zilzal.core.ids import ChannelId, StationId
from zilzal.core.performance import StationPerformance
from zilzal.core.time import Time
from zilzal.io.seedlink.client import SeedLinkSource
from zilzal.io.store import Store
from zilzal.synth.telemetry import OutagePlan, TelemetryPlan
from zilzal.web.access.gate import Access

END = Time.parse("2024-03-05T12:01:20Z")
"""Of the records."""
NOW = END + 5.0
PLAN = TelemetryPlan(
    outages=(
        OutagePlan(stations="SY_S02", after_s=100.0, is_lost=True),
        OutagePlan(stations="SY_S03", after_s=0.0, is_lost=True),
        OutagePlan(stations="SY_S04", after_s=60.0, duration_s=30.0, is_lost=True),
    )
)
LIMIT_S = 120.0


@dataclass(frozen=True)
class Stopped:
    """A time of day that stands still, a moment after the records' end; seconds fly."""

    haste: float = 40.0

    def now(self) -> Time:
        return NOW

    def monotonic_s(self) -> float:
        return self.haste * time.monotonic()

    async def sleep(self, span_s: float) -> None:
        await asyncio.sleep(max(span_s / self.haste, 0.001))


@contextmanager
def monitoring(short: Synthetic, folder: Path) -> Iterator[None]:
    """A monitor in a thread; it has had all records, and waits for more."""
    ready, running = threading.Event(), []

    async def work(store: Store) -> None:
        async with served(short, PLAN) as server:
            source = SeedLinkSource(
                server=server.address, begin="all", stale_s=math.inf, keepalive_s=1e6
            )
            monitor = monitor_of(short, folder, settings(tick_s=1.0), [source], store)
            monitor.clock = monitor.health.clock = Stopped()
            running.append((monitor, asyncio.get_running_loop()))
            ready.set()
            await monitor.run()

    with Store.open(folder / "zilzal.db", clock=Stopped().now) as store:
        thread = threading.Thread(target=lambda: asyncio.run(work(store)), daemon=True)
        thread.start()
        assert ready.wait(LIMIT_S)
        monitor: Monitor = running[0][0]
        try:
            yield
        finally:
            running[0][1].call_soon_threadsafe(monitor.stop.set)
            thread.join(LIMIT_S)
            assert not thread.is_alive()


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("running")


@pytest.fixture(scope="module")
def live(short: Synthetic, output: Path, places: Places) -> Iterator[Served]:
    """A console beside the monitor, by the same time of day."""
    with (
        monitoring(short, output),
        serving(output, places, Access(), now=Stopped().now) as console,
    ):
        yield console


def until(ask: Callable[[], dict], is_there: Callable[[dict], bool]) -> dict:
    """Ask again until an answer is as wanted."""
    end_s = time.monotonic() + LIMIT_S
    while not is_there(found := ask()):
        assert time.monotonic() < end_s, found
        # A loop that never rests keeps the monitor's thread from its work.
        threading.Event().wait(0.05)
    return found


def states(answer: dict) -> dict[str, str]:
    return {line["code"]: line["state"] for line in answer["items"]}


def test_stations_are_told_as_the_monitor_sees_them(live: Served, output: Path, places: Places):
    wanted = {f"SY.S{n:02d}": "good" for n in range(1, 7)} | {
        "SY.S02": "late", "SY.S03": "silent",
    }  # fmt: skip

    def is_there(answer: dict) -> bool:
        # Good it is before its last record has come.
        return states(answer) == wanted and answer["items"][0]["data_age_s"] < 5.1

    found = until(lambda: live.get("/api/stations"), is_there)
    lines = {line["code"]: line for line in found["items"]}
    assert lines["SY.S01"]["data_age_s"] == pytest.approx(5.0, abs=0.1)
    assert lines["SY.S01"]["silent_s"] == 0.0
    assert lines["SY.S02"]["data_age_s"] > 30
    assert lines["SY.S03"]["data_age_s"] is None
    assert lines["SY.S03"]["trouble"] == "silent"
    with serving(output, places, Access(), now=lambda: NOW + 61) as later:
        assert set(states(later.get("/api/stations")).values()) == {"stopped"}


def test_gaps_are_told_with_the_stations(live: Served):
    span = {"start": str(NOW - 3_600), "end": str(NOW)}

    def lines(**query: str) -> dict[str, dict]:
        return {line["code"]: line for line in live.get("/api/stations", **query)["items"]}

    until(lambda: lines(**span), lambda found: found["SY.S04"]["gaps"] > 0)
    found = lines(**span)
    assert found["SY.S04"]["gaps"] == 1
    # About 30 s of the first 90 to 200 s, however much the ledger has of it by now.
    assert 0.1 < found["SY.S04"]["gap_share"] < 0.4
    assert found["SY.S03"]["gap_share"] is None
    assert found["SY.S01"]["gaps"] == 0
    assert lines(start=str(NOW - 3_600), end=str(END - 190))["SY.S04"]["gaps"] == 0
    gaps = live.get("/api/stations/SY.S04/history", **span)["gaps"]
    assert {gap["channel"] for gap in gaps} == {f"SY.S04..HH{c}" for c in "ZNE"}
    for gap in gaps:
        assert Time.parse(gap["end"]) - Time.parse(gap["start"]) == pytest.approx(30, abs=15)


def test_history_of_a_minute_is_there_when_it_is_over(live: Served):
    # The time of day stands still: each minute begins at the same instant.
    span = {"start": str(NOW - 60), "end": str(NOW + 60), "points": 2}

    def history(code: str) -> dict:
        return live.get(f"/api/stations/{code}/history", **span)

    until(lambda: history("SY.S01"), lambda found: (found["data_age_s"][1] or 99) < 5.1)
    good, late, silent = (history(f"SY.S{n:02d}") for n in (1, 2, 3))
    assert [found["state"] for found in (good, late, silent)] == [
        [None, "good"], [None, "late"], [None, "silent"],
    ]  # fmt: skip
    assert good["step_s"] == 60
    assert good["monitored_share"] == [0.0, 1.0]
    assert good["data_age_s"] == [None, pytest.approx(5.0, abs=0.1)]
    assert good["silent_s"] == [None, 0.0]
    assert silent["silent_s"] == silent["data_age_s"] == [None, None]
    assert silent["packets_per_min"] == [None, 0.0]


@pytest.mark.parametrize(
    ("code", "query"),
    [
        ("nonsense", {}),
        ("SY.S01", {"end": "2024-03-05"}),
        ("SY.S01", {"start": "2020-01-01"}),
        ("SY.S01", {"points": 0}),
        ("SY.S01", {"points": 2_001}),
        ("SY.S01", {"start": "yesterday"}),
    ],
)
def test_wrong_history_is_refused(console: Served, code: str, query: dict):
    asked = {"start": "2024-03-05", "end": "2024-03-06", **query}
    assert console.get(f"/api/stations/{code}/history", 422, **asked)["detail"]


def test_history_is_drawn_from_minutes_and_the_ledger(desk: Served):
    start = Time.parse("2024-03-06T00:00:00Z")
    channel = ChannelId("SY", "S01", "", "HHZ")
    values = [(1.0, 4.0, 1), (3.0, 8.0, 3), (None, None, 0)]
    minutes = [
        StationPerformance(
            station_id=StationId("SY", "S01"), start=start + 60 * n, span_s=60.0, packets=packets,
            picks=6, arrival_s=arrival_s, silent_s=0.0 if packets else 200.0, data_age_s=age_s,
            behind_s=age_s, noise_db=40.0,
        )
        for n, (arrival_s, age_s, packets) in enumerate(values)
    ]  # fmt: skip
    with Store.open(desk.folder / "zilzal.db") as store:
        store.put_performance(minutes)
        store.put_coverage([
            CoverageSpan(channel, start, start + 90, Reason.ANALYSED),
            CoverageSpan(channel, start + 90, start + 120, Reason.GAP),
        ])  # fmt: skip
    query = {"start": str(start), "end": str(start + 480), "points": 4}
    found = desk.get("/api/stations/SY.S01/history", **query)
    assert found["step_s"] == 120
    assert found["monitored_share"] == [1.0, 0.5, 0.0, 0.0]
    assert found["state"] == ["good", "silent", None, None]
    assert found["packets_per_min"] == [2.0, 0.0, None, None]
    assert found["picks_per_hour"] == [360.0, 360.0, None, None]
    # One packet took 1 s, three took 3 s; the largest age counts.
    assert found["arrival_s"] == [2.5, None, None, None]
    assert found["data_age_s"] == [8.0, None, None, None]
    assert found["noise_db"] == [40.0, 40.0, None, None]
    assert found["gap_share"] == [0.25, None, None, None]
    assert (found["gap_total"], len(found["gaps"])) == (1, 1)
    finer = desk.get("/api/stations/SY.S01/history", **{**query, "points": 480})
    assert np.nansum(np.array(finer["gap_share"], float)) == pytest.approx(30)
    assert sum(finer["monitored_share"]) == pytest.approx(180)
