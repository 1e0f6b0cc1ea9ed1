"""Thresholds are never chosen on what is scored."""

import pytest

from zilzal.core.errors import ConfigError
from zilzal.train.overlap import refuse_overlap
from zilzal.train.protocol import Identity
from zilzal.train.sets.moments import Moment


def record(name="a", *, source="set", event="e1", station="XX.A", start_s=0.0, length_s=60.0):
    end_s = None if start_s is None else start_s + length_s
    moment = Moment(
        name=name, split="dev", event=event, group="", station=station, start_s=start_s,
        end_s=end_s, origin_s=None, category="earthquake",
    )  # fmt: skip
    return Identity(source=source, moment=moment, n_windows=1)


def refused(one, other):
    with pytest.raises(ConfigError, match="chosen on what is scored") as caught:
        refuse_overlap([one], [other])
    return str(caught.value)


def test_the_same_record_is_refused_with_the_way_out():
    said = refused(record(), record())
    assert "same event: set/a and set/a" in said
    assert "--allow-overlap" in said


def test_a_record_without_station_time_and_event_knows_itself():
    alone = record(event="a", station="", start_s=None)
    refused(alone, alone)
    refuse_overlap([alone], [record(source="other", event="a", station="", start_s=None)])


def test_another_record_of_an_event_is_refused_within_and_across_sets():
    assert "same event" in refused(record(), record("b", station="XX.B"))
    refused(record(), record("b", source="other", station="XX.B"))


def test_a_running_number_names_an_event_within_its_set_only():
    refused(record(event="7"), record("b", event="7", station="XX.B"))
    refuse_overlap([record(event="7")], [record("b", source="other", event="7", station="XX.B")])


def test_the_same_minute_of_a_station_is_refused():
    other = {"source": "other", "event": "e2"}
    said = refused(record(), record("b", start_s=59.0, **other))
    assert "windows that overlap at the same station" in said
    refuse_overlap([record()], [record("b", start_s=61.0, **other)])
    refuse_overlap([record()], [record("b", station="XX.B", **other)])
    refuse_overlap([record()], [record("b", start_s=None, **other)])
