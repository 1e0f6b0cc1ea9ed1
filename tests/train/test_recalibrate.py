"""Calibrating a network that exists, on records whose truth is made."""

from pathlib import Path

import numpy as np
import pytest

from tests.infer.networks import save_network
from tests.pick.test_neural import spike_network
from zilzal.core.errors import ModelError
from zilzal.core.pick import Phase
from zilzal.infer.engine import load_model
from zilzal.infer.spec import read_spec, spec_of
from zilzal.train.dataset import Onset, Record
from zilzal.train.recalibrate import Recalibration, outputs_of_file, recalibrate

pytestmark = pytest.mark.torch  # the room imports it

SCATTER_S = 0.05


def record(number, rng, *, noise=False):
    """Noise of 1 count, with a spike that the network of `spike_network` takes for a P.

    The label lies around the spike with a scatter of 0.05 s; spikes in noise are lower.
    """
    samples = rng.standard_normal((3, 9_000)).astype(np.float32)
    place = int(rng.integers(4_000, 5_000))
    samples[0, place] += rng.uniform(8, 16) if noise else rng.uniform(14, 60)
    onset = place + 100 * SCATTER_S * rng.standard_normal()
    return Record(
        name=f"{number}", source="quiet" if noise else "loud", event=f"{number}", split="dev",
        kind="noise" if noise else "earthquake", sampling_rate=100.0, samples=samples,
        present=np.ones(samples.shape, bool),
        onsets=() if noise else (Onset(phase=Phase.P, sample=onset),),
        quiet=((0, 8_999),) if noise else (),
    )  # fmt: skip


@pytest.fixture(scope="module")
def records():
    rng = np.random.default_rng(12)
    return [record(n, rng, noise=n % 3 == 0) for n in range(150)]


@pytest.fixture
def path(tmp_path):
    return spike_network(tmp_path / "spike.onnx", edges="flush")


def test_uncertainty_is_the_scatter_and_half_is_a_fair_chance(path, records):
    content, findings = recalibrate(Path(path), records)
    spec, before = spec_of(content), read_spec(path)
    assert spec.uncertainty_s("P", 0.95) == pytest.approx(SCATTER_S, rel=0.25)
    assert findings[Phase.P].within == pytest.approx(0.68, abs=0.08)
    assert findings[Phase.P].calibration_error < 0.06
    # Spikes of noise are lower: heights that only earthquakes have are nearly sure.
    assert spec.calibrate("P", 0.95) > 0.95
    assert spec.calibrate("P", 0.4) < 0.5
    assert findings[Phase.P].per_noise_hour <= 2.0 < 60
    assert spec.thresholds["P"] != before.thresholds["P"]
    assert spec.peaks == "separated"
    assert "150 records (50 of noise) of loud, quiet" in spec.development_data
    assert "## Calibrated" in spec.card


def test_looser_bound_on_noise_lets_the_threshold_sink(path, records):
    strict, loose = (
        recalibrate(Path(path), records, Recalibration(false_per_hour=rate))[1][Phase.P]
        for rate in (0.0, 60.0)
    )
    assert loose.threshold < strict.threshold
    assert strict.per_noise_hour < loose.per_noise_hour


def test_curves_are_laid_on_the_records_own_samples_at_any_rate_of_the_network(tmp_path, records):
    samples = records[1].samples
    top = int(np.argmax(samples[0]))
    for name, rate in (("a", 100.0), ("b", 50.0)):
        path = spike_network(tmp_path / f"{name}.onnx", rate=rate)
        curves = outputs_of_file(load_model(path))(samples, np.ones(samples.shape, bool))
        assert curves.shape == (3, 9_000)
        assert abs(int(np.argmax(curves[0])) - top) <= 1
        assert (curves[1:] == 0).all()


def test_without_right_picks_or_without_phases_there_is_nothing_to_calibrate(tmp_path, records):
    path = save_network(tmp_path)
    with pytest.raises(ModelError, match="give more"):
        recalibrate(path, [record for record in records if record.kind == "noise"][:10])
    plain = {"labels": ("noise",), "thresholds": {}, "uncertainty": {}}
    with pytest.raises(ModelError, match="no P or S"):
        recalibrate(save_network(tmp_path, name="noise", **plain), records[:3])
