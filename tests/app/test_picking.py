"""Pieces of work: how time is cut, and that neither the cut nor a failure shows elsewhere."""

import pickle
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import pytest

from tests.app.short import settings
from zilzal.app.picking import PickingJob, PickingResult, Workshop, is_failure, jobs_of
from zilzal.app.plan import Stretch, make_plan
from zilzal.app.synthetic import Synthetic
from zilzal.core.coverage import Reason, tally_hours
from zilzal.core.ids import ChannelId, SensorId
from zilzal.core.stage import Picked
from zilzal.core.time import Time
from zilzal.io.archive import Archive, FileSpan
from zilzal.io.inventory import read_inventory
from zilzal.pick.stalta import StaLtaPicker

NOON = Time.parse("2024-03-05T12:00:00Z")


def stretch(start: Time, end: Time) -> Stretch:
    sensor = SensorId.parse("XX.A..HH")
    return Stretch(sensor, start, end, tuple(sensor.channel_id(c) for c in "ZNE"))


@pytest.mark.parametrize("chunk_h", [0.05, 1.0, 7.0, 24.0, 240.0])
def test_jobs_tile_the_stretch_and_cut_at_multiples_of_the_chunk(chunk_h):
    jobs = list(jobs_of(stretch(NOON - 5_000.5, NOON + 7_000.25), chunk_h))
    assert jobs[0].start == NOON - 5_000.5
    assert jobs[-1].end == NOON + 7_000.25
    assert all(one.end == two.start for one, two in pairwise(jobs))
    assert all(job.end.ns % round(chunk_h * 3_600e9) == 0 for job in jobs[:-1])
    assert all(job.end - job.start <= chunk_h * 3_600 for job in jobs)
    assert [job.is_last for job in jobs] == [False] * (len(jobs) - 1) + [True]


def test_days_are_cut_at_midnight():
    jobs = list(jobs_of(stretch(NOON, NOON + 86_400), 24.0))
    assert [str(job.end) for job in jobs] == [
        "2024-03-06T00:00:00.000000Z",
        "2024-03-06T12:00:00.000000Z",
    ]


def test_stretch_that_ends_at_a_cut_has_no_empty_job():
    assert len(list(jobs_of(stretch(NOON, NOON + 3_600), 1.0))) == 1


def test_keys_of_jobs_differ():
    jobs = list(jobs_of(stretch(NOON, NOON + 86_400), 1.0))
    assert len({job.key for job in jobs}) == 24


def keys_of(*files: FileSpan) -> list[str]:
    one = stretch(NOON, NOON + 3 * 3_600)
    return [job.key for job in jobs_of(one, 1.0, Archive(tuple(sorted(files))))]


def test_job_is_another_one_when_its_time_has_got_other_samples():
    hour = [
        FileSpan(c, NOON + n * 3_600, NOON + (n + 1) * 3_600, Path(f"{n}"), 360_000)
        for n in range(3)
        for c in stretch(NOON, NOON + 1).channel_ids
    ]
    before = keys_of(*hour)
    assert keys_of(*(replace(file, path=Path("elsewhere")) for file in hour)) == before
    filled = [*hour[:3], replace(hour[3], count=359_000), *hour[4:]]
    assert [a == b for a, b in zip(keys_of(*filled), before, strict=True)] == [True, False, True]
    lacking = [*hour[:3], *hour[4:]]
    assert [a == b for a, b in zip(keys_of(*lacking), before, strict=True)] == [True, False, True]


def test_samples_of_a_file_that_reaches_over_a_cut_count_too():
    channel = stretch(NOON, NOON + 1).channel_ids[0]
    hour = FileSpan(channel, NOON + 3_590, NOON + 7_200, Path("one"), 300_000)
    before, filled = keys_of(hour), keys_of(replace(hour, count=361_000))
    assert [a == b for a, b in zip(before, filled, strict=True)] == [False, False, True]


def test_file_that_grows_changes_no_job_whose_time_it_had_filled():
    channel = stretch(NOON, NOON + 1).channel_ids[0]
    short, long = (
        keys_of(FileSpan(channel, NOON, NOON + length_s, Path("one"), round(100 * length_s)))
        for length_s in (2.5 * 3_600, 2.75 * 3_600)
    )
    assert [a == b for a, b in zip(short, long, strict=True)] == [True, True, False]


def workshop_of(short: Synthetic, **tables) -> Workshop:
    return Workshop(
        archive=Archive.open(short.waveforms),
        inventory=read_inventory(short.inventory),
        configuration=settings(**tables),
    )


def work_through(workshop: Workshop, chunk_h: float) -> list[PickingResult]:
    results: list[PickingResult] = []
    plan = make_plan(workshop.archive, workshop.inventory, ("HH",))
    for one in plan.stretches:
        state = None
        for job in jobs_of(one, chunk_h):
            results.append(workshop.work(replace(job, state=state)))
            state = results[-1].state
    return results


def gathered(results: list[PickingResult]) -> tuple[set, set, list]:
    """All that a run stores of its jobs."""
    picks = {pick for result in results for pick in result.picks}
    detections = {detection for result in results for detection in result.detections}
    hours = tally_hours(span for result in results for span in result.spans)
    return picks, detections, [replace(hour, seconds=round(hour.seconds, 6)) for hour in hours]


@pytest.fixture(scope="module")
def undivided(short: Synthetic):
    """Picked in one go with each picker."""
    return {use: gathered(work_through(workshop_of(short, picker={"use": use}), 24.0))
            for use in ("stalta", "neural")}  # fmt: skip


def test_every_station_has_picks_on_both_sides_of_the_cut(undivided):
    for picks, _, _ in undivided.values():
        assert {p.channel_id.station for p in picks} == {f"S0{n}" for n in range(1, 7)}
        assert {p.time < NOON for p in picks} == {True, False}


@pytest.mark.parametrize("use", ["stalta", "neural"])
@pytest.mark.parametrize("chunk_h", [0.005, 0.05, 0.5])
def test_cut_into_jobs_changes_nothing(short, undivided, use, chunk_h):
    results = work_through(workshop_of(short, picker={"use": use}), chunk_h)
    picks, detections, hours = gathered(results)
    whole = undivided[use]
    assert sorted((p.id, p.time.ns) for p in picks) == sorted((p.id, p.time.ns) for p in whole[0])
    assert picks == whole[0]
    assert detections == whole[1]
    assert hours == whole[2]


def test_light_workshop_does_the_same_in_another_process(short, undivided):
    sent = pickle.loads(pickle.dumps(workshop_of(short).light()))
    assert gathered(work_through(sent, 24.0)) == undivided["stalta"]


def test_picks_and_detections_say_which_settings_made_them(short, undivided):
    key = settings().picking_sha256
    made = [*undivided["stalta"][0], *undivided["stalta"][1]]
    assert {thing.provenance.configuration for thing in made} == {key}


def test_ledger_holds_every_second_of_every_channel(short, undivided):
    seconds: dict[ChannelId, float] = {}
    for hour in undivided["stalta"][2]:
        seconds[hour.channel_id] = seconds.get(hour.channel_id, 0.0) + hour.seconds
    assert len(seconds) == 18
    assert set(seconds.values()) == {200.0}


@dataclass(frozen=True)
class Fails:
    """A picker that cannot stand one station."""

    station: str
    inner: StaLtaPicker = field(default_factory=StaLtaPicker)

    def start(self):
        return self.inner.start()

    def step(self, state, windows):
        if any(window.sensor_id.station == self.station for window in windows):
            raise KeyError("no such thing")
        return self.inner.step(state, windows)

    def finish(self, state) -> Picked:
        return self.inner.finish(state)


def test_failure_is_a_result_and_stops_no_other_station(short, undivided):
    workshop = workshop_of(short)
    configuration = replace(workshop.configuration, picker=Fails("S03"))
    results = work_through(replace(workshop, configuration=configuration), 24.0)
    (failed,) = [result for result in results if result.error]
    assert failed.error == "KeyError: 'no such thing'"
    assert failed.picks == ()
    assert {(s.channel_id.channel, s.reason, s.duration_s) for s in failed.spans} == {
        (f"HH{c}", Reason.FAILED, 200.0) for c in "ZNE"
    }
    assert all("no such thing" in span.note for span in failed.spans)
    picks = {pick for result in results for pick in result.picks}
    assert picks == {p for p in undivided["stalta"][0] if p.channel_id.station != "S03"}


def test_job_after_a_failed_one_begins_anew(short):
    workshop = workshop_of(short)
    (first, *_) = make_plan(workshop.archive, None, ("HH",)).stretches
    _, second = jobs_of(first, 0.05)
    broken = workshop.work(replace(second, state=b"not a state"))
    assert broken.error
    assert is_failure(broken.state)
    anew = workshop.work(replace(second, state=broken.state))
    assert not anew.error
    assert anew == workshop.work(replace(second, state=None))
    assert {span.start >= NOON for span in anew.spans} == {True}


def test_channel_without_response_is_told_in_the_ledger(short):
    workshop = workshop_of(short)
    inventory = workshop.inventory
    assert inventory is not None
    bare = replace(inventory, channels=tuple(replace(c, response=None) for c in inventory.channels))
    results = work_through(replace(workshop, inventory=bare), 24.0)
    reasons = {hour.reason for hour in gathered(results)[2]}
    assert Reason.NO_RESPONSE in reasons
    assert Reason.ANALYSED not in reasons


def test_job_is_a_value_that_can_be_sent():
    (job,) = jobs_of(stretch(NOON, NOON + 60), 24.0)
    assert pickle.loads(pickle.dumps(job)) == job
    assert isinstance(job, PickingJob)
