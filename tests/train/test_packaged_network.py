"""The network in the box, on real records."""

import numpy as np
import pytest

from zilzal.core.ids import SensorId
from zilzal.core.pick import Phase
from zilzal.core.time import Time
from zilzal.core.waveform import Window
from zilzal.infer.engine import load_model
from zilzal.infer.packaged import find_model
from zilzal.infer.windows import curves_of
from zilzal.pick.neural import NeuralPicker
from zilzal.train.dataset import read_seisbench

pytest.importorskip("h5py")

START = Time.parse("2020-01-01T00:00:00Z")


@pytest.fixture(scope="module")
def records(shared):
    return read_seisbench(shared / "data/picks/ncedc_phasenet", splits=("dev",))


def picks_of(samples, present, **options):
    picker = NeuralPicker(model="zilzal", **options)
    window = Window(
        sensor_id=SensorId("NC", "A", "", "HH"), start=START, sampling_rate=100.0,
        samples=samples.astype(np.float32), present=present,
    )  # fmt: skip
    state, begun = picker.step(picker.start(), [window])
    return (*begun.picks, *picker.finish(state).picks)


def times_s(picks, phase):
    return np.array([pick.time - START for pick in picks if pick.phase is phase])


def test_most_analysts_p_and_s_are_found_within_a_fifth_of_a_second(records):
    found = {phase: [] for phase in Phase}
    for record in records:
        picks = picks_of(record.samples, record.present)
        for phase in Phase:
            label_s = record.onset_samples(phase)[0] / 100
            off_s = np.abs(times_s(picks, phase) - label_s)
            found[phase].append(off_s.min(initial=np.inf) <= 0.2)
    assert np.mean(found[Phase.P]) >= 0.8
    assert np.mean(found[Phase.S]) >= 0.7


@pytest.mark.parametrize("gain", [1e-9, -1.0, 1e6])
def test_units_and_sign_do_not_matter(records, gain):
    record = records[0]
    for phase in Phase:
        plain = times_s(picks_of(record.samples, record.present), phase)
        scaled = times_s(picks_of(record.samples * gain, record.present), phase)
        assert len(plain) == len(scaled)
        np.testing.assert_allclose(scaled, plain, atol=0.05)


def test_a_vertical_alone_still_gives_the_p(records):
    record = records[0]
    present = record.present & np.array([[True], [False], [False]])
    seen_s = times_s(picks_of(np.where(present, record.samples, 0), present), Phase.P)
    assert np.abs(seen_s - 30.0).min(initial=np.inf) <= 0.2


def test_the_gate_holds_hardly_a_pick_back(records):
    gated, everywhere = (
        [
            (record.name, pick.phase, pick.time.ns, pick.probability)
            for record in records
            for pick in picks_of(record.samples, record.present, gated=is_gated)
        ]
        for is_gated in (True, False)
    )
    assert len(everywhere) > 40
    assert set(gated) <= set(everywhere)
    assert len(gated) >= 0.98 * len(everywhere)


def test_the_file_states_what_it_is():
    model = load_model(find_model("zilzal"))
    spec = model.spec
    assert spec.labels == ("P", "S", "detection")
    assert spec.licence == "Apache-2.0"
    assert set(spec.thresholds) == set(spec.gate) == set(spec.labels)
    assert 0 < spec.uncertainty_s("P", 0.99) < spec.uncertainty_s("P", 0.5) < 0.5
    assert find_model("zilzal").stat().st_size < 2_000_000
    # A window decides what it sees in full: the 29.8 s before and the 5.5 s after a sample.
    assert spec.reach_samples is not None
    back_s, ahead_s = (n / spec.sampling_rate for n in spec.reach_samples)
    assert 29.6 <= back_s < 30.0
    assert 5.4 <= ahead_s < 5.6


def test_length_of_windows_changes_no_pick(records):
    samples = np.concatenate([record.samples for record in records[:3]], axis=1)
    window = Window(
        sensor_id=SensorId("NC", "A", "", "HH"), start=START, sampling_rate=100.0,
        samples=samples.astype(np.float32), present=np.ones(samples.shape, bool),
    )  # fmt: skip
    joined, *others = (
        curves_of(load_model(find_model("zilzal"), window_samples=n), window)
        for n in (None, 4_992, 7_616, 16_384)
    )
    for curves in others:
        assert curves.first_number == joined.first_number
        np.testing.assert_allclose(curves.values, joined.values, atol=1e-6)
