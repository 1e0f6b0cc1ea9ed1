"""Thresholds are never chosen on what is scored."""

import pytest

from zilzal.core.errors import ConfigError
from zilzal.train.overlap import refuse_overlap
from zilzal.train.protocol import Identity


def record(name="a", *, source="set", event="e1", station="XX.A", start="2020-01-01T00:00:00Z"):
    return Identity(
        source=source, name=name, event=event, station=station, record_start=start,
        record_s=60.0, n_windows=1,
    )  # fmt: skip


def refused(one, other):
    with pytest.raises(ConfigError, match="chosen on what is scored: 1 of 1") as caught:
        refuse_overlap([one], [other])
    return str(caught.value)


def test_the_same_record_is_refused_with_the_way_out():
    said = refused(record(), record())
    assert "a of set (the same record)" in said
    assert "--allow-overlap" in said


def test_another_record_of_an_event_is_refused_within_and_across_sets():
    said = refused(record(), record("b", station="XX.B"))
    assert "the same event, e1" in said
    refused(record(), record("b", source="other", station="XX.B"))


def test_a_running_number_names_an_event_within_its_set_only():
    refused(record(event="7"), record("b", event="7", station="XX.B"))
    refuse_overlap(
        [record(event="7")], [record("b", source="other", event="7", station="XX.B")]
    )  # fmt: skip


def test_the_same_minute_of_a_station_is_refused():
    other = {"source": "other", "event": "e2"}
    said = refused(record(), record("b", start="2020-01-01T00:00:59Z", **other))
    assert "the same time at XX.A" in said
    refuse_overlap([record()], [record("b", start="2020-01-01T00:01:00Z", **other)])
    refuse_overlap([record()], [record("b", station="XX.B", **other)])
    refuse_overlap([record()], [record("b", start="", **other)])


def test_a_long_record_before_a_short_one_is_seen():
    first = Identity(
        source="set", name="day", event="d", station="XX.A", record_start="2020-01-01T00:00:00Z",
        record_s=86_400.0, n_windows=1,
    )  # fmt: skip
    second = record("b", event="e3", start="2020-01-01T02:00:00Z")
    later = record("c", source="other", event="e4", start="2020-01-01T05:00:00Z")
    with pytest.raises(ConfigError, match="the same time at XX"):
        refuse_overlap([first, second], [later])
