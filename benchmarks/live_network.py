"""A whole monitor on a large network: cores, real-time factor, backlog, memory, latency.

A synthetic network of 100 Hz stations, with noise and earthquakes, is played in real time to a
monitor with all that it does: decoding, recording on disk, picking, preliminary picks, events,
the store. Its clock counts processor time and not the time of day: it goes on by what the
monitor's process has spent, all threads together and the making of the records left out, and
jumps to the next thing to do when nothing is done. So it is measured as on one core that does
nothing else, however busy the machine is; filling the tables of travel times, which a monitor
does once at its start, is left out. Writes benchmarks/results/live_network.json.

    python benchmarks/live_network.py [--stations 100 1000] [--seconds 180]
"""

from __future__ import annotations

import argparse
import asyncio
import heapq
import json
import os
import platform
import resource
import tempfile
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path
from typing import Any

import numpy as np

import zilzal
from zilzal.app.configuration import read_configuration
from zilzal.app.live.monitor import Monitor
from zilzal.app.replay import synthetic_recording
from zilzal.core.packet import Bookmark, Link, Packet
from zilzal.core.time import Time
from zilzal.io.playback import Delivery, deliveries
from zilzal.io.record import record_trace
from zilzal.io.recorder import Recorder
from zilzal.io.store import Store
from zilzal.synth.network import build_network
from zilzal.synth.scenario import parse_scenario

RESULTS = Path(__file__).parent / "results" / "live_network.json"
SPACING_M = 12_000.0
BATCH = 512
WARM_S = 60
"""Before, stations begin one after the other, and the associator learns the network anew."""
POLL_S = 0.002

SCENARIO = """
name = "large"
seed = 3
start = "2024-03-05T00:00:00Z"
duration_s = {seconds}
latitude = 47.0
longitude = 12.0
sampling_rate = 100

[network]
n_stations = {stations}
aperture_m = {aperture_m}

[noise]
level = 0.35

[seismicity]
rate_per_hour = {rate}
smallest = 1.0
largest = 3.0
radius_m = {radius_m}
"""


@dataclass(eq=False)
class ProcessorClock:
    """Time that goes on by processor time, and jumps over what nobody works in.

    Args:
        start: of the day.
        left_out_s: processor time that is not the monitor's.
        skipped_s: what was jumped over.
        spent_in: processor time by function that was called in a thread.
    """

    start: Time
    left_out_s: float = 0.0
    skipped_s: float = 0.0
    spent_in: Counter[str] = field(default_factory=Counter)
    _begun_s: float = field(default_factory=time.process_time)
    _busy: int = 0
    _sleepers: list[tuple[float, int, asyncio.Future[None]]] = field(default_factory=list)
    _order: Iterator[int] = field(default_factory=count)

    @property
    def spent_s(self) -> float:
        """Processor time of the monitor."""
        return time.process_time() - self._begun_s - self.left_out_s

    def monotonic_s(self) -> float:
        """See `Clock`."""
        return self.spent_s + self.skipped_s

    def now(self) -> Time:
        """See `Clock`."""
        return self.start + self.monotonic_s()

    async def sleep(self, span_s: float) -> None:
        """See `Clock`."""
        if span_s <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.monotonic_s() + span_s, next(self._order), woken))
        await woken

    @asynccontextmanager
    async def going(self) -> AsyncGenerator[None]:
        """Wake sleepers while the block runs; work in threads counts as being busy."""
        to_thread, driver = asyncio.to_thread, asyncio.create_task(self._drive())

        def timed(work: Callable[..., Any], *arguments: Any) -> Any:
            begun_s = time.thread_time()
            try:
                return work(*arguments)
            finally:
                self.spent_in[work.__qualname__] += time.thread_time() - begun_s

        async def counted(work: Callable[..., Any], *arguments: Any) -> Any:
            self._busy += 1
            try:
                return await to_thread(timed, work, *arguments)
            finally:
                self._busy -= 1

        asyncio.to_thread = counted
        try:
            yield
        finally:
            asyncio.to_thread = to_thread
            driver.cancel()

    async def _drive(self) -> None:
        while True:
            # Let all that can go on do so before time is jumped over.
            for _ in range(20):
                await asyncio.sleep(0)
            if not self._busy and self._sleepers:
                self.skipped_s += max(self._sleepers[0][0] - self.monotonic_s(), 0.0)
            elif self._busy:
                await asyncio.sleep(POLL_S)
            while self._sleepers and self._sleepers[0][0] <= self.monotonic_s():
                _, _, woken = heapq.heappop(self._sleepers)
                if not woken.done():
                    woken.set_result(None)


@dataclass(frozen=True)
class Feed:
    """Records at their times, made before the monitor's clock counts."""

    coming: Iterator[Delivery]
    clock: ProcessorClock
    name: str = "synthetic"

    @asynccontextmanager
    async def open(self, _bookmarks: Iterable[Bookmark], _clock: Any) -> AsyncGenerator[Feed]:
        """See `PacketSource`."""
        yield self

    def links(self) -> tuple[Link, ...]:
        """See `PacketStream`."""
        return ()

    def _made(self) -> list[Delivery]:
        begun_s = time.process_time()
        made = list(islice(self.coming, BATCH))
        self.clock.left_out_s += time.process_time() - begun_s
        return made

    async def __aiter__(self) -> AsyncIterator[Packet]:
        number = 0
        while made := self._made():
            for delivery in made:
                await self.clock.sleep(delivery.time - self.clock.now())
                number += 1
                content = delivery.record.content
                yield Packet(
                    bookmark=Bookmark(self.name, "", str(number)),
                    arrived=self.clock.now(),
                    traces=(record_trace(content),),
                    record=content,
                )


class Counting:
    """A recorder that notes how many records had waited for each round, and when it was warm.

    Args:
        recorder: that records.
        clock: of the monitor.
        warm: from when on things count: by then all stations are worked on.
    """

    def __init__(self, recorder: Recorder, clock: ProcessorClock, warm: Time) -> None:
        self._recorder, self._clock, self._warm = recorder, clock, warm
        self.counts: list[int] = []
        self.spent_s = 0.0
        self.spent_in: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._recorder, name)

    def write(self, packets: list[Packet]) -> None:
        """Record them."""
        if self._clock.now() < self._warm:
            self.spent_s, self.spent_in = self._clock.spent_s, Counter(self._clock.spent_in)
        else:
            self.counts.append(len(packets))
        self._recorder.write(packets)


def measure(stations: int, seconds: int, events_per_hour: float, picker: str) -> dict[str, Any]:
    """One network."""
    aperture_m = SPACING_M * stations**0.5
    scenario = parse_scenario(
        SCENARIO.format(
            stations=stations, seconds=seconds, aperture_m=aperture_m, radius_m=aperture_m / 2,
            rate=events_per_hour,
        )
    )  # fmt: skip
    network, recording = build_network(scenario), synthetic_recording(scenario)
    configuration = read_configuration(
        changes={"picker": {"use": picker}, "associator": {"min_picks": 8}}
    )
    with tempfile.TemporaryDirectory() as folder:
        for _ in configuration.locator.prepare(network.inventory.stations()):
            pass
        coming = deliveries(recording.records(recording.start, recording.end))
        first = next(coming)
        clock = ProcessorClock(first.time)
        feed = Feed(coming, clock)
        recorder = Counting(
            Recorder(Path(folder) / "records", configuration.gaps), clock, recording.start + WARM_S
        )

        async def work(store: Store) -> Monitor:
            monitor = Monitor(
                configuration=configuration,
                inventory=network.inventory,
                sources=[feed],
                store=store,
                recorder=recorder,
                clock=clock,
            )
            async with clock.going():
                await monitor.run()
            return monitor

        with Store.open(Path(folder) / "zilzal.db", clock=clock.now) as store:
            before = resource.getrusage(resource.RUSAGE_SELF)
            monitor = asyncio.run(work(store))
            events = list(store.events())
            picks = len(store.picks(configuration=configuration.picking_sha256))
        after = resource.getrusage(resource.RUSAGE_SELF)
    late_s = clock.monotonic_s() - seconds
    measured_s, spent_s = seconds - WARM_S, clock.spent_s - recorder.spent_s
    spent_in = clock.spent_in - recorder.spent_in
    return {
        "stations": stations,
        "data_s": seconds,
        "events_per_hour": events_per_hour,
        "true_events": len(network.events),
        "records": sum(s.packets for s in monitor.health.stations.values()),
        "warm_after_s": WARM_S,
        "cpu_s_until_warm": round(recorder.spent_s, 1),
        "cpu_s": round(spent_s, 1),
        "cpu_in_threads_s": {name: round(spent_s, 1) for name, spent_s in spent_in.most_common(8)},
        "system_cpu_s": round(after.ru_stime - before.ru_stime, 1),
        "cores": round(spent_s / measured_s, 3),
        "real_time_factor_of_one_core": round(measured_s / spent_s, 2),
        "ended_after_the_data_s": round(late_s, 1),
        "records_a_round": {
            "median": int(np.median(recorder.counts)),
            "largest": max(recorder.counts),
            "last": recorder.counts[-1],
        },
        "latency_s": {
            text: {str(q): histogram.quantile_s(q) for q in (0.5, 0.95, 0.99)}
            for text, histogram in monitor.health.latencies().values()
            if histogram.total
        },
        "final_picks": picks,
        "events": len(events),
        "peak_memory_mb": after.ru_maxrss // 1024,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stations", type=int, nargs="+", default=[100, 1_000])
    parser.add_argument("--seconds", type=int, default=180)
    parser.add_argument("--events-per-hour", type=float, default=60.0)
    parser.add_argument("--picker", default="neural")
    options = parser.parse_args()
    runs = [
        measure(n, options.seconds, options.events_per_hour, options.picker)
        for n in options.stations
    ]
    told = {
        "version": zilzal.__version__,
        "machine": platform.platform(),
        "cores_of_the_machine": os.cpu_count(),
        "load_average": os.getloadavg()[0],
        "picker": options.picker,
        "runs": runs,
    }
    RESULTS.write_text(json.dumps(told, indent=2) + "\n")
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
