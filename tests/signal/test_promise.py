"""How far a sensor's data have come, whatever the order of its records."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zilzal.core.ids import ChannelId
from zilzal.core.time import Time
from zilzal.core.waveform import Trace
from zilzal.signal.promise import Patience, ReachState

START = Time.parse("2024-03-05T12:00:00Z")
WAIT_S = 8.0
"""With the length of a record, 10 s."""
Z, N = (ChannelId("XX", "AAA", "", f"HH{letter}") for letter in "ZN")
BOTH = frozenset({Z, N})


def record(channel: ChannelId, first_s: float, length_s: float = 2.0) -> Trace:
    samples = np.ones(round(length_s * 50), np.int32)
    return Trace(channel_id=channel, start=START + first_s, sampling_rate=50.0, samples=samples)


def promised_s(
    records: list[Trace], expected: frozenset[ChannelId] = frozenset({Z})
) -> list[float | None]:
    state, promises = ReachState(), []
    for each in records:
        state = Patience(wait_s=WAIT_S).take(state, each, expected)
        ns = state.promised_ns
        promises.append(None if ns is None else (ns - START.ns) / 1e9)
    return promises


def steady(n: int, channel: ChannelId = Z) -> list[Trace]:
    return [record(channel, 2.0 * k) for k in range(n)]


def test_nothing_is_promised_before_as_much_has_come_as_is_waited_for():
    assert promised_s(steady(7)) == [None] * 4 + [10.0, 12.0, 14.0]


def test_hole_is_waited_for_and_then_given_up():
    with_hole = [*steady(8), *(record(Z, 20 + 2.0 * k) for k in range(6))]
    promises = promised_s(with_hole)
    assert promises[7:] == [16.0, 16.0, 16.0, 16.0, 18.0, 20.0, 32.0]


def test_record_that_fills_its_hole_in_time_moves_the_promise_over_all_that_came():
    records = steady(10)
    records[7], records[8] = records[8], records[7]
    assert promised_s(records)[6:] == [14.0, 14.0, 18.0, 20.0]


def test_channel_that_lags_holds_its_sensor_back():
    pairs = zip(steady(12)[2:], steady(10, N), strict=True)
    records = [*steady(2), *(each for pair in pairs for each in pair)]
    assert promised_s(records, BOTH)[-2:] == [18.0, 20.0]


def test_channel_that_is_never_heard_is_waited_for_only_so_long():
    assert promised_s(steady(8), BOTH)[-2:] == [14.0, 16.0]


def test_channel_that_returns_is_heeded_again():
    records = [*steady(8), *(record(Z, 16 + 2.0 * k) for k in range(5)), record(N, 24.0)]
    promises = promised_s([*records, record(Z, 26.0), record(N, 26.0)], BOTH)
    assert promises[-3:] == [26.0, 26.0, 28.0]


@given(st.permutations(range(20)), st.data())
def test_promise_is_never_taken_back_and_never_ahead_of_the_data(order, data):
    channels = data.draw(st.lists(st.sampled_from([Z, N]), min_size=20, max_size=20))
    records = [record(c, 2.0 * k) for c, k in zip(channels, order, strict=True)]
    promises = [p for p in promised_s(records, BOTH) if p is not None]
    assert promises == sorted(promises)
    assert all(p <= 40.0 for p in promises)


@pytest.mark.parametrize("seed", range(5))
def test_disorder_within_the_wait_ends_at_the_same_promise(seed):
    generator = np.random.default_rng(seed)
    at = np.arange(40) * 2.0 + generator.uniform(0, WAIT_S - 0.5, 40)
    shuffled = [steady(40)[k] for k in np.argsort(at)]
    assert promised_s(shuffled)[-1] == 80.0
    # No record came for a time that had been promised.
    for before, each in zip([None, *promised_s(shuffled)], shuffled, strict=False):
        assert before is None or (each.start - START) >= before
