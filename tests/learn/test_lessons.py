"""The lecture's experiments on networks."""

from __future__ import annotations

import numpy as np
import pytest

from zilzal.learn.descent import Descent
from zilzal.learn.initialise import ConstantWeights, He, NormalWeights, Xavier
from zilzal.learn.lengths import Constant
from zilzal.learn.lessons import (
    WORKED_INPUT,
    WORKED_PARAMETERS,
    four_corners,
    spread_by_layer,
    train_and_watch,
    two_moons,
    work_through,
)
from zilzal.learn.losses import BinaryCrossEntropy
from zilzal.learn.network import multilayer
from zilzal.learn.survey import survey
from zilzal.learn.training import NetworkLoss, Training


def worked(steps=(1e-5,)):
    network = multilayer((2, 2, 1), "sigmoid", head="sigmoid")
    theta, x = np.array(WORKED_PARAMETERS), np.array(WORKED_INPUT)
    return work_through(network, theta, x, np.ones(1), steps=steps)


def test_worked_example_has_every_intermediate_in_order():
    found = worked()
    assert [s.name for s in found.forward] == ["x", "z1", "a1", "z2", "a2", "L"]
    assert [s.name for s in found.backward] == [
        "da2", "dz2", "dW2", "db2", "da1", "dz1", "dW1", "db1",
    ]  # fmt: skip


def test_worked_example_follows_the_lecture():
    value = {s.name: s.value for s in (*worked().forward, *worked().backward)}
    np.testing.assert_allclose(value["z1"], [-0.25, 1.0], rtol=1e-14)
    # a - y with a = 0.495069310435359, worked by hand.
    np.testing.assert_allclose(value["dz2"], [-0.504930689564641], rtol=1e-13)
    np.testing.assert_allclose(value["L"], [-np.log(0.495069310435359)], rtol=1e-13)
    np.testing.assert_allclose(value["dW1"], np.outer(value["dz1"], WORKED_INPUT), rtol=1e-13)


def test_names_of_parameters_are_in_their_order():
    found = worked()
    named = dict(zip(found.names(), found.theta, strict=True))
    # The lecture's W1 = [[0.1, -0.2], [0.3, 0.4]], unit by feature.
    assert [named[f"W1[{u},{f}]"] for u in (1, 2) for f in (1, 2)] == [0.1, -0.2, 0.3, 0.4]
    assert named["b2[1]"] == 0.2


def test_error_of_differences_falls_with_the_square_of_the_step():
    found = worked(steps=(1e-2, 1e-3))
    coarse, fine = np.linalg.norm(found.differences - found.gradient, axis=1)
    assert coarse / fine == pytest.approx(100, rel=0.01)


def test_equal_units_stay_equal_and_random_ones_do_not():
    network, data = multilayer((2, 4, 1), "tanh"), four_corners(100, np.random.default_rng(1))
    rng = np.random.default_rng(0)
    ends = {}
    for way in (ConstantWeights(0.5), Xavier()):
        theta = network.initialise(rng, way, dtype=np.float64)
        ends[type(way)] = train_and_watch(network, theta, data, rate=1.0, steps=200)
    assert (ends[ConstantWeights].spread() == 0).all()
    assert ends[Xavier].spread()[-1] > 1
    # One unit cannot tell opposite corners apart, four can.
    assert ends[Xavier].losses[-1] < 0.1 < ends[ConstantWeights].losses[-1]


@pytest.mark.parametrize(("hidden", "way"), [("relu", He()), ("tanh", Xavier())])
def test_spread_by_layer_is_that_of_theory(hidden, way):
    network = multilayer((256, *[256] * 3, 1), hidden)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((400, 256)) * (1.0 if hidden == "relu" else 0.01)
    spread = spread_by_layer(network, network.initialise(rng, way, dtype=np.float64), x, rng)
    if hidden == "relu":
        # Half of a normal of variance 2: second moment 1, mean 1/sqrt(pi).
        assert spread.activations[0] == pytest.approx(np.sqrt(1 - 1 / np.pi), rel=0.05)
        assert spread.saturated == pytest.approx(0.5, abs=0.05)
    else:
        # Near zero tanh is the identity, and Xavier keeps the variance.
        np.testing.assert_allclose(spread.activations, 0.01, rtol=0.1)
        assert spread.saturated == 0
    assert spread.gradients[0] == pytest.approx(spread.gradients[-1], rel=0.25)


def test_too_small_weights_lose_the_gradient():
    network = multilayer((8, *[32] * 5, 1), "relu")
    rng = np.random.default_rng(0)
    theta = network.initialise(rng, NormalWeights(1e-4), dtype=np.float64)
    spread = spread_by_layer(network, theta, rng.standard_normal((100, 8)), rng)
    # Each layer multiplies by about sqrt(32 · 1e-4 / 2) = 0.04.
    assert spread.gradients[0] < 1e-4 * spread.gradients[-1]


def surveyed(**options):
    rng = np.random.default_rng(0)
    network = multilayer((2, 6, 1), "tanh")
    training = Training(descent=Descent(length=Constant(0.5)), epochs=15, batch_size=None)
    problem = NetworkLoss(network, BinaryCrossEntropy(), two_moons(80, rng))
    theta = network.initialise(rng, dtype=np.float64)
    found = survey(training, problem, theta, problem.samples, rng, points=11, **options)
    return problem, theta, found


def test_middle_of_the_plane_is_the_end_of_training():
    problem, _, found = surveyed()
    assert found.plane[5, 5] == pytest.approx(problem.value(found.theta), rel=1e-12)
    assert found.profile[0] == pytest.approx(problem.value(found.theta), rel=1e-12)
    assert found.epochs[-1].validation_loss == pytest.approx(found.plane[5, 5], rel=1e-12)


def test_twin_is_the_same_function_with_a_hill_between():
    _, _, found = surveyed()
    assert found.profile[-1] == pytest.approx(found.profile[0], rel=1e-10)
    assert found.profile.max() > found.profile[0]


def test_plane_of_the_path_holds_the_path():
    _, _, found = surveyed(along_path=True)
    assert found.explained > 0.95
    np.testing.assert_allclose(found.path[-1], 0, atol=1e-12)
    assert np.abs(found.path).max() == pytest.approx(1.0, rel=1e-9)
    assert found.path.shape == (16, 2)


def test_toy_data_have_both_classes_and_are_no_straight_line():
    for make in (two_moons, four_corners):
        data = make(400, np.random.default_rng(0))
        assert 0.4 < data.y.mean() < 0.6
        design = np.column_stack([data.x, np.ones(400)])
        fitted = design @ np.linalg.lstsq(design, data.y, rcond=None)[0]
        assert ((fitted > 0.5) == (data.y > 0.5)).mean() < 0.95
