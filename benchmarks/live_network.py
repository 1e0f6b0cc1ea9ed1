"""A whole monitor on a large network: cores, real-time factor, backlog, memory, latency.

A synthetic network of 100 Hz stations, with noise and earthquakes, is played in real time to a
monitor with all that it does: decoding, recording on disk, picking, preliminary picks, events,
the store. Its records are made beforehand, by another process. Two clocks:

* "processor" counts processor time and not the time of day: it goes on by what the monitor's
  process has spent, and jumps to the next thing to do when nothing is done. So it is measured as
  on one core that does nothing else, however busy the machine is; or as on two, where it goes on
  by half as much while two threads are at work. That they may wait for each other is left out. What
  the process for events spends counts as well.
* "wall" is that of the day: the monitor runs as it would, on all cores that it gets.

Counted after a minute, in which stations begin and tables of travel times are filled. Writes
benchmarks/results/live_network.json.

    python benchmarks/live_network.py [--stations 100 1000] [--seconds 180] [--clock wall]
"""

from __future__ import annotations

import argparse
import asyncio
import heapq
import json
import multiprocessing
import os
import platform
import resource
import struct
import tempfile
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from copy import copy
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path
from threading import Event as Flag
from threading import Lock, Thread
from typing import Any

import numpy as np

import zilzal
from zilzal.app.configuration import read_configuration
from zilzal.app.live.health import Health
from zilzal.app.live.identity import SAME_PICK_S
from zilzal.app.live.monitor import Monitor
from zilzal.app.replay import synthetic_recording
from zilzal.core.event import Event, Origin
from zilzal.core.ids import ChannelId, SensorId
from zilzal.core.packet import Bookmark, Link, Packet
from zilzal.core.pick import Phase, Pick
from zilzal.core.time import Time
from zilzal.io.playback import deliveries
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
HEAD = struct.Struct("<qI")
NEEDED = 8
"""Picks of an event."""
LOOKAHEAD_S = 5.5
"""Of our networks, see docs/reference/picker-model-card.md."""

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


def processor_s() -> float:
    """Processor time of this process and of those that it has started."""
    started = (child.pid for child in multiprocessing.active_children())
    # The clock of another process, see clock_getcpuclockid(3).
    clocks = (~pid << 3 | 2 for pid in started if pid is not None)
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    running_s = sum(time.clock_gettime(clock) for clock in clocks)
    return time.process_time() + running_s + ended.ru_utime + ended.ru_stime


def kilobytes(path: str, name: str) -> int:
    """A figure of a process that the kernel tells; 0 where the process is gone."""
    try:
        lines = Path(path).read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


@dataclass(eq=False)
class Memory:
    """The most memory of this process and of those that it has started.

    Args:
        resident_kb: by process, the most that it had, pages shared with others counted in each.
        sum_kb: the most at one time, of all of them; a shared page counts once (PSS).
    """

    resident_kb: dict[int, int] = field(default_factory=dict[int, int])
    sum_kb: int = 0

    def look(self) -> None:
        """At how it is now."""
        started = (child.pid for child in multiprocessing.active_children())
        pids = [os.getpid(), *(pid for pid in started if pid is not None)]
        for pid in pids:
            resident_kb = kilobytes(f"/proc/{pid}/status", "VmHWM")
            self.resident_kb[pid] = max(self.resident_kb.get(pid, 0), resident_kb)
        self.sum_kb = max(
            self.sum_kb, sum(kilobytes(f"/proc/{pid}/smaps_rollup", "Pss") for pid in pids)
        )

    @contextmanager
    def watched(self) -> Generator[None]:
        """Look every second while the block runs."""
        is_over = Flag()

        def watch() -> None:
            while not is_over.wait(1.0):
                self.look()

        watcher = Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            is_over.set()
            watcher.join()


@dataclass(eq=False)
class ProcessorClock:
    """Time that goes on by processor time, and jumps over what nobody works in.

    Args:
        start: of the day.
        cores: that threads at work share.
        skipped_s: what was jumped over.
        spent_in: processor time by function that was called in a thread.
    """

    start: Time
    cores: int = 1
    skipped_s: float = 0.0
    spent_in: Counter[str] = field(default_factory=Counter)
    _begun_s: float = field(default_factory=processor_s)
    _busy: int = 0
    _counted_s: float = 0.0
    _passed_s: float = 0.0
    _lock: Lock = field(default_factory=Lock)
    _sleepers: list[tuple[float, int, asyncio.Future[None]]] = field(default_factory=list)
    _order: Iterator[int] = field(default_factory=count)

    @property
    def spent_s(self) -> float:
        """Processor time of the monitor."""
        return processor_s() - self._begun_s

    def monotonic_s(self) -> float:
        """See `Clock`."""
        with self._lock:
            spent_s = self.spent_s
            at_once = min(max(self._busy, 1), self.cores)
            self._passed_s += (spent_s - self._counted_s) / at_once
            self._counted_s = spent_s
            return self._passed_s + self.skipped_s

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
                name = getattr(work, "func", work).__qualname__
                self.spent_in[name] += time.thread_time() - begun_s

        async def counted(work: Callable[..., Any], *arguments: Any) -> Any:
            self.monotonic_s()
            self._busy += 1
            try:
                return await to_thread(timed, work, *arguments)
            finally:
                self.monotonic_s()
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


@dataclass(eq=False)
class WallClock:
    """The time of day, as if it were the recording's.

    Args:
        start: of the recording.
        spent_in: stays empty: threads are not watched.
    """

    start: Time
    spent_in: Counter[str] = field(default_factory=Counter)
    _begun_s: float = field(default_factory=time.monotonic)
    _spent_s: float = field(default_factory=processor_s)

    @property
    def spent_s(self) -> float:
        """Processor time of the monitor."""
        return processor_s() - self._spent_s

    def monotonic_s(self) -> float:
        """See `Clock`."""
        return time.monotonic() - self._begun_s

    def now(self) -> Time:
        """See `Clock`."""
        return self.start + self.monotonic_s()

    async def sleep(self, span_s: float) -> None:
        """See `Clock`."""
        await asyncio.sleep(max(span_s, 0.0))

    @asynccontextmanager
    async def going(self) -> AsyncGenerator[None]:
        """Goes by itself."""
        yield


@dataclass(frozen=True)
class Feed:
    """Records from a file, at their times."""

    path: Path
    clock: ProcessorClock | WallClock
    name: str = "synthetic"

    @asynccontextmanager
    async def open(self, _bookmarks: Iterable[Bookmark], _clock: Any) -> AsyncGenerator[Feed]:
        """See `PacketSource`."""
        yield self

    def links(self) -> tuple[Link, ...]:
        """See `PacketStream`."""
        return ()

    async def __aiter__(self) -> AsyncIterator[Packet]:
        coming = read_deliveries(self.path)
        number = 0
        while made := list(islice(coming, BATCH)):
            for due, content in made:
                await self.clock.sleep(due - self.clock.now())
                number += 1
                yield Packet(
                    bookmark=Bookmark(self.name, "", str(number)),
                    arrived=self.clock.now(),
                    traces=(record_trace(content),),
                    record=content,
                )


def write_deliveries(scenario: str, path: Path) -> None:
    """Make the records of a scenario."""
    recording = synthetic_recording(parse_scenario(scenario))
    with path.open("wb") as file:
        for each in deliveries(recording.records(recording.start, recording.end)):
            content = each.record.content
            file.write(HEAD.pack(each.time.ns, len(content)) + content)


def read_deliveries(path: Path) -> Iterator[tuple[Time, bytes]]:
    """Records and when they are due."""
    with path.open("rb") as file:
        while head := file.read(HEAD.size):
            ns, length = HEAD.unpack(head)
            yield Time(ns), file.read(length)


class Watching(Health):
    """Health that notes when packets came, and when picks and events were told first."""

    def __init__(self, clock: Any) -> None:
        super().__init__(clock)
        self.came: dict[ChannelId, list[tuple[Time, Time]]] = {}
        self.picked: dict[str, tuple[Pick, Time]] = {}
        self.onsets: dict[tuple[SensorId, Phase], list[tuple[Time, Time]]] = {}
        self.stored: list[tuple[Event, Time]] = []

    def hear(self, packet: Packet) -> None:
        """See `Health`."""
        super().hear(packet)
        for trace in packet.traces:
            self.came.setdefault(trace.channel_id, []).append((trace.next_start, packet.arrived))

    def note_preliminary(self, picks: Iterable[Pick], newest: Mapping[StationId, Time]) -> None:
        """See `Health`."""
        told = list(picks)
        super().note_preliminary(told, newest)
        now = self.clock.now()
        for pick in told:
            self.picked.setdefault(pick.id, (pick, now))
            known = self.onsets.setdefault((pick.channel_id.sensor_id, pick.phase), [])
            # Told again a few samples later, it is another pick of the same onset.
            if not any(abs(pick.time - time) <= SAME_PICK_S for time, _ in known):
                known.append((pick.time, now))

    def note_events(self, events: Iterable[Event]) -> None:
        """See `Health`."""
        told = list(events)
        super().note_events(told)
        now = self.clock.now()
        self.stored += [
            (event, now)
            for event in told
            if event.version == 1 and isinstance(event.origin, Origin)
        ]

    def beyond_lookahead_s(self, lookahead_s: float, since: Time) -> list[float]:
        """From the packet with which a network had all that it looks ahead to an onset's pick.

        Args:
            lookahead_s: of the network.
            since: packets before it do not count.
        """
        spans_s: list[float] = []
        onsets = [(s, *onset) for (s, _), told in self.onsets.items() for onset in told]
        for sensor, at, told in onsets:
            needed = at + lookahead_s
            reached = [
                next((arrived for end, arrived in self.came[sensor.channel_id(c)] if end >= needed),
                     told)
                for c in "ZNE"
            ]  # fmt: skip
            if max(reached) >= since:
                spans_s.append(max(told - max(reached), 0.0))
        return spans_s

    def last_pick_to_event_s(self, needed: int) -> list[tuple[float, float]]:
        """From an event's last pick, and from as many as are needed, to its first version."""
        spans_s: list[tuple[float, float]] = []
        for event, stored in self.stored:
            told = sorted(self.picked[p.id][1] for p in event.picks if p.id in self.picked)
            if len(told) >= needed:
                spans_s.append((stored - told[-1], stored - told[needed - 1]))
        return spans_s


class Counting:
    """A recorder that notes how many records had waited for each round, and when it was warm.

    Args:
        recorder: that records.
        clock: of the monitor.
        warm: from when on things count: by then all stations are worked on.
    """

    def __init__(self, recorder: Recorder, clock: ProcessorClock | WallClock, warm: Time) -> None:
        self._recorder, self._clock, self._warm = recorder, clock, warm
        self.counts: list[int] = []
        self.spent_s = 0.0
        self.spent_in: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._recorder, name)

    def __reduce__(self) -> tuple[Any, ...]:
        """To the process for events goes the recorder alone."""
        return copy, (self._recorder,)

    def write(self, packets: list[Packet]) -> None:
        """Record them."""
        if self._clock.now() < self._warm:
            self.spent_s, self.spent_in = self._clock.spent_s, Counter(self._clock.spent_in)
        else:
            self.counts.append(len(packets))
        self._recorder.write(packets)


def measure(options: argparse.Namespace, stations: int) -> dict[str, Any]:
    """One network."""
    seconds: int = options.seconds
    aperture_m = SPACING_M * stations**0.5
    text = SCENARIO.format(
        stations=stations, seconds=seconds, aperture_m=aperture_m, radius_m=aperture_m / 2,
        rate=options.events_per_hour,
    )  # fmt: skip
    network = build_network(parse_scenario(text))
    picker = {"use": options.picker} | ({"model": options.model} if options.model else {})
    configuration = read_configuration(
        changes={"picker": picker, "associator": {"min_picks": NEEDED}}
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "deliveries"
        maker = multiprocessing.get_context("spawn").Process(
            target=write_deliveries, args=(text, path)
        )
        maker.start()
        maker.join()
        start, _ = next(read_deliveries(path))
        clock = WallClock(start)
        if options.clock == "processor":
            clock = ProcessorClock(start, options.cores)
        warm = start + WARM_S
        recorder = Counting(Recorder(Path(folder) / "records", configuration.gaps), clock, warm)
        health = Watching(clock)

        async def work(store: Store) -> None:
            monitor = Monitor(
                configuration=configuration,
                inventory=network.inventory,
                sources=[Feed(path, clock)],
                store=store,
                recorder=recorder,
                clock=clock,
            )
            monitor.health = health
            async with clock.going():
                await monitor.run()

        memory = Memory()
        with Store.open(Path(folder) / "zilzal.db", clock=clock.now) as store, memory.watched():
            before = resource.getrusage(resource.RUSAGE_SELF)
            asyncio.run(work(store))
            events = list(store.events())
            picks = len(store.picks(configuration=configuration.picking_sha256))
        after = resource.getrusage(resource.RUSAGE_SELF)
    late_s = clock.monotonic_s() - seconds
    measured_s, spent_s = seconds - WARM_S, clock.spent_s - recorder.spent_s
    spent_in = clock.spent_in - recorder.spent_in
    to_event_s = health.last_pick_to_event_s(NEEDED)
    return {
        "stations": stations,
        "clock": options.clock,
        "cores_of_the_clock": options.cores if options.clock == "processor" else os.cpu_count(),
        "picker": options.model or options.picker,
        "data_s": seconds,
        "events_per_hour": options.events_per_hour,
        "true_events": len(network.events),
        "records": sum(s.packets for s in health.stations.values()),
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
        "packet_to_pick_beyond_lookahead_s": quantiles(
            health.beyond_lookahead_s(LOOKAHEAD_S, warm)
        ),
        "last_pick_told_to_event_s": [
            {"last": round(last_s, 2), "last_needed": round(needed_s, 2)}
            for last_s, needed_s in to_event_s
        ],
        "latency_s": {
            text: {str(q): histogram.quantile_s(q) for q in (0.5, 0.95, 0.99)}
            for text, histogram in health.latencies().values()
            if histogram.total
        },
        "final_picks": picks,
        "events": len(events),
        "load_average": os.getloadavg()[0],
        "revisions_stored": health.revisions,
        "peak_memory_mb": after.ru_maxrss // 1024,
        "peak_memory_of_events_mb": sum(
            kb for pid, kb in memory.resident_kb.items() if pid != os.getpid()
        ) // 1024,
        "peak_memory_shared_once_mb": memory.sum_kb // 1024,
    }  # fmt: skip


def quantiles(spans_s: list[float]) -> dict[str, float]:
    """Of some spans; none of none."""
    if not spans_s:
        return {}
    return {str(q): round(float(np.quantile(spans_s, q)), 2) for q in (0.5, 0.95, 0.99)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stations", type=int, nargs="+", default=[100, 1_000])
    parser.add_argument("--seconds", type=int, default=180)
    parser.add_argument("--events-per-hour", type=float, default=60.0)
    parser.add_argument("--picker", default="neural")
    parser.add_argument("--model", default="", help="of the neural picker; its default if empty")
    parser.add_argument("--clock", choices=("processor", "wall"), default="processor")
    parser.add_argument(
        "--add", action="store_true", help="to the runs of the result that is there"
    )
    parser.add_argument("--cores", type=int, default=1, help="of the processor clock")
    options = parser.parse_args()
    before = json.loads(RESULTS.read_text())["runs"] if options.add else []
    told = {
        "version": zilzal.__version__,
        "machine": platform.platform(),
        "cores_of_the_machine": os.cpu_count(),
        "runs": [*before, *(measure(options, n) for n in options.stations)],
    }
    RESULTS.write_text(json.dumps(told, indent=2) + "\n")
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
