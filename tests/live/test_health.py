"""How stations do: against their own history, by their clocks' word, and why they are silent."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from tests.clock import ManualClock
from tests.io.examples import event
from zilzal.app.live.alerts import deliver, enqueue
from zilzal.app.live.habit import HOUR_S, WEEK_S, Average
from zilzal.app.live.health import Health, Pulse
from zilzal.app.live.metrics import metrics
from zilzal.app.live.status import StationStatus, read_status
from zilzal.core.alert import AlertRule
from zilzal.core.coverage import CoverageSpan, Reason
from zilzal.core.ids import ChannelId
from zilzal.core.packet import Bookmark, Link, LinkState, Packet
from zilzal.core.pick import Phase, Pick, Provenance
from zilzal.core.time import Time
from zilzal.core.waveform import Trace
from zilzal.io.alert_sinks import CommandSink
from zilzal.io.record import make_records, record_timing
from zilzal.io.store import Store

CHANNEL = ChannelId("XX", "A", "", "HHZ")
START = Time.parse("2024-03-05T00:00:00Z")
SOURCE = "seedlink://example.org:18000"


def quarter(number: int, level: float, record: bytes = b"") -> Packet:
    """A quarter of an hour of noise, a sample a second."""
    samples = np.random.default_rng(number).normal(0, level, 900).astype(np.int32)
    start = START + 900.0 * number
    trace = Trace(channel_id=CHANNEL, start=start, sampling_rate=1.0, samples=samples)
    mark = Bookmark(SOURCE, "XX_A", str(number))
    return Packet(bookmark=mark, arrived=trace.next_start, traces=(trace,), record=record)


def pick(after_s: float) -> Pick:
    return Pick(
        channel_id=CHANNEL, phase=Phase.P, time=START + after_s, probability=0.9,
        uncertainty_s=0.1, provenance=Provenance(method="neural", version="1"),
    )  # fmt: skip


def told(health: Health, tmp_path, *links: Link) -> StationStatus:
    """The station as `zilzal status` shows it."""
    clock = health.clock
    with Store.open(tmp_path / "zilzal.db", clock=clock.now) as store:
        store.put_notes(
            health.notes(Pulse(passed={}, shed=frozenset(), waiting=0, links=tuple(links)))
        )
        found = read_status(store, clock.now())
    assert found is not None
    return found.stations[0]


def link(state: LinkState, note: str = "") -> Link:
    return Link(source=SOURCE, state=state, since=START, note=note, connections=1, heard=())


def test_average_forgets_as_its_time_constant_says():
    average = Average(100.0)
    assert average.value is None
    for _ in range(1_000):
        average.add(2.0, 1.0)
    assert average.value == pytest.approx(2.0)
    assert average.seen_s == pytest.approx(1_000.0)
    long = Average(100.0)
    long.add(2.0, 1e6)
    for _ in range(100):
        long.add(5.0, 1.0)
    assert long.value == pytest.approx(5.0 - 3.0 * math.exp(-1.0))


def test_average_does_not_depend_on_how_time_is_cut():
    one, other = Average(60.0), Average(60.0)
    one.add(3.0, 90.0)
    for _ in range(9):
        other.add(3.0, 10.0)
    assert (one.sum, one.weight) == pytest.approx((other.sum, other.weight))


def test_noise_is_held_against_the_stations_own_history(tmp_path):
    health = Health(ManualClock(str(START + 96 * 900.0)))
    for number in range(96):
        health.hear(quarter(number, 100.0))
    # The difference of two independent samples has twice the variance of one.
    expected_db = 20 * math.log10(100.0 * math.sqrt(2.0))
    status = told(health, tmp_path)
    assert status.noise_db == pytest.approx((expected_db, expected_db), abs=0.5)
    assert status.trouble.startswith("not worked on")
    for number in range(96, 104):
        health.hear(quarter(number, 3_000.0))
    status = told(health, tmp_path)
    assert status.noise_db[0] == pytest.approx(expected_db + 29.5, abs=0.5)
    assert status.noise_db[1] < expected_db + 4.0
    assert "dB louder than usual" in status.trouble


def test_there_is_no_usual_noise_before_there_is_a_history(tmp_path):
    health = Health(ManualClock(str(START + 900.0)))
    health.hear(quarter(0, 100.0))
    assert told(health, tmp_path).noise_db[1] is None


def test_history_goes_on_after_a_restart(tmp_path):
    health = Health(ManualClock(str(START + 96 * 900.0)))
    for number in range(96):
        health.hear(quarter(number, 100.0))
    before = told(health, tmp_path)
    again = Health(health.clock)
    notes = health.notes(Pulse(passed={}, shed=frozenset(), waiting=0))
    again.expect([CHANNEL.station_id], notes)
    assert told(again, tmp_path).noise_db == before.noise_db


def test_gaps_and_picks_are_told_by_the_time_of_the_data(tmp_path):
    health = Health(ManualClock(str(START + 86_400.0)))
    health.expect([CHANNEL.station_id], {})
    hour = [START + HOUR_S * k for k in range(25)]
    health.note_work([], [], {CHANNEL.sensor_id: hour[0]})
    for start, end in pairwise(hour):
        spans = [
            CoverageSpan(CHANNEL, start, start + 360.0, Reason.GAP),
            CoverageSpan(CHANNEL, start + 360.0, end, Reason.ANALYSED),
            CoverageSpan(CHANNEL, start, start + 1.0, Reason.CLOCK_STEP),
        ]
        health.note_work([pick(0.0)] * 5, spans, {CHANNEL.sensor_id: end})
    status = told(health, tmp_path)
    assert status.gap_share == pytest.approx((0.1, 0.1))
    assert status.picks_per_hour == pytest.approx((5.0, 5.0))
    assert status.picks == 120
    assert status.clock == "24 steps"


@pytest.mark.parametrize("version", [2, 3])
def test_clock_quality_is_read_from_the_record(tmp_path, version):
    content = timed_record(version, quality=37)
    assert record_timing(content).quality_percent == 37.0
    health = Health(ManualClock(str(START + 900.0)))
    health.hear(quarter(0, 100.0, content))
    status = told(health, tmp_path)
    assert status.clock == "37 %"
    assert "clock quality 37 %" in status.trouble


def test_clock_that_its_digitiser_doubts_is_told(tmp_path):
    content = next(iter(make_records(quarter(0, 10.0).traces[0])))
    doubted = bytearray(content)
    doubted[38] |= 0x80
    assert not record_timing(content).is_questionable
    assert record_timing(content).quality_percent is None
    health = Health(ManualClock(str(START + 900.0)))
    health.hear(quarter(0, 100.0, bytes(doubted)))
    assert "doubts its clock" in told(health, tmp_path).trouble


def timed_record(version: int, quality: int) -> bytes:
    """A record whose header gives a timing quality."""
    from pymseed import DataEncoding, MS3Record

    record = MS3Record(reclen=512, encoding=DataEncoding.INT32)
    record.formatversion, record.sourceid = version, "FDSN:XX_A__H_H_Z"
    record.samprate, record.starttime = 1.0, START.ns
    record.set_extra_header("/FDSN/Time/Quality", quality)
    return next(iter(record.generate([1, 2, 3], "i")))


@pytest.mark.parametrize(
    ("links", "reason"),
    [
        ([link(LinkState.WAITING, "refused")], f"{SOURCE} is waiting: refused"),
        ([link(LinkState.CONNECTED)], f"{SOURCE} is connected and sends nothing of it"),
        ([], f"{SOURCE} is no source any more"),
    ],
)
def test_silent_station_says_why(tmp_path, links, reason):
    clock = ManualClock(str(START + 900.0))
    health = Health(clock)
    health.hear(quarter(0, 100.0))
    assert told(health, tmp_path, *links).silence == ""
    clock.step(121.0)
    status = told(health, tmp_path, *links)
    assert (status.trouble, status.silence) == ("silent", reason)
    page = metrics(health, Pulse(passed={}, shed=frozenset(), waiting=0, links=tuple(links)))
    assert f'zilzal_station_silent{{station="XX.A",reason="{reason}"}} 1' in page


def test_station_that_was_never_heard_is_shown_and_not_shed(tmp_path):
    health = Health(ManualClock(str(START)))
    health.expect([CHANNEL.station_id], {})
    assert told(health, tmp_path).silence == "no source has sent anything of it"
    assert health.usefulness() == {}


def test_what_is_usual_is_told_to_prometheus_beside_what_is_now():
    health = Health(ManualClock(str(START)))
    health.expect([CHANNEL.station_id], {})
    health.stations[CHANNEL.station_id].noise_db.add(40.0, WEEK_S)
    page = metrics(health, Pulse(passed={}, shed=frozenset(), waiting=0))
    assert 'zilzal_station_noise_db{station="XX.A"} 40\n' in page
    assert 'zilzal_station_noise_db_usual{station="XX.A"} 40\n' in page
    assert "zilzal_station_gap_share{" not in page


def test_time_from_origin_to_first_alert_is_measured(tmp_path):
    one, now = event(), str(event().time + 7.0)
    health = Health(ManualClock(now))
    sink = CommandSink(command=("true",), rule=AlertRule(least_stations=0))

    async def work(store: Store) -> None:
        clock = ManualClock(now)
        delivering = asyncio.create_task(deliver(store, [sink], clock, health.note_told))
        await clock.asleep()
        delivering.cancel()

    with Store.open(tmp_path / "zilzal.db", clock=health.clock.now) as store:
        enqueue(store, [sink], [one])
        asyncio.run(work(store))
        moved = replace(one, version=2, origin=replace(one.origin, latitude=0.0))
        assert enqueue(store, [sink], [moved]) == 1
        asyncio.run(work(store))
    assert health.to_alert.total == 1, "an update is no first alert"
    assert health.to_alert.sum_s == pytest.approx(7.0)
    page = metrics(health, Pulse(passed={}, shed=frozenset(), waiting=0))
    assert "zilzal_alert_seconds_count 1" in page
