"""Components to windows: nearest samples, masks, and the same result for any cut."""

from __future__ import annotations

import itertools
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zilzal.core.coverage import Reason
from zilzal.core.ids import SensorId
from zilzal.core.station import Channel
from zilzal.core.time import Time
from zilzal.core.waveform import Trace
from zilzal.signal import align
from zilzal.signal.orientation import orient

SENSOR = SensorId("XX", "AAA", "", "HH")
T0 = Time.parse("2020-01-01T00:00:00Z")


def trace(component, samples, start_s=0.0, rate=100.0):
    return Trace(
        channel_id=SENSOR.channel_id(component),
        start=T0 + start_s,
        sampling_rate=rate,
        samples=np.asarray(samples),
    )


def noise(n, seed=0):
    return np.random.default_rng(seed).integers(-1000, 1000, n).astype(np.int32)


def run(traces, components="ZNE", channels=()):
    state = align.start(SENSOR, orient(components, channels))
    state, windows = align.step(state, traces, T0 - 10)
    assert windows == []
    return align.finish(state)


def test_three_components_make_one_window():
    z, n, e = (noise(1000, i) for i in range(3))
    (window,) = run([trace("Z", z), trace("N", n), trace("E", e)])
    assert window.start == T0
    assert window.samples.dtype == np.float32
    assert np.array_equal(window.samples, np.stack([z, n, e]))
    assert window.present.all()


def test_single_component_works():
    (window,) = run([trace("Z", noise(500))], "Z")
    assert window.present.sum(axis=1).tolist() == [500, 0, 0]
    assert not window.samples[1:].any()


def test_absent_samples_are_masked_and_zero():
    (window,) = run([trace("Z", noise(1000)), trace("N", noise(300), 2), trace("N", noise(200), 7)])
    expected = np.zeros(1000, bool)
    expected[200:500] = expected[700:900] = True
    assert np.array_equal(window.present[1], expected)
    assert not window.samples[1, ~expected].any()
    assert not window.present[2].any()


def test_hole_in_all_components_starts_a_new_window():
    windows = run([trace("Z", noise(500)), trace("N", noise(600)), trace("Z", noise(100), 8)])
    assert [(w.start - T0, w.length) for w in windows] == [(0, 600), (8, 100)]


def test_missing_sample_of_one_component_does_not_split():
    (window,) = run([trace("Z", noise(500)), trace("Z", noise(499), 5.01), trace("N", noise(1000))])
    assert window.length == 1000
    assert np.flatnonzero(~window.present[0]).tolist() == [500]


def test_other_components_are_put_to_the_verticals_nearest_sample():
    z, n, e = (noise(1000, i) for i in range(3))
    (window,) = run([trace("N", n, -0.003), trace("Z", z, 0.001), trace("E", e, 0.005)])
    assert window.start == T0 + 0.001
    assert np.array_equal(window.samples, np.stack([z, n, e]))


def test_vertical_that_comes_later_with_another_clock_gets_its_own_grid():
    z, n = noise(500), noise(1000)
    windows = run([trace("N", n), trace("Z", z, 3.004)])
    assert [(round(w.start - T0, 6), w.length) for w in windows] == [(0, 300), (3.004, 700)]
    assert np.array_equal(np.concatenate([w.samples[1] for w in windows]), n)
    assert np.array_equal(windows[1].samples[0, :500], z)


def test_rate_change_of_the_vertical_starts_anew_and_the_rest_is_told():
    state = align.start(SENSOR, orient("ZNE"))
    traces = [trace("Z", noise(1000)), trace("Z", noise(500), 10, 50.0), trace("N", noise(1200))]
    state, windows = align.step(state, traces, T0 + 15)
    assert [(w.start - T0, w.sampling_rate) for w in windows] == [(0, 100.0), (10, 50.0)]
    assert not windows[1].present[1].any()
    assert [(s.reason, s.start - T0, s.end - T0) for s in state.skipped] == [
        (Reason.RATE_CHANGE, 10, 12)
    ]


def test_late_samples_are_told_and_not_used():
    state = align.start(SENSOR, orient("ZNE"))
    state, _ = align.step(state, [trace("Z", noise(1000))], T0 + 10)
    state, windows = align.step(state, [trace("N", noise(500), 2)], T0 + 11)
    assert windows[0].length == 1
    assert state.skipped[0].reason is Reason.OUT_OF_ORDER
    assert sum(s.duration_s for s in state.skipped) == pytest.approx(5)


def test_nothing_waits_beyond_the_promise():
    state = align.start(SENSOR, orient("ZNE"))
    state, windows = align.step(state, [trace("Z", noise(1000))], T0 + 5)
    assert sum(w.length for w in windows) == 499  # up to a sample before


def test_turned_sensor_is_turned_back():
    z, n, e = (noise(1000, i).astype(float) for i in range(3))
    angle = np.radians(30)
    one = np.cos(angle) * n + np.sin(angle) * e
    two = -np.sin(angle) * n + np.cos(angle) * e
    channels = [
        Channel(
            channel_id=SENSOR.channel_id(c),
            latitude=0,
            longitude=0,
            elevation_m=0,
            azimuth_deg=a,
            dip_deg=d,
        )
        for c, a, d in (("Z", 0, 90), ("1", 30, 0), ("2", 120, 0))
    ]
    traces = [trace("Z", -z), trace("1", one), trace("2", two[:600])]
    (window,) = run(traces, "Z12", channels)
    assert np.allclose(window.samples[:, :600], np.stack([z, n, e])[:, :600], atol=1e-3)
    assert window.present[0].all()
    assert window.present[1:, :600].all()
    assert not window.present[1:, 600:].any()
    assert not window.samples[1:, 600:].any()


def test_nearly_aligned_sensor_keeps_a_component_when_the_other_is_dead():
    channels = [
        Channel(
            channel_id=SENSOR.channel_id(c),
            latitude=0,
            longitude=0,
            elevation_m=0,
            azimuth_deg=a,
            dip_deg=d,
        )
        for c, a, d in (("Z", 0, -90), ("1", 3, 0), ("2", 93, 0))
    ]
    (window,) = run([trace("Z", noise(100)), trace("1", noise(100))], "Z12", channels)
    assert window.present.sum(axis=1).tolist() == [100, 100, 0]


def test_foreign_trace_is_refused():
    other = SensorId("XX", "BBB", "", "HH")
    foreign = Trace(channel_id=other.channel_id("Z"), start=T0, sampling_rate=1, samples=noise(3))
    state = align.start(SENSOR, orient("Z"))
    with pytest.raises(ValueError, match=r"XX\.BBB\.\.HHZ"):
        align.step(state, [foreign], T0)


@st.composite
def records(draw):
    """Clean traces of three components with gaps, offsets and changes of rate."""
    traces = []
    for number, component in enumerate("ZNE"):
        position = draw(st.sampled_from([0, 0, 0.003, -0.004, 0.6, 1.1]))
        for seed in range(draw(st.integers(0, 4))):
            n = draw(st.integers(1, 150))
            rate = draw(st.sampled_from([100.0, 100.0, 100.0, 50.0]))
            traces.append(trace(component, noise(n, 10 * seed + number), position, rate))
            position += n / rate + draw(st.sampled_from([0, 0.01, 0.013, 0.5, 2.0]))
    return sorted(traces, key=lambda t: t.start)


def merged(windows):
    """Stretches: windows that continue each other are put together."""
    found = []
    for w in windows:
        if found and abs(w.start.ns - found[-1][3]) <= 2 and w.sampling_rate == found[-1][4]:
            found[-1][1].append(w.samples)
            found[-1][2].append(w.present)
            found[-1][3] = w.next_start.ns
        else:
            found.append([w.start.ns, [w.samples], [w.present], w.next_start.ns, w.sampling_rate])
    return [(t, np.hstack(x), np.hstack(p), rate) for t, x, p, _, rate in found]


@settings(max_examples=150, deadline=None)
@given(records(), st.data())
def test_any_cut_and_any_steps_give_the_same_windows(traces, data):
    expected = merged(run(traces))
    parts = []
    for t in traces:
        n = len(t.samples)
        ends = sorted({0, n, *data.draw(st.lists(st.integers(0, n), max_size=3))})
        parts += [
            trace(
                t.channel_id.component,
                t.samples[a:b],
                t.start - T0 + a / t.sampling_rate,
                t.sampling_rate,
            )
            for a, b in itertools.pairwise(ends)
        ]
    parts.sort(key=lambda t: t.start)
    state, windows = align.start(SENSOR, orient("ZNE")), []
    while parts:
        n = data.draw(st.integers(1, len(parts)))
        batch, parts = parts[:n], parts[n:]
        until = min((t.start for t in parts), default=T0 + 100)
        state, more = align.step(pickle.loads(pickle.dumps(state)), batch, until)
        windows += more
    got = merged(windows + align.finish(state))
    assert [(t, rate) for t, _, _, rate in got] == [(t, rate) for t, _, _, rate in expected]
    for (_, x, p, _), (_, y, q, _) in zip(got, expected, strict=True):
        assert np.array_equal(x, y)
        assert np.array_equal(p, q)


@settings(max_examples=50, deadline=None)
@given(records())
def test_no_sample_is_used_twice_or_lost_untold(traces):
    state = align.start(SENSOR, orient("ZNE"))
    state, windows = align.step(state, traces, T0 + 100)
    told = sum(round(s.duration_s * 100) for s in state.skipped)
    used = sum(int(w.present.sum() * 100 / w.sampling_rate) for w in windows)
    assert used + told == sum(round(t.duration_s * 100) for t in traces)
