"""What happens to records between digitiser and server."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.io.waveform_files import T0, noise, records
from zilzal.core.errors import ConfigError, FormatError
from zilzal.io.playback import Delivery, deliveries
from zilzal.io.record import read_record, record_trace
from zilzal.synth.telemetry import (
    ClockStepPlan,
    LinkPlan,
    OutagePlan,
    TelemetryPlan,
    parse_telemetry,
    travel,
)

STATIONS = ("AAA", "BBB", "CCC")


@pytest.fixture(scope="module")
def sent():
    """Records of three stations, two minutes."""
    made = [
        read_record(content)
        for number, station in enumerate(STATIONS)
        for content in records(noise(12_000, number), channel=f"XX_{station}__H_H_Z")
    ]
    return list(deliveries(sorted(made, key=lambda r: r.end)))


def by_station(found: list[Delivery]) -> dict[str, list[Delivery]]:
    stations: dict[str, list[Delivery]] = {station: [] for station in STATIONS}
    for delivery in found:
        stations[delivery.record.channel_id.station].append(delivery)
    return stations


def contents(found):
    return [d.record.content for d in found]


def test_without_faults_all_arrive_when_they_are_sent(sent):
    assert [(d.time, d.record.content) for d in travel(sent, TelemetryPlan())] == [
        (d.time, d.record.content) for d in sent
    ]


def test_delay_is_that_of_the_first_plan_that_matches(sent):
    links = (LinkPlan(stations="XX_A*", delay_s=5.5), LinkPlan(delay_s=1.0))
    found = by_station(list(travel(sent, TelemetryPlan(links=links))))
    late = {s: {round(d.time - d.record.end, 6) for d in found[s]} for s in STATIONS}
    assert late == {"AAA": {5.5}, "BBB": {1.0}, "CCC": {1.0}}


def test_jitter_has_its_mean_and_keeps_each_stations_order(sent):
    plan = TelemetryPlan(links=(LinkPlan(jitter_s=0.2),))
    found = list(travel(sent, plan))
    assert [d.time for d in found] == sorted(d.time for d in found)
    for station, mine in by_station(found).items():
        assert contents(mine) == contents(by_station(sent)[station])
    # 170 draws: the mean is known to 8 %; waiting for the one before only adds to it.
    assert 0.15 < np.mean([d.time - d.record.end for d in found]) < 0.4


def test_share_of_lost_and_of_doubled_records(sent):
    lost = list(travel(sent, TelemetryPlan(links=(LinkPlan(loss=0.3),))))
    assert len(lost) == pytest.approx(0.7 * len(sent), abs=4 * np.sqrt(0.21 * len(sent)))
    doubled = Counter(contents(travel(sent, TelemetryPlan(links=(LinkPlan(duplication=0.3),)))))
    assert set(doubled) == set(contents(sent))
    assert set(doubled.values()) == {1, 2}


def test_disorder_changes_the_order_and_nothing_else(sent):
    plan = TelemetryPlan(links=(LinkPlan(disorder=0.5, disorder_s=20.0),))
    found = list(travel(sent, plan))
    assert sorted(contents(found)) == sorted(contents(sent))
    assert contents(found) != contents(sent)
    assert max(d.time - d.record.end for d in found) <= 20.0


def test_what_an_outage_holds_comes_in_a_burst_at_its_end(sent):
    outage = OutagePlan(stations="XX_BBB", after_s=30, duration_s=40)
    begin = sent[0].time
    found = by_station(list(travel(sent, TelemetryPlan(outages=(outage,)))))
    assert contents(found["BBB"]) == contents(by_station(sent)["BBB"])
    late = [d for d in found["BBB"] if d.time != d.record.end]
    assert {round(d.time - begin, 6) for d in late} == {70.0}
    assert all(30 <= d.record.end - begin < 70 for d in late)
    assert len(late) > 5
    assert all(d.time == d.record.end for d in found["AAA"] + found["CCC"])


def test_a_slow_link_takes_time_to_catch_up(sent):
    plan = TelemetryPlan(
        links=(LinkPlan(records_per_s=1.0),),
        outages=(OutagePlan(stations="XX_BBB", after_s=30, duration_s=40),),
    )
    mine = by_station(list(travel(sent, plan)))["BBB"]
    after = [d.time - sent[0].time for d in mine if d.time - sent[0].time >= 70]
    assert np.allclose(np.diff(after[:10]), 1.0)


@pytest.mark.parametrize("outage", [OutagePlan(after_s=30, duration_s=40, is_lost=True)])
def test_an_outage_that_loses_leaves_a_hole(sent, outage):
    begin = sent[0].time
    found = list(travel(sent, TelemetryPlan(outages=(outage,))))
    assert contents(found) == [d.record.content for d in sent if not 30 <= d.time - begin < 70]


def test_a_dead_station_is_never_heard_again(sent):
    found = list(travel(sent, TelemetryPlan(outages=(OutagePlan(stations="*_CCC", after_s=60),))))
    mine = by_station(found)["CCC"]
    assert 0 < len(mine) < len(by_station(sent)["CCC"])
    assert max(d.time for d in mine) - sent[0].time < 60


def test_clock_steps_change_time_stamps_alone(sent):
    step = ClockStepPlan(stations="XX_AAA", after_s=50, duration_s=30, step_s=-2.5)
    found = by_station(list(travel(sent, TelemetryPlan(clock_steps=(step,)))))
    begin = sent[0].time
    for before, after in zip(by_station(sent)["AAA"], found["AAA"], strict=True):
        is_off = 50 <= before.time - begin < 80
        assert after.time == before.time
        wanted, got = record_trace(before.record.content), record_trace(after.record.content)
        assert got.start - wanted.start == (-2.5 if is_off else 0.0)
        assert after.record.start == got.start
        assert np.array_equal(got.samples, wanted.samples)


def test_damaged_records_say_whose_they_are_but_cannot_be_decoded(sent):
    found = list(travel(sent, TelemetryPlan(links=(LinkPlan(corruption=0.5),))))
    broken = 0
    for before, after in zip(sent, found, strict=True):
        assert read_record(after.record.content).channel_id == before.record.channel_id
        if after.record.content != before.record.content:
            with pytest.raises(FormatError):
                record_trace(after.record.content)
            broken += 1
    assert broken == pytest.approx(len(sent) / 2, abs=2 * np.sqrt(len(sent)))


ANY_PLAN = st.builds(
    TelemetryPlan,
    seed=st.integers(0, 5),
    links=st.lists(
        st.builds(
            LinkPlan,
            stations=st.sampled_from(["*", "XX_AAA", "*_B*"]),
            delay_s=st.floats(0, 20),
            jitter_s=st.floats(0, 5),
            loss=st.floats(0, 0.5),
            duplication=st.floats(0, 0.5),
            disorder=st.floats(0, 0.5),
            corruption=st.floats(0, 0.5),
            records_per_s=st.sampled_from([0.0, 1.0, 50.0]),
        ),
        max_size=2,
    ).map(tuple),
    outages=st.lists(
        st.builds(
            OutagePlan,
            after_s=st.floats(0, 100),
            duration_s=st.floats(1, 100) | st.just(float("inf")),
            is_lost=st.booleans(),
        ),
        max_size=2,
    ).map(tuple),
)


@settings(max_examples=20)
@given(plan=ANY_PLAN)
def test_nothing_arrives_before_it_is_sent_and_times_never_go_back(sent, plan):
    found = list(travel(sent, plan))
    assert [d.time for d in found] == sorted(d.time for d in found)
    assert all(d.time >= d.record.end for d in found)


@settings(max_examples=20)
@given(plan=ANY_PLAN, left_out=st.sampled_from(STATIONS))
def test_a_stations_fate_does_not_depend_on_the_others(sent, plan, left_out):
    begin = [sent[0]]
    rest = begin + [d for d in sent[1:] if d.record.channel_id.station != left_out]
    alone, together = (by_station(list(travel(x, plan))) for x in (rest, sent))
    for station in {*STATIONS} - {left_out, sent[0].record.channel_id.station}:
        assert [(d.time, d.record.content) for d in alone[station]] == [
            (d.time, d.record.content) for d in together[station]
        ]


def test_plan_is_read_from_toml():
    plan = parse_telemetry(
        """
        seed = 3
        [[links]]
        stations = "XX_A*"
        delay_s = 2
        [[outages]]
        after_s = 10
        [[failures]]
        after_s = 5
        duration_s = 2
        is_forgetful = true
        """
    )
    assert plan.links == (LinkPlan(stations="XX_A*", delay_s=2),)
    assert plan.outages == (OutagePlan(after_s=10),)
    assert plan.failures[0].is_forgetful


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("speed = 1", "has no key 'speed'"),
        ("[[links]]\nloss = 2", "[[links]] 1: LinkPlan: loss is 2; give 0 to 1"),
        ("[[links]]\ndelay = 2", "[[links]] 1 has no key 'delay'"),
        ("[[links]]\ndelay_s = 'x'", "[[links]] 1: "),
        ("[[outages]]\nstations = 'X Y'", "[[outages]] 1: not a station pattern"),
        ("[[failures]]\nafter_s = 5\nduration_s = 9\n[[failures]]\nafter_s = 6", "overlap"),
        ("links = 3", "[[links]] 1 is 3, not a table"),
        ("=", "not TOML"),
    ],
)
def test_wrong_plan_is_refused(text, said):
    with pytest.raises(ConfigError) as caught:
        parse_telemetry(text)
    assert said in str(caught.value)


def test_first_record_begins_the_plan():
    made = [read_record(c) for c in records(noise(3_000), 1_000.0)]
    plan = TelemetryPlan(outages=(OutagePlan(after_s=5, is_lost=True),))
    found = list(travel(deliveries(made), plan))
    assert found[0].time == made[0].end
    assert all(d.time < made[0].end + 5 for d in found)
    assert made[0].start == T0 + 1_000.0
