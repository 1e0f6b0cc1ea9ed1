"""Both pickers: what must not matter does not matter."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.infer.networks import save_network
from tests.pick.cases import earthquakes, run, window, windows_of
from zilzal.core.stage import Picker
from zilzal.pick.neural import NeuralPicker
from zilzal.pick.stalta import StaLtaPicker

N_SAMPLES = 9_000
SAMPLES = earthquakes([1_500, 4_100, 6_700], N_SAMPLES)
PRESENT = np.ones(SAMPLES.shape, bool)
RATES = [100.0, 40.0, 31.25, 200.0]


@pytest.fixture(scope="module", params=["neural", "stalta"])
def picker(request, tmp_path_factory):
    if request.param == "stalta":
        return StaLtaPicker()
    path = save_network(tmp_path_factory.mktemp("networks"))
    return NeuralPicker(model=str(path), minimum_detection_s=0.0)


def property_test(examples):
    return settings(
        max_examples=examples,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )


def test_pickers_satisfy_the_protocol(picker):
    assert isinstance(picker, Picker)


@property_test(15)
@given(
    rate=st.sampled_from(RATES),
    cuts=st.lists(st.integers(1, N_SAMPLES - 1), max_size=10),
    gaps=st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, N_SAMPLES), st.integers(1, 1_500)), max_size=3
    ),
)
def test_cutting_the_input_elsewhere_changes_nothing(picker, rate, cuts, gaps):
    present = PRESENT.copy()
    for component, start, length in gaps:
        rows = slice(None) if component == 3 else slice(component, component + 1)
        present[rows, start : start + length] = False
    whole = run(picker, [windows_of(SAMPLES, present, rate=rate)])
    one_by_one = [[each] for each in windows_of(SAMPLES, present, cuts, rate=rate)]
    pieces = run(picker, one_by_one, pickled=True)
    assert pieces.picks == whole.picks
    assert pieces.detections == whole.detections
    assert [p.id for p in pieces.picks] == [p.id for p in whole.picks]


def test_there_is_something_to_compare(picker):
    told = run(picker, [windows_of(SAMPLES, PRESENT)])
    assert len(told.picks) >= 5
    assert len(told.detections) >= 3


@property_test(4)
@given(size=st.sampled_from([64, 100, 137, 512]))
def test_small_packets_change_nothing(picker, size):
    whole = run(picker, [windows_of(SAMPLES, PRESENT)])
    packets = windows_of(SAMPLES, PRESENT, range(0, N_SAMPLES, size))
    assert run(picker, [[packet] for packet in packets]).picks == whole.picks
    assert run(picker, [packets]).picks == whole.picks


def test_gap_told_by_the_mask_equals_gap_told_by_the_start(picker):
    present = PRESENT.copy()
    present[:, 3_000:3_500] = False
    masked = run(picker, [windows_of(SAMPLES, present)])
    apart = [window(SAMPLES, PRESENT, (0, 3_000)), window(SAMPLES, PRESENT, (3_500, N_SAMPLES))]
    assert run(picker, [apart]).picks == masked.picks
    assert masked.picks != run(picker, [windows_of(SAMPLES, PRESENT)]).picks


@pytest.mark.parametrize("gain", [1e-9, 3.3e-3, 1e9])
def test_gain_changes_amplitudes_only(picker, gain):
    before = run(picker, [windows_of(SAMPLES, PRESENT)])
    after = run(picker, [windows_of(SAMPLES * gain, PRESENT)])
    assert len(before.picks) == len(after.picks)
    for one, other in zip(before.picks, after.picks, strict=True):
        assert (one.channel_id, one.phase, one.onset) == (
            other.channel_id,
            other.phase,
            other.onset,
        )
        assert one.polarity is other.polarity
        assert other.time - one.time == pytest.approx(0.0, abs=1e-4)
        assert other.probability == pytest.approx(one.probability, abs=1e-4)
        if one.amplitude_counts is None:
            assert other.amplitude_counts is None
        else:
            assert other.amplitude_counts == pytest.approx(one.amplitude_counts * gain, rel=1e-4)


def test_order_of_sensors_within_a_step_is_irrelevant(picker):
    names = ["CCC", "AAA", "BBB", "DDD"]
    other = [np.roll(SAMPLES, 700 * k, axis=1) for k in range(4)]
    dealt = [
        [
            window(samples, PRESENT, bounds, name=name)
            for samples, name in zip(other, names, strict=True)
        ]
        for bounds in ((0, 2_500), (2_500, 2_600), (2_600, N_SAMPLES))
    ]
    together = run(picker, dealt)
    assert run(picker, [step[::-1] for step in dealt]).picks == together.picks
    alone = [
        run(picker, [windows_of(samples, PRESENT, name=name)]).picks
        for samples, name in zip(other, names, strict=True)
    ]
    assert {p.id for p in together.picks} == {p.id for picks in alone for p in picks}
    assert len(together.picks) == sum(map(len, alone))


def test_step_does_not_change_the_state_it_was_given(picker):
    first, second = windows_of(SAMPLES, PRESENT, [4_200])
    state, _ = picker.step(picker.start(), [first])
    once = picker.step(state, [second])[1]
    again = picker.step(state, [second])[1]
    assert once.picks == again.picks
    assert len(once.picks) > 0


def test_moving_in_time_moves_the_picks(picker):
    before = run(picker, [windows_of(SAMPLES, PRESENT)])
    # A whole number of windows of the network's grid (500 samples) and of blocks (16).
    moved = [replace(w, start=w.start + 8_000 / 100) for w in windows_of(SAMPLES, PRESENT)]
    after = run(picker, [moved])
    assert [(p.phase, p.time - 80.0) for p in after.picks] == [
        (p.phase, p.time) for p in before.picks
    ]


def test_samples_that_are_not_finite_count_as_missing(picker):
    spoiled = SAMPLES.copy()
    spoiled[1, 2_200:2_210] = np.nan
    absent = PRESENT.copy()
    absent[1, 2_200:2_210] = False
    broken = [replace(w, samples=spoiled) for w in windows_of(SAMPLES, PRESENT)]
    assert run(picker, [broken]).picks == run(picker, [windows_of(SAMPLES, absent)]).picks


def test_empty_steps_and_dead_sensors_give_nothing(picker):
    assert run(picker, [[], []]).picks == ()
    dead = np.full(SAMPLES.shape, 321.0, np.float32)
    told = run(picker, [windows_of(dead, PRESENT)])
    if isinstance(picker, StaLtaPicker):
        assert told.picks == ()
    absent = run(picker, [windows_of(SAMPLES, ~PRESENT)])
    assert absent.picks == ()
    assert absent.detections == ()


def test_one_component_station_is_picked_on_its_component(picker):
    present = PRESENT.copy()
    present[1:] = False
    told = run(picker, [windows_of(SAMPLES, present)])
    assert told.picks
    assert {p.channel_id.channel for p in told.picks} == {"HHZ"}
