"""A network that is run only where its gate is open."""

from dataclasses import replace

import numpy as np
import pytest

from tests.infer.networks import SPEC, save_gated, save_network
from tests.pick.cases import earthquakes, run, windows_of
from zilzal.core.errors import SpecError
from zilzal.infer.engine import load_model
from zilzal.infer.gated import GATE_KEY, GatedEngine, gate_of, stretches
from zilzal.infer.metadata import write_metadata
from zilzal.infer.spec import ModelSpec
from zilzal.pick.neural import NeuralPicker

SHARE = 0.999
THRESHOLDS = {"P": 0.9995, "S": 0.995, "detection": 0.995}
"""High: random weights say a lot about noise."""
GATED = replace(
    SPEC, blind_samples=5, reach_samples=(32, 32), window_samples=448, hop_samples=384,
    thresholds=THRESHOLDS, gate={label: SHARE * value for label, value in THRESHOLDS.items()},
)  # fmt: skip
SAMPLES = earthquakes([1_500, 4_000, 9_000], 40_300)
PRESENT = np.ones(SAMPLES.shape, bool)


@pytest.fixture
def path(tmp_path):
    return save_gated(tmp_path, GATED)


class Counting:
    """An engine that notes what it is run on."""

    def __init__(self, engine, given=None):
        self.engine, self.given, self.lengths = engine, given, []

    @property
    def input_shape(self):
        return [1 if self.given else None, 3, self.given]

    @property
    def output_shape(self):
        return self.engine.output_shape

    def run(self, inputs):
        self.lengths.append(inputs.shape[2])
        return self.engine.run(inputs)


def picked(path, at=(), **options):
    picker = NeuralPicker(model=str(path), with_probabilities=True, **options)
    return run(picker, [[window] for window in windows_of(SAMPLES, PRESENT, list(at))])


def told(result):
    return [(p.phase, p.channel_id, p.time, p.probability) for p in result.picks]


def values(result):
    return np.concatenate([t.values for t in result.probabilities], 1)


def test_picks_are_those_of_the_network_everywhere(path):
    gated, everywhere = picked(path), picked(path, gated=False)
    assert len(gated.picks) > 3
    # Up to rounding: one-dimensional convolutions are summed in another order at other lengths.
    assert [t[:2] for t in told(gated)] == [t[:2] for t in told(everywhere)]
    assert [t[3] for t in told(gated)] == pytest.approx([t[3] for t in told(everywhere)], abs=1e-5)


def test_curves_are_the_networks_where_it_is_open_and_zero_elsewhere(path):
    gated, everywhere = values(picked(path)), values(picked(path, gated=False))
    is_open = gated.any(axis=0)
    assert 0.01 < is_open.mean() < 0.5
    np.testing.assert_allclose(gated[:, is_open], everywhere[:, is_open], atol=1e-6)
    thresholds = np.array(list(GATED.gate.values()))[:, None]
    assert (everywhere[:, ~is_open] < thresholds).all()


@pytest.mark.parametrize("cuts", [[1_234, 1_240, 5_678, 30_000], range(300, 40_000, 300)])
def test_where_data_are_cut_changes_nothing(path, cuts):
    whole, pieces = picked(path), picked(path, cuts)
    assert [t[:2] for t in told(pieces)] == [t[:2] for t in told(whole)]
    np.testing.assert_allclose(values(pieces), values(whole), atol=1e-6)


@pytest.mark.parametrize("given", [None, 448, 960])
def test_network_is_run_on_little_and_sees_all_that_it_looks_at(path, given):
    plain = load_model(path, gated=False).engine
    network = Counting(plain, given)
    gate = load_model(path).engine._gate
    engine = GatedEngine(network, gate, list(GATED.gate.values()), GATED.reach_samples)
    noise = np.random.default_rng(0).standard_normal((2, 3, 9_600)).astype(np.float32)
    noise *= 0.1
    noise[:, :, 4_000:4_300] *= 100
    curves, everywhere = engine.run(noise), plain.run(noise)
    assert 0 < sum(network.lengths) < noise.shape[2]
    is_open = curves.any(axis=1, keepdims=True)
    np.testing.assert_allclose(curves, np.where(is_open, everywhere, 0), atol=1e-6)
    assert is_open[:, :, 4_000:4_300].any()


def test_nothing_open_means_nothing_run(path):
    network = Counting(load_model(path, gated=False).engine)
    gate = load_model(path).engine._gate
    engine = GatedEngine(network, gate, [1.0, 1.0, 1.0], GATED.reach_samples)
    assert not engine.run(np.zeros((1, 3, 4_480), np.float32)).any()
    assert network.lengths == []


@pytest.mark.parametrize("given", [None, 256])
def test_stretches_cover_open_cells_once_with_their_surroundings(given):
    rng = np.random.default_rng(1)
    before, after = 64, 32
    for share in (0.02, 0.2, 0.9):
        is_open = rng.random(300) < share
        covered = np.zeros(300 * 32, int)
        for part in stretches(is_open, (before, after), given):
            covered[part.first : part.last] += 1
            assert part.start <= max(part.first - before, 0)
            assert part.end >= min(part.last + after, len(covered))
            assert given is None or part.end - part.start == given
        assert covered.max() <= 1
        assert covered[np.repeat(is_open, 32)].all()


def test_openvino_gives_the_same(path):
    pytest.importorskip("openvino")
    ours, theirs = picked(path), picked(path, engine="openvino")
    assert [t[:2] for t in told(theirs)] == [t[:2] for t in told(ours)]
    np.testing.assert_allclose(values(theirs), values(ours), atol=1e-4)


def test_specification_with_a_gate_comes_back():
    assert ModelSpec.from_json(GATED.to_json()) == GATED


def test_gate_that_is_told_of_but_missing_is_refused(tmp_path):
    path = save_network(tmp_path, GATED)
    with pytest.raises(SpecError, match="tells of a gate that is not in the file"):
        load_model(path)
    assert load_model(path, gated=False).spec == GATED


def test_gate_that_is_no_base64_is_refused(path):
    with pytest.raises(SpecError, match="not base64"):
        gate_of(write_metadata(path.read_bytes(), GATE_KEY, "?"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"gate": {"R": 0.5}}, "gate R = 0.5 has no label"),
        ({"gate": {"P": 0.0}}, r"not in \(0, 1\]"),
        ({"reach_samples": None}, "reach_samples must be given"),
        ({"hop_samples": 400, "window_samples": 464}, "must be multiples of 32"),
    ],
)
def test_gate_that_cannot_be_used_is_refused(changes, said):
    with pytest.raises(SpecError, match=said):
        replace(GATED, **changes)
