"""The lecture's formulas on a 2-2-1 network, step by step, against numbers worked by hand."""

import math

import numpy as np
import pytest

from zilzal.learn.descent import Descent
from zilzal.learn.lengths import Constant
from zilzal.learn.losses import BinaryCrossEntropy, ProbabilityCrossEntropy
from zilzal.learn.network import multilayer
from zilzal.learn.training import NetworkLoss, Samples

# The lecture has W1 (unit, feature); here it is (feature, unit).
W1 = [[0.1, 0.3], [-0.2, 0.4]]
B1 = [0.05, -0.1]
W2 = [[0.5], [-0.6]]
B2 = [0.2]
X = np.array([[1.0, 2.0]])
Y = np.array([[1.0]])


def parameters() -> np.ndarray:
    return np.concatenate([np.ravel(W1), B1, np.ravel(W2), B2])


# z1 = (0.1 - 0.4 + 0.05, 0.3 + 0.8 - 0.1) = (-0.25, 1.0); the rest with mpmath to 15 digits.
EXPECTED_VALUES = [
    [-0.25, 1.0],
    [0.437823499114202, 0.731058578630005],
    [-0.019723397620902],
    [0.495069310435359],
]
D_Z2 = -0.504930689564641
EXPECTED_DELTAS = {
    "da1": [-0.252465344782321, 0.302958413738785],
    "dz1": [-0.0621403260610280, 0.0595652394169552],
}


def test_every_intermediate_of_the_forward_pass_is_as_worked_by_hand():
    values = multilayer((2, 2, 1), "sigmoid", head="sigmoid").values(parameters(), X)
    for value, expected in zip(values[1:], EXPECTED_VALUES, strict=True):
        np.testing.assert_allclose(value[0], expected, rtol=0, atol=1e-14)


def test_every_intermediate_of_the_backward_pass_follows_the_lecture():
    network = multilayer((2, 2, 1), "sigmoid", head="sigmoid")
    values = network.values(parameters(), X)
    _, da2 = ProbabilityCrossEntropy().value_and_gradient(values[-1], Y)
    _, dz1, da1, dz2, _ = network.deltas(parameters(), values, da2)
    a1 = values[2][0]
    np.testing.assert_allclose(dz2[0], D_Z2, rtol=1e-13)
    np.testing.assert_allclose(da1[0], EXPECTED_DELTAS["da1"], rtol=1e-13)
    np.testing.assert_allclose(dz1[0], EXPECTED_DELTAS["dz1"], rtol=1e-13)
    (dW1, db1), (dW2, db2) = network.split(network.backward(parameters(), values, da2))
    np.testing.assert_allclose(dW2[:, 0], D_Z2 * a1, rtol=1e-13)
    np.testing.assert_allclose(db2, [D_Z2], rtol=1e-13)
    np.testing.assert_allclose(dW1, np.outer(X[0], dz1[0]), rtol=1e-13)
    np.testing.assert_allclose(db1, dz1[0], rtol=1e-13)


def test_loss_from_logits_equals_the_chain_through_the_probability():
    chained = NetworkLoss(
        multilayer((2, 2, 1), "sigmoid", head="sigmoid"), ProbabilityCrossEntropy(), Samples(X, Y)
    )
    joined = NetworkLoss(multilayer((2, 2, 1), "sigmoid"), BinaryCrossEntropy(), Samples(X, Y))
    loss, gradient = joined.value_and_gradient(parameters())
    assert loss == pytest.approx(0.703057505133950, abs=1e-14)  # -log(0.495069310435359)
    other, by_chain = chained.value_and_gradient(parameters())
    assert other == pytest.approx(loss, rel=1e-14)
    np.testing.assert_allclose(by_chain, gradient, rtol=1e-13)


def test_logistic_regression_steps_as_the_lecture_writes_it():
    x = np.array([[1.0, -1.0], [0.5, 2.0], [-1.5, 0.5]])
    y = np.array([1.0, 0.0, 1.0])
    w, b = np.array([0.2, -0.4]), 0.1
    a = np.array([1 / (1 + math.exp(-(row @ w + b))) for row in x])
    dz = a - y
    problem = NetworkLoss(multilayer((2, 1)), BinaryCrossEntropy(), Samples(x, y[:, np.newaxis]))
    descent = Descent(length=Constant(0.5))
    position = descent.start(np.array([*w, b]))
    descent.step(position, problem)
    expected = [*(w - 0.5 * x.T @ dz / 3), b - 0.5 * dz.sum() / 3]
    np.testing.assert_allclose(position.parameters, expected, rtol=1e-14)
