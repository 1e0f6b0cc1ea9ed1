"""Splits know nothing of each other, and leakage is found where it was put."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zilzal.core.errors import ConfigError
from zilzal.train.seisbench_format import Metadata
from zilzal.train.sets.leakage import Leak, find_leaks
from zilzal.train.sets.moments import Moment, moments
from zilzal.train.sets.split import UNUSED, By, Splitting, grouped, split_traces

DAY = 86_400.0


def moment(name, event, station="XX.A", start=0.0, origin=None, *, length=60.0, **more):
    return Moment(
        name=name, split=more.get("split", ""), event=event, group=more.get("group", ""),
        station=station, start_s=start, end_s=None if start is None else start + length,
        origin_s=origin, category=more.get("category", "earthquake"),
    )  # fmt: skip


def network(n_events=60, n_stations=5, *, apart=600.0):
    """Each event at each station, ten minutes apart."""
    return [
        moment(f"{e}-{s}", f"e{e}", f"XX.S{s}", apart * e + 10 + s, apart * e)
        for e in range(n_events)
        for s in range(n_stations)
    ]


def with_splits(traces, splits):
    return [
        moment(t.name, t.event, t.station, t.start_s, t.origin_s, group=t.group, split=split)
        for t, split in zip(traces, splits, strict=True)
    ]


def shares(splits):
    return {s: splits.count(s) / len(splits) for s in set(splits)}


@pytest.mark.parametrize("by", By)
def test_events_are_whole_and_shares_as_asked(by):
    traces = network()
    splits = split_traces(traces, Splitting(by=by))
    assert find_leaks(with_splits(traces, splits)) == []
    found = shares(splits)
    for name, share in {"train": 0.8, "dev": 0.1, "test": 0.1}.items():
        assert found[name] == pytest.approx(share, abs=0.04)


def test_the_seed_decides():
    traces = network()
    assert split_traces(traces, Splitting(seed=1)) == split_traces(traces, Splitting(seed=1))
    assert split_traces(traces, Splitting(seed=1)) != split_traces(traces, Splitting(seed=2))


def test_time_divides_in_order():
    traces = network()
    splits = split_traces(traces, Splitting(by=By.TIME))
    ends = {s: [t.origin_s for t, x in zip(traces, splits, strict=True) if x == s] for s in
            ("train", "dev", "test")}  # fmt: skip
    assert max(ends["train"]) < min(ends["dev"]) < max(ends["dev"]) < min(ends["test"])


def test_a_dense_sequence_is_cut_in_time_and_little_is_lost():
    traces = network(500, 3, apart=10.0)
    splits = split_traces(traces, Splitting(by=By.TIME, apart_s=30.0))
    assert find_leaks(with_splits(traces, splits)) == []
    assert shares(splits)["train"] == pytest.approx(0.8, abs=0.03)
    assert 0 < shares(splits)[UNUSED] < 0.05
    # By event nothing can be had of it: every window overlaps the next.
    assert set(split_traces(traces, Splitting())) == {"train"}


def test_events_close_in_time_stay_together():
    doublet = [moment("a", "one", "XX.A", 0.0, 0.0), moment("b", "two", "XX.B", 200.0, 20.0)]
    assert len(set(grouped(doublet, 30.0))) == 1
    assert len(set(grouped(doublet, 10.0))) == 2


def test_windows_that_overlap_at_a_station_stay_together():
    one = moment("a", "one", "XX.A", 0.0)
    assert len(set(grouped([one, moment("b", "two", "XX.A", 59.0)], 0.0))) == 1
    assert len(set(grouped([one, moment("b", "two", "XX.A", 61.0)], 0.0))) == 2
    assert len(set(grouped([one, moment("b", "two", "XX.B", 59.0)], 0.0))) == 2


def test_long_windows_are_joined_over_short_ones_between():
    traces = [
        moment("a", "one", "XX.A", 0.0, length=500.0),
        moment("b", "two", "XX.A", 10.0, length=5.0),
        moment("c", "three", "XX.A", 400.0),
    ]
    assert len(set(grouped(traces, 0.0))) == 1


def test_equal_waveforms_and_groups_of_events_stay_together():
    traces = [moment(n, n, "", None, group=g) for n, g in
              (("a", "g"), ("b", "g"), ("c", ""), ("d", ""), ("e", ""))]  # fmt: skip
    assert grouped(traces, 30.0, [b"", b"", b"x", b"x", b""]) == [0, 0, 1, 1, 2]


def test_stations_can_be_kept_apart_too():
    traces = network(60, 10)
    splits = split_traces(traces, Splitting(stations=0.3))
    stations = {
        name: {t.station for t, s in zip(traces, splits, strict=True) if s == name}
        for name in ("train", "dev", "test")
    }
    assert not stations["train"] & (stations["dev"] | stations["test"])
    assert len(stations["train"]) == 7
    assert len(stations["test"]) == 3
    assert find_leaks(with_splits(traces, splits)) == []
    with pytest.raises(ConfigError, match="no station code"):
        split_traces([moment("a", "a", "")], Splitting(stations=0.3))


def test_traces_without_a_time_cannot_be_divided_by_it():
    with pytest.raises(ConfigError, match="divide it by event"):
        split_traces([moment("a", "a", "XX.A", None)], Splitting(by=By.TIME))
    assert split_traces([moment("a", "a", "XX.A", None)], Splitting()) == ["train"]


@pytest.mark.parametrize(
    "options", [{"fractions": {"train": 0.5}}, {"fractions": {}}, {"stations": 1.0}]
)
def test_shares_must_add_up(options):
    with pytest.raises(ValueError, match="give"):
        Splitting(**options)


@given(st.data())
def test_no_division_leaks(data):
    number = data.draw(st.integers(1, 60))
    chance = np.random.default_rng(data.draw(st.integers(0, 1_000)))
    traces = [
        moment(
            f"t{n}", f"e{chance.integers(20)}", f"XX.S{chance.integers(3)}",
            float(chance.integers(0, 40)) * 50, float(chance.integers(0, 40)) * 50,
        )
        for n in range(number)
    ]  # fmt: skip
    digests = [bytes([chance.integers(250)]) for _ in traces]
    splitting = Splitting(
        by=data.draw(st.sampled_from(By)), stations=data.draw(st.sampled_from([0.0, 0.4])),
        seed=data.draw(st.integers(0, 99)),
    )  # fmt: skip
    splits = split_traces(traces, splitting, digests)
    assert find_leaks(with_splits(traces, splits), digests=digests) == []


def leaks(*traces, **options):
    return [(leak.leak, leak.what, leak.splits) for leak in find_leaks(traces, **options)]


def test_each_kind_of_leakage_is_found():
    far = {"start": 5 * DAY}
    a = moment("a", "one", split="train")
    assert leaks(a, moment("b", "one", "XX.B", **far, split="dev")) == [
        (Leak.EVENT, "one", ("train", "dev"))
    ]
    assert leaks(a, moment("b", "two", "XX.A", 30.0, split="dev")) == [
        (Leak.OVERLAP, "XX.A", ("train", "dev"))
    ]
    one = moment("a", "one", origin=100.0, split="train")
    assert leaks(one, moment("b", "two", **far, origin=100.5, split="test")) == [
        (Leak.ORIGIN, "XX.A", ("train", "test"))
    ]
    same = moment("b", "two", "XX.B", **far, split="dev")
    assert leaks(a, same, digests=[b"x", b"x"]) == [(Leak.WAVEFORM, "a", ("train", "dev"))]
    grouped_ = [moment("a", "one", group="g", split="train"),
                moment("b", "two", "XX.B", **far, group="g", split="dev")]  # fmt: skip
    assert leaks(*grouped_) == [(Leak.GROUP, "g", ("train", "dev"))]


def test_what_is_no_leakage_is_not_told():
    a = moment("a", "one", origin=100.0, split="train")
    assert leaks(a, moment("b", "two", "XX.A", 61.0, 100.5, split="train")) == []
    assert leaks(a, moment("b", "two", "XX.B", 0.0, 100.5, split="dev")) == []
    assert leaks(a, moment("b", "one", "XX.B", 0.0, 100.0, split=UNUSED)) == []
    assert leaks(a, moment("b", "two", "XX.A", 61.0, 102.0, split="dev")) == []
    nameless = moment("b", "two", "", 0.0, 100.0, split="dev")
    assert leaks(moment("a", "one", "", 0.0, 100.0, split="train"), nameless) == []


def test_a_long_window_leaks_past_short_ones():
    traces = [
        moment("a", "one", "XX.A", 0.0, length=500.0, split="train"),
        moment("b", "two", "XX.A", 10.0, length=5.0, split="train"),
        moment("c", "three", "XX.A", 400.0, split="dev"),
    ]
    assert [(leak.one, leak.other) for leak in find_leaks(traces)] == [("a", "c")]


def test_moments_are_read_from_the_table():
    line = Metadata({
        "trace_name": "x", "trace_start_time": "2024-03-05T12:00:00Z", "trace_npts": "501",
        "trace_sampling_rate_hz": "50.0", "station_network_code": "XX", "station_code": "A",
        "source_origin_time": "2024-03-05 11:59:59", "split": "dev",
    })  # fmt: skip
    (found,) = moments([line])
    assert found.end_s - found.start_s == 10.0
    assert found.start_s - found.origin_s == 1.0
    assert (found.station, found.event, found.split) == ("XX.A", "x", "dev")
    (bare,) = moments([Metadata({"trace_name": "y", "trace_start_time": "long ago"})])
    assert (bare.start_s, bare.end_s, bare.origin_s, bare.station) == (None, None, None, "")
