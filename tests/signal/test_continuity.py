"""The gap policy: every case of the table, and that cutting the input changes nothing."""

from __future__ import annotations

import itertools
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zilzal.core.coverage import CoverageSpan, Reason, tally_hours
from zilzal.core.ids import ChannelId
from zilzal.core.time import Time
from zilzal.core.waveform import Trace
from zilzal.signal.continuity import REPEATS, GapPolicy, merge_spans

CHANNEL = ChannelId("XX", "AAA", "", "HHZ")
T0 = Time.parse("2020-01-01T00:00:00Z")
RATE = 100.0


def trace(samples, start_s=0.0, rate=RATE):
    return Trace(
        channel_id=CHANNEL, start=T0 + start_s, sampling_rate=rate, samples=np.asarray(samples)
    )


def noise(n, seed=0, scale=300):
    return (np.random.default_rng(seed).normal(0, scale, n).astype(np.int32)) | 1  # never zero


def run(traces, policy=None, **finish):
    """All traces in one step."""
    policy = policy or GapPolicy()
    state = policy.start(CHANNEL)
    state, out, spans = policy.step(state, traces, T0)
    rest, more = policy.finish(state, **finish)
    return out + rest, merge_spans(spans + more)


def joined(traces):
    """Pieces as (start, samples): neighbours on one clock are put together."""
    pieces = []
    for t in traces:
        if pieces and abs(t.start.ns - pieces[-1][2]) <= 2 and pieces[-1][3] == t.sampling_rate:
            pieces[-1][1].append(t.samples)
            pieces[-1][2] = t.next_start.ns
        else:
            pieces.append([t.start.ns, [t.samples], t.next_start.ns, t.sampling_rate])
    return [(start, rate, np.concatenate(parts)) for start, parts, _, rate in pieces]


def seconds(spans, reason):
    return sum(s.duration_s for s in spans if s.reason is reason)


def tiles(spans):
    return [s for s in spans if s.reason not in REPEATS]


def summary(spans):
    return [(s.reason, round(s.start - T0, 4), round(s.end - T0, 4)) for s in spans]


def test_unbroken_record_goes_through_unchanged():
    x = noise(1000)
    out, spans = run([trace(x)])
    assert len(out) == 1
    assert np.array_equal(out[0].samples, x)
    assert out[0].start == T0
    assert summary(spans) == [(Reason.ANALYSED, 0, 10)]


def test_gap_of_any_length_splits_and_is_told():
    for gap_s in (0.01, 0.5, 10.0, 86_400.0):
        x = noise(1000)
        out, spans = run([trace(x), trace(x, 10 + gap_s)])
        assert [t.start - T0 for t in out] == [0, 10 + gap_s]
        assert summary(spans) == [
            (Reason.ANALYSED, 0, 10),
            (Reason.GAP, 10, round(10 + gap_s, 4)),
            (Reason.ANALYSED, round(10 + gap_s, 4), round(20 + gap_s, 4)),
        ]


def test_identical_overlap_is_dropped_and_told():
    x = noise(3000)
    out, spans = run([trace(x[:2000]), trace(x[1500:], 15)])
    assert np.array_equal(joined(out)[0][2], x)
    assert summary(spans) == [(Reason.ANALYSED, 0, 30), (Reason.OVERLAP, 15, 20)]


def test_same_record_twice_is_told_as_overlap():
    x = noise(3000)
    out, spans = run([trace(x), trace(x)])
    assert len(joined(out)) == 1
    assert seconds(spans, Reason.OVERLAP) == pytest.approx(30)


def test_contradicting_overlap_keeps_the_first_samples():
    x, y = noise(10_000), noise(3_000, 1)
    out, spans = run([trace(x), trace(y, 20)])
    assert np.array_equal(joined(out)[0][2], x)
    # The trace starts 80 s before the end of the one that came before: longer than a clock step.
    assert seconds(spans, Reason.CONTRADICTION) + seconds(spans, Reason.OVERLAP) == 30
    assert seconds(spans, Reason.CONTRADICTION) > 29.9


def test_clock_step_backwards_is_named_and_time_stays_ordered():
    x, y = noise(2000), noise(2000, 1)
    out, spans = run([trace(x), trace(y, 17)])
    (piece,) = joined(out)
    assert np.array_equal(piece[2], np.r_[x, y[300:]])
    assert seconds(spans, Reason.CLOCK_STEP) == pytest.approx(3, abs=0.05)
    assert seconds(spans, Reason.ANALYSED) == pytest.approx(37)


def test_records_out_of_order_within_the_promise_are_sorted():
    x = noise(5000)
    parts = [trace(x[i : i + 500], i / 100) for i in range(0, 5000, 500)]
    out, spans = run([parts[i] for i in (3, 1, 0, 2, 9, 8, 7, 4, 6, 5)])
    assert np.array_equal(joined(out)[0][2], x)
    assert summary(spans) == [(Reason.ANALYSED, 0, 50)]


def test_record_after_the_promise_is_out_of_order():
    policy, x = GapPolicy(), noise(3000)
    state = policy.start(CHANNEL)
    state, out, _spans = policy.step(state, [trace(x[2000:], 20)], T0 + 30)
    state, late, told = policy.step(state, [trace(x[:1000])], T0 + 30)
    assert late == []
    assert summary(told) == [(Reason.OUT_OF_ORDER, 0, 10)]
    assert len(out) == 1


def test_filler_of_zeros_is_cut_out():
    x = noise(3000)
    x[1000:1200] = 0
    out, spans = run([trace(x)])
    assert [len(t.samples) for t in out] == [1000, 1800]
    assert (Reason.ZERO_FILLED, 10, 12) in summary(spans)
    assert seconds(spans, Reason.ANALYSED) == pytest.approx(28)


def test_few_zeros_are_signal():
    x = noise(3000)
    x[1000:1040] = 0
    _, spans = run([trace(x)])
    assert summary(spans) == [(Reason.ANALYSED, 0, 30)]


def test_constant_channel_is_dead_after_the_stated_time():
    x = noise(10_000)
    x[2000:8000] = 17
    out, spans = run([trace(x)])
    assert (Reason.DEAD, 50, 80) in summary(spans)
    assert [len(t.samples) for t in out] == [5000, 2000]


def test_not_a_number_is_cut_out_as_corrupt():
    x = noise(3000).astype(np.float32)
    x[1000:1100] = np.nan
    out, spans = run([trace(x)])
    assert [len(t.samples) for t in out] == [1000, 1900]
    assert (Reason.CORRUPT, 10, 11) in summary(spans)


def test_clipped_swing_is_analysed_and_flagged():
    t = np.arange(3000) / RATE
    swing = 120_000 * np.sin(2 * np.pi * t) * (np.abs(t - 15) < 2)
    x = noise(3000) + swing.astype(np.int32)
    x = np.clip(x, -100_000, 100_000)
    out, spans = run([trace(x)])
    assert np.array_equal(joined(out)[0][2], x)
    clipped = [s for s in spans if s.reason is Reason.CLIPPED]
    assert clipped[0].start - T0 == pytest.approx(13.2, abs=0.1)
    assert clipped[-1].end - T0 == pytest.approx(17 - 0.2 + 1.0, abs=0.2)
    assert seconds(spans, Reason.CLIPPED) + seconds(spans, Reason.ANALYSED) == pytest.approx(30)


def test_limits_of_a_24_bit_digitiser_are_clipping_but_larger_values_are_not():
    x = noise(3000)
    x[500] = 9_000_000
    assert seconds(run([trace(x)])[1], Reason.CLIPPED) == 0
    x[1000] = 2**23 - 1
    assert summary(run([trace(x)])[1]) == [
        (Reason.ANALYSED, 0, 10),
        (Reason.CLIPPED, 10, 11.01),
        (Reason.ANALYSED, 11.01, 30),
    ]


def test_offset_with_quiet_noise_is_not_clipped():
    x = -65_000 + np.random.default_rng(0).integers(-1, 2, 100_000).astype(np.int32)
    _, spans = run([trace(x)])
    assert {s.reason for s in spans} == {Reason.ANALYSED}


def test_given_level_of_the_digitiser_is_used():
    x = noise(3000)
    x[1000] = -40_000
    _, spans = run([trace(x)], GapPolicy(clip_level_counts=40_000))
    assert (Reason.CLIPPED, 10, 11.01) in summary(spans)


def test_rate_change_starts_anew_and_is_booked():
    x = noise(2000)
    out, spans = run([trace(x), trace(x[:1000], 20, rate=50.0)])
    assert [(t.start - T0, t.sampling_rate) for t in out] == [(0, 100.0), (20, 50.0)]
    assert summary(spans) == [
        (Reason.ANALYSED, 0, 20),
        (Reason.RATE_CHANGE, 20, 20.02),
        (Reason.ANALYSED, 20.02, 40),
    ]


def test_rate_differing_by_rounding_is_no_change():
    x = noise(2000)
    out, spans = run([trace(x), trace(x, 20, rate=100.0001)])
    assert len(joined(out)) == 1
    assert summary(spans) == [(Reason.ANALYSED, 0, 40)]


def test_jitter_within_half_a_sample_is_joined_on_the_first_clock():
    x = noise(3000)
    out, _ = run([trace(x[:1000]), trace(x[1000:2000], 10.003), trace(x[2000:], 19.999)])
    ((start, _, samples),) = joined(out)
    assert start == T0.ns
    assert np.array_equal(samples, x)


def test_drift_beyond_half_a_sample_is_a_gap():
    x = noise(4000)
    parts = [trace(x[i : i + 1000], i / 100 * 1.0003) for i in range(0, 4000, 1000)]
    out, spans = run(parts)  # 3 ms, 6 ms, then 3 ms on the new clock
    assert [round(p[0] / 1e9 - T0.unix_s, 3) for p in joined(out)] == [0, 20.006]
    assert seconds(spans, Reason.GAP) == pytest.approx(0.006)


def test_clock_that_gains_loses_the_surplus_sample():
    x = noise(4000)
    parts = [trace(x[i : i + 1000], i / 100 * 0.9997) for i in range(0, 4000, 1000)]
    out, spans = run(parts)
    assert sum(len(t.samples) for t in out) == 3999
    assert seconds(spans, Reason.CLOCK_STEP) == pytest.approx(0.01)
    assert seconds(spans, Reason.ANALYSED) == pytest.approx(39.99)


def test_short_piece_is_dropped_and_told():
    x = noise(3000)
    out, spans = run([trace(x[:1000]), trace(x[:50], 12), trace(x[:1000], 20)])
    assert [t.start - T0 for t in out] == [0, 20]
    assert (Reason.TOO_SHORT, 12, 12.5) in summary(spans)


def test_corrupt_stretch_names_the_gap():
    x = noise(1000)
    policy = GapPolicy()
    corrupt = CoverageSpan(CHANNEL, T0 + 12, T0 + 15, Reason.CORRUPT, "record 7")
    state, _out, spans = policy.step(
        policy.start(CHANNEL), [trace(x), trace(x, 20)], T0, corrupt=[corrupt]
    )
    _, more = policy.finish(state)
    assert summary(merge_spans(spans + more))[1:4] == [
        (Reason.GAP, 10, 12),
        (Reason.CORRUPT, 12, 15),
        (Reason.GAP, 15, 20),
    ]


def test_tiling_reaches_from_since_to_end():
    policy = GapPolicy()
    state = policy.start(CHANNEL, since=T0 - 100)
    state, _, spans = policy.step(state, [trace(noise(1000))], T0 + 50)
    assert seconds(spans, Reason.GAP) == pytest.approx(139.99)
    _, more = policy.finish(state, end=T0 + 3500)
    told = merge_spans(spans + more)
    assert summary(told) == [
        (Reason.GAP, -100, 0),
        (Reason.ANALYSED, 0, 10),
        (Reason.GAP, 10, 3500),
    ]


def test_live_piece_is_handed_out_without_waiting():
    policy, x = GapPolicy(), noise(1000)
    state = policy.start(CHANNEL)
    got = 0
    for i in range(0, 1000, 100):
        state, out, _ = policy.step(state, [trace(x[i : i + 100], i / 100)], T0 + (i + 100) / 100)
        got += sum(len(t.samples) for t in out)
        assert got == i + 100
        assert state.settled == T0 + (i + 100) / 100


def test_settled_waits_for_zeros_that_may_become_a_filler():
    policy, x = GapPolicy(), noise(1000)
    x[980:] = 0
    state, out, _ = policy.step(policy.start(CHANNEL), [trace(x)], T0 + 10)
    assert sum(len(t.samples) for t in out) == 980
    assert state.settled == T0 + 9.8


def test_step_changes_neither_state_nor_samples():
    policy, x = GapPolicy(), noise(1000)
    state = policy.start(CHANNEL)
    first, *_ = policy.step(state, [trace(x)], T0 + 5)
    kept, copy = pickle.dumps(first), x.copy()
    a = policy.step(first, [trace(noise(500), 10)], T0 + 20)
    b = policy.step(pickle.loads(kept), [trace(noise(500), 10)], T0 + 20)
    assert pickle.dumps(first) == kept
    assert np.array_equal(x, copy)
    assert a[2] == b[2]
    assert all(np.array_equal(p.samples, q.samples) for p, q in zip(a[1], b[1], strict=True))


def test_useless_parameters_are_refused():
    with pytest.raises(ValueError, match="jitter_samples"):
        GapPolicy(jitter_samples=0.7)
    with pytest.raises(ValueError, match="clip_run"):
        GapPolicy(clip_run=1)


def test_sample_at_the_places_of_two_that_were_kept_is_told_once():
    kept, between = trace(noise(4), 0.010), trace(noise(160, 1), 0.007)
    again = trace(noise(5, 2), 0.004)  # its last at 44 ms: kept are those at 40 ms and 47 ms
    out, spans = run([kept, between, again])
    assert sum(len(t.samples) for t in out) == 4 + (160 - 4)
    assert sum(s.duration_s for s in spans if s.reason in REPEATS) == pytest.approx(0.04 + 0.05)


def test_telling_of_twice_taken_places_does_not_depend_on_the_cut():
    """Found by the property below: of the last trace, the second half came in a later step."""
    starts_ms, counts = (0, 10, 67, 7, 234), (1, 4, 132, 54, 124)
    before = [trace(noise(n, n), ms / 1000) for ms, n in zip(starts_ms, counts, strict=True)]
    samples = noise(5)
    _, whole = run([*before, trace(samples, 0.004)], POLICY)
    state, _, spans = POLICY.step(POLICY.start(CHANNEL), before[:1], T0 + 0.004)
    for batch, until_s in (
        (before[1:2], 0.004),
        ([*before[2:], trace(samples[:4], 0.004)], 0.044),
        ([trace(samples[4:], 0.044)], 10.0),
    ):
        state, _, more = POLICY.step(state, batch, T0 + until_s)
        spans = spans + more
    repeated = [sum(s.duration_s for s in told if s.reason in REPEATS) for told in (whole, spans)]
    assert repeated[0] == pytest.approx(repeated[1])


def test_slow_record_over_a_fast_one_does_not_break_its_order():
    fast, slow = trace(noise(200)), trace(noise(100, 1), 1.985, rate=20.0)
    out, spans = run([fast, slow])  # its first sample lasts from 15 ms before the end to 35 after
    assert [(t.start - T0, len(t.samples)) for t in out] == [(0, 200), (2.035, 99)]
    assert seconds(spans, Reason.CONTRADICTION) + seconds(spans, Reason.CLOCK_STEP) == 0.05


def test_record_of_nearly_the_rate_is_joined_until_it_has_drifted_away():
    policy = GapPolicy(rate_tolerance=0.01)
    nearly = 1e9 / 10_050_000  # 50 µs more between samples: half a sample after a hundred
    x = noise(500)
    whole = [trace(x[:200]), trace(x[200:], 2.0, rate=nearly)]
    cut = [trace(x[200 + i : 201 + i], 2 + i * 0.01005, rate=nearly) for i in range(300)]
    for history in (whole, [whole[0], *cut]):
        out, spans = run(history, policy)
        assert [(t.start - T0, len(t.samples)) for t in out] == [(0, 301), (3.01505, 199)]
        assert seconds(spans, Reason.GAP) == pytest.approx(0.00505)


POLICY = GapPolicy(
    dead_s=0.6,
    zero_run_s=0.2,
    shortest_s=0.3,
    clip_hold_s=0.1,
    clock_step_s=2,
    rate_tolerance=0.01,
)
RATES = [100.0, 100.0, 100.0, 100.0, 50.0, 20.0, 1e9 / 10_050_000]
"""The last one's samples lie a whole number of nanoseconds apart: cuts do not round."""
SHORT_POLICY = GapPolicy(shortest_s=0.03, clock_step_s=0.1, rate_tolerance=0.01)
STEPS = [0, 0, 0, 0.3, -0.2, 0.6, -0.7, 1.7, 40, 250, -3.4, -30.3, -150]
FLAWS = ["", "", "zeros", "constant", "clip", "limit", "nan"]


@st.composite
def histories(draw, most=6):
    """Traces in order of arrival with everything that may go wrong."""
    pieces, position = [], 0.0
    for seed in range(draw(st.integers(1, most))):
        n = draw(st.integers(1, 200))
        x = noise(n, seed, draw(st.sampled_from([1, 30, 30_000])))
        flaw = draw(st.sampled_from(FLAWS))
        a, b = sorted((draw(st.integers(0, n)), draw(st.integers(0, n)))) if flaw else (0, 0)
        if flaw == "zeros":
            x[a:b] = 0
        elif flaw == "constant":
            x[a:b] = 5
        elif flaw == "clip":
            x = np.clip(x, -20_000, 20_000)
        elif flaw == "limit":
            x[a:b] = 2**23 - 1
        elif flaw == "nan":
            x = x.astype(np.float32)
            x[a:b] = np.nan
        rate = draw(st.sampled_from(RATES))
        position = max(position + draw(st.sampled_from(STEPS)) / 100, 0)
        pieces.append(trace(x, position, rate))
        position += n / rate
    if draw(st.booleans()):
        pieces = draw(st.permutations(pieces))
    return pieces


@st.composite
def crowds(draw, rates=(100.0, 50.0, 20.0, RATES[-1])):
    """Short traces over and beside each other, off the grid by any part of a sample."""
    pieces = []
    for seed in range(draw(st.integers(2, 8))):
        n = draw(st.sampled_from([1, 1, 2, 3, 5, 20, 60]))
        half_ms = draw(st.integers(0, 800))
        pieces.append(trace(noise(n, seed), half_ms / 2000, draw(st.sampled_from(rates))))
    return pieces


def cut(draw, whole):
    """A trace in random pieces, each at its own place."""
    n = len(whole.samples)
    ends = sorted({0, n, *draw(st.lists(st.integers(0, n), max_size=5))})
    return [
        Trace(
            channel_id=CHANNEL,
            start=whole.start + a / whole.sampling_rate,
            sampling_rate=whole.sampling_rate,
            samples=whole.samples[a:b],
        )
        for a, b in itertools.pairwise(ends)
    ]


def run_in_steps(draw, arrivals, policy):
    """As `run`, in steps of some arrivals each, saved and loaded between them."""
    state, out, spans = policy.start(CHANNEL), [], []
    while arrivals:
        n = draw(st.integers(1, len(arrivals)))
        batch, arrivals = arrivals[:n], arrivals[n:]
        # The promise of a driver that knows what will come, or is more careful.
        until = min((t.start for t in arrivals), default=T0 + 1e4)
        until = until - draw(st.sampled_from([0, 0, 0.003, 0.02, 1]))
        state, traces, more = policy.step(pickle.loads(pickle.dumps(state)), batch, until)
        out, spans = out + traces, spans + more
    rest, more = policy.finish(state)
    return out + rest, merge_spans(spans + more)


def check_that_cuts_change_nothing(draw, history, policy=POLICY):
    whole, told = run(history, policy)
    out, spans = run_in_steps(draw, [part for t in history for part in cut(draw, t)], policy)
    expected, got = joined(whole), joined(out)
    assert [(a, r) for a, r, _ in got] == [(a, r) for a, r, _ in expected]
    for (_, _, x), (_, _, y) in zip(expected, got, strict=True):
        assert np.array_equal(x, y, equal_nan=True)
    end = max((s.end for s in tiles(told)), default=T0)
    later = [s for s in tiles(spans) if s.start < end]
    assert [(s.reason, s.start.ns, min(s.end, end).ns) for s in later] == [
        (s.reason, s.start.ns, s.end.ns) for s in tiles(told)
    ]
    repeated = sum(s.duration_s for s in told if s.reason in REPEATS)
    assert sum(s.duration_s for s in spans if s.reason in REPEATS) == pytest.approx(repeated)


@settings(max_examples=100, deadline=None)
@given(histories(most=4), st.data())
def test_any_cut_and_any_steps_give_the_same_traces_and_tiles(history, data):
    check_that_cuts_change_nothing(data.draw, history)


@settings(max_examples=120, deadline=None)
@given(crowds(), st.data())
def test_any_cut_of_crowded_traces_changes_nothing(history, data):
    check_that_cuts_change_nothing(data.draw, history, SHORT_POLICY)


@pytest.mark.slow
@settings(max_examples=600, deadline=None)
@given(histories(), st.data())
def test_any_cut_of_longer_histories_changes_nothing(history, data):
    check_that_cuts_change_nothing(data.draw, history)


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(crowds(), st.data())
def test_any_cut_of_many_crowds_changes_nothing(history, data):
    check_that_cuts_change_nothing(data.draw, history, SHORT_POLICY)


@settings(max_examples=100, deadline=None)
@given(histories())
def test_tiles_cover_the_channels_time_once(history):
    out, spans = run(history, POLICY)
    told = tiles(spans)
    assert all(a.end == b.start for a, b in itertools.pairwise(told))
    analysed = sum(s.duration_s for s in told if s.reason.is_analysed)
    booked = sum(s.duration_s for s in told if s.reason is Reason.RATE_CHANGE)
    # Where rates change, a piece may begin up to half a sample before the last one ends.
    slack = 0.01 * len(history) + 1e-6
    assert analysed - slack <= sum(t.duration_s for t in out) <= analysed + booked + slack


@settings(max_examples=100, deadline=None)
@given(crowds(rates=[RATE]))
def test_each_sample_that_came_is_told_once(history):
    """On one rate, so that a sample lasts as long on each clock."""
    _, spans = run(history, SHORT_POLICY)
    told = sum(s.duration_s for s in spans if s.reason is not Reason.GAP)
    assert told == pytest.approx(sum(t.duration_s for t in history))


@settings(max_examples=100, deadline=None)
@given(crowds())
def test_pieces_never_go_back_in_time(history):
    out, _ = run(history, SHORT_POLICY)
    for before, after in itertools.pairwise(out):
        shared_s = before.next_start - after.start
        assert shared_s * max(before.sampling_rate, after.sampling_rate) <= 0.5 + 0.01


def test_hours_add_up():
    x = noise(360_000)
    x[100_000:150_000] = 0
    _out, spans = run([trace(x[:200_000]), trace(x[210_000:], 2100), trace(x, 3600)])
    hours = [h for h in tally_hours(spans) if h.reason not in REPEATS]
    for hour in {h.hour for h in hours}:
        assert sum(h.seconds for h in hours if h.hour == hour) == pytest.approx(3600)
