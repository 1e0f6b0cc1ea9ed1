"""What `console.py` shows: a made catalogue, and a made stream that a page follows in real time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from starlette.requests import Request

from zilzal.app.display.stations import State, StationLine, station_lines
from zilzal.app.display.tail import in_steps, peaks
from zilzal.app.display.traces import Segment
from zilzal.core.event import Classification, Ellipse, Event, EventType, Magnitude, Origin
from zilzal.core.ids import ChannelId, SensorId
from zilzal.core.pick import Phase, Pick, Provenance
from zilzal.core.probability import Probabilities
from zilzal.core.time import Time
from zilzal.io import inventory
from zilzal.io.clock import SystemClock
from zilzal.io.store import Store
from zilzal.synth.network import build_network
from zilzal.synth.scenario import parse_scenario
from zilzal.web.api.event_values import EventLine, PickAnswer
from zilzal.web.api.live import (
    CURVES_S,
    POLL_S,
    STATIONS_S,
    EventStream,
    LiveEvents,
    LivePicks,
    LiveProbabilities,
    LiveStart,
    LiveStations,
    LiveWaveform,
)
from zilzal.web.api.stations import StationAnswer
from zilzal.web.api.trace_values import SegmentAnswer
from zilzal.web.api.values import Answer
from zilzal.web.api.waveforms import CurveSegment

RATE = 100
RECORD_S = 4.0
LOOP_S = 120
"""Signals are repeated after so long; a page begins with one whole loop."""
CURVES_BEHIND_S = 10.0
EVENT_EVERY_S = 20.0
IN_TIME_S = 1.0
BATCH = 2_000
DAY_S = 86_400
MADE = Provenance(method="made", version="1")
SCENARIO = """
name = "console"
seed = 3
start = "2024-03-05T00:00:00Z"
duration_s = 60
latitude = 47.0
longitude = 12.0
sampling_rate = 100
[network]
n_stations = {stations}
aperture_m = 150000
"""


def write_inventory(folder: Path, stations: int) -> Path:
    """A network of so many stations."""
    path = folder / "inventory.xml"
    inventory.write_inventory(build_network(_scenario(stations)).inventory, path)
    return path


def _scenario(stations: int):
    return parse_scenario(SCENARIO.format(stations=stations))


def write_store(folder: Path, events: int) -> None:
    """So many events until now, spread over a year, a valley and the depths of a crust."""
    with Store.open(folder / "zilzal.db") as store:
        now = SystemClock().now()
        rng = np.random.default_rng(0)
        for first in range(0, events, BATCH):
            numbers = range(first, min(first + BATCH, events))
            store.put_events(
                [_event(i, now - (i + 1) * 365 * DAY_S / events, rng) for i in numbers]
            )


def _event(number: int, time: Time, rng: np.random.Generator) -> Event:
    east, north = rng.normal(0, 0.4, 2)
    origin = Origin(
        id=f"origin-{number:08d}",
        time=time,
        latitude=47.0 + float(north),
        longitude=12.0 + float(east),
        depth_m=float(rng.gamma(4.0, 2_500.0)),
        covariance=np.diag([250_000.0, 250_000.0, 1e6, 0.01]),
        ellipse=Ellipse(semi_major_m=800.0, semi_minor_m=500.0, azimuth_deg=30.0, level=0.68),
        arrivals=(),
        rms_s=0.1,
        azimuthal_gap_deg=90.0,
        nearest_station_m=8_000.0,
        quality="ABCD"[rng.choice(4, p=(0.4, 0.3, 0.2, 0.1))],
        depth_fixed=False,
        earth_model="ak135",
        provenance=MADE,
    )
    magnitude = Magnitude(
        id=f"magnitude-{number:08d}",
        origin_id=origin.id,
        magnitude=round(float(rng.exponential(1 / np.log(10))) + 0.5, 2),
        type="ML",
        uncertainty=0.2,
        station_magnitudes=(),
        provenance=MADE,
    )
    kind = Classification(
        event_type=EventType.EARTHQUAKE, label="earthquake", probability=0.9,
        probabilities={"earthquake": 0.9, "blast": 0.1}, provenance=MADE,
    )  # fmt: skip
    return Event(
        id=f"event-{number:08d}", version=1, origin=origin, magnitudes=(magnitude,),
        classification=kind,
    )  # fmt: skip


def tell_health(store: Store) -> None:
    """Have the console believe that a monitor runs."""
    quiet = {"waiting_packets": 0, "refusals": 0, "last_refusal": "", "latency": {}, "shed": []}
    store.put_notes({"live/monitor": quiet})


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """What one sensor records, over and over.

    Args:
        components: counts, by component and sample.
        curves: probabilities of P, S and an event, by sample.
        onset_s: of the P wave, from the beginning of the loop.
    """

    components: np.ndarray
    curves: np.ndarray
    onset_s: float


def _signal(number: int) -> Signal:
    rng = np.random.default_rng(number)
    at_s = np.arange(LOOP_S * RATE) / RATE
    onset_s = float(rng.uniform(20, 60))
    components = rng.normal(0, 50, (3, at_s.size))
    since_s = np.maximum(at_s - onset_s, 0)
    burst = (at_s > onset_s) * np.exp(-since_s / 8) * np.sin(2 * np.pi * 6 * since_s)
    components += 2_000 * burst * rng.uniform(0.3, 1, (3, 1))
    bumps = [np.exp(-(((at_s - onset_s - lag_s) / 0.2) ** 2)) for lag_s in (0.0, 5.0)]
    curves = np.stack([*bumps, np.clip((at_s > onset_s) * np.exp(-since_s / 30), 0, 1)])
    return Signal(
        components=components,
        curves=np.clip(curves + rng.uniform(0, 0.02, curves.shape), 0, 1),
        onset_s=onset_s,
    )


@dataclass(slots=True, eq=False)
class _Follower:
    """What one page has asked for, and how much of each sensor it has been told."""

    sensors: list[SensorId]
    components: list[str]
    step_s: float | None
    start: Time
    told_s: list[float] = field(default_factory=list[float])
    curves_s: list[float] = field(default_factory=list[float])

    def __post_init__(self) -> None:
        self.told_s = [-float(LOOP_S)] * len(self.sensors)
        self.curves_s = list(self.told_s)


class Stream:
    """The made stream, for a route of the server.

    Args:
        number: of sensors.

    Attributes:
        sensors: that there are.
        is_in_time: set once a page has been told all that happened until now.
    """

    def __init__(self, number: int) -> None:
        channels = build_network(_scenario(number)).inventory.channels
        self.sensors = sorted({channel.channel_id.sensor_id for channel in channels})
        self.is_in_time = threading.Event()
        self._signals = [_signal(number) for number in range(number)]

    async def answer(self, request: Request) -> EventStream:
        """The stream of one page."""
        return EventStream(self._messages(request))

    async def _messages(self, request: Request) -> AsyncIterator[str]:
        held = request.app.state.holdings
        lines, newest = station_lines(held), held.store.summaries()[0]
        asked = request.query_params
        page = _Follower(
            sensors=self.sensors[: len(asked.getlist("sensor"))],
            components=asked.getlist("component") or list("ZNE"),
            step_s=float(asked["step_s"]) if "step_s" in asked else None,
            start=held.now(),
        )
        yield _text(LiveStart(time=page.start, cursor="0-0"))
        stations_s = events_s = curves_s = 0.0
        while not await request.is_disconnected():
            now_s = held.now() - page.start
            for text in self._records(page, now_s):
                yield text
            if now_s >= curves_s:
                curves_s += CURVES_S
                for text in self._curves(page, now_s - CURVES_BEHIND_S):
                    yield text
            if now_s >= stations_s:
                stations_s += STATIONS_S
                yield _text(LiveStations(items=[_good(line, held.now()) for line in lines]))
            if now_s >= events_s:
                events_s += EVENT_EVERY_S
                newest = replace(newest, version=newest.version + 1)
                yield _text(LiveEvents(items=[EventLine.of(newest)]))
            if held.now() - page.start < now_s + IN_TIME_S:
                self.is_in_time.set()
            await asyncio.sleep(POLL_S)

    def _records(self, page: _Follower, now_s: float) -> Iterator[str]:
        """Of every sensor what is whole: records end at other times at each."""
        for number, sensor in enumerate(page.sensors):
            shift_s = RECORD_S * number / len(page.sensors)
            until_s = np.floor((now_s - shift_s) / RECORD_S) * RECORD_S + shift_s
            if until_s <= page.told_s[number]:
                continue
            signal = self._signals[number]
            samples = _samples(page.told_s[number], until_s)
            start = page.start + page.told_s[number]
            page.told_s[number] = until_s
            for letter, values in zip("ZNE", signal.components[:, samples], strict=True):
                if letter not in page.components:
                    continue
                segment = Segment(start=start, step_s=1 / RATE, minimum=values)
                shown, _ = in_steps([segment], page.step_s)
                yield _text(
                    LiveWaveform(
                        sensor=str(sensor),
                        channel=str(sensor.channel_id(letter)),
                        segments=[SegmentAnswer.of(piece) for piece in shown],
                    )
                )
            onset = start + (signal.onset_s - samples[0] / RATE)
            if start <= onset < page.start + until_s:
                picks = [_pick(sensor.channel_id("Z"), onset + lag, p) for p, lag in _LAGS]
                yield _text(LivePicks(items=[PickAnswer.of(pick) for pick in picks]))

    def _curves(self, page: _Follower, until_s: float) -> Iterator[str]:
        for number, sensor in enumerate(page.sensors):
            samples = _samples(page.curves_s[number], until_s)
            curves = Probabilities(
                sensor_id=sensor,
                start=page.start + page.curves_s[number],
                sampling_rate=RATE,
                labels=("P", "S", "detection"),
                values=self._signals[number].curves[:, samples].astype(np.float32),
            )
            shown = peaks(curves, page.step_s, is_growing=True)
            page.curves_s[number] += shown.next_start - shown.start
            yield _text(LiveProbabilities(sensor=str(sensor), segments=[CurveSegment.of(shown)]))


_LAGS = ((Phase.P, 0.0), (Phase.S, 5.0))


def _samples(start_s: float, end_s: float) -> np.ndarray:
    """Places in the loop of the samples between two instants."""
    return np.arange(round(start_s * RATE), round(end_s * RATE)) % (LOOP_S * RATE)


def _pick(channel: ChannelId, time: Time, phase: Phase) -> Pick:
    return Pick(
        channel_id=channel, phase=phase, time=time, probability=0.9, uncertainty_s=0.05,
        amplitude_counts=1_000.0, snr=10.0, onset=None, polarity=None, provenance=MADE,
    )  # fmt: skip


def _good(line: StationLine, now: Time) -> StationAnswer:
    lively = replace(
        line, state=State.GOOD, last_data=now, data_age_s=2.0, silent_s=1.0, behind_s=1.0
    )
    return StationAnswer.of(lively)


def _text(answer: Answer) -> str:
    """One server-sent event."""
    kind = type(answer).model_fields["kind"].default
    return f"event: {kind}\ndata: {answer.model_dump_json()}\n\n"
