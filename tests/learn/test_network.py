"""Gradients against PyTorch and central differences, and what networks must keep."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from zilzal.learn.descent import Descent
from zilzal.learn.files import Model, load_model, save_model
from zilzal.learn.gradcheck import central_difference, relative_error
from zilzal.learn.initialise import (
    INITIALISERS,
    ConstantWeights,
    He,
    NormalWeights,
    UniformBySize,
    Xavier,
)
from zilzal.learn.landscape import filter_normalised, loss_plane
from zilzal.learn.layers import ACTIVATIONS, RELU, Convolution, Dense, sigmoid, softmax
from zilzal.learn.lengths import Constant
from zilzal.learn.losses import (
    BinaryCrossEntropy,
    ProbabilityCrossEntropy,
    SoftmaxCrossEntropy,
    SquaredError,
)
from zilzal.learn.network import Network, multilayer, permute_hidden
from zilzal.learn.rules import RULES
from zilzal.learn.training import NetworkLoss, Samples

LOSSES = {
    "bce": BinaryCrossEntropy(),
    "weighted": BinaryCrossEntropy(positive_weight=3.5),
    "softmax": SoftmaxCrossEntropy(),
    "squared": SquaredError(),
}
DEPTHS = {1: (5, 3), 2: (5, 4, 3), 3: (5, 4, 6, 3), 4: (5, 4, 6, 7, 3)}


def make_problem(depth, hidden, loss, *, head=None, weighted=True, penalty=0.0):
    generator = np.random.default_rng(depth)
    network = multilayer(DEPTHS[depth], hidden, head=head)
    y = generator.random((7, 3))
    y /= y.sum(axis=1, keepdims=True)
    weights = generator.random(7)
    samples = Samples(
        generator.standard_normal((7, 5)), y, weights / weights.mean() if weighted else None
    )
    theta = network.initialise(generator, Xavier(), bias=0.1, dtype=np.float64)
    return NetworkLoss(network, LOSSES.get(loss, loss), samples, penalty), theta


def torch_gradient(problem, theta, hidden, loss, head):
    import torch
    from torch.nn import functional

    leaf = torch.tensor(theta, requires_grad=True)
    x, y = torch.from_numpy(problem.samples.x), torch.from_numpy(problem.samples.y)
    w = torch.from_numpy(problem.samples.weights)
    act = {
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "relu": torch.relu,
        "softmax": lambda z: torch.softmax(z, dim=1),
    }
    start = 0
    layers = problem.network.layers
    for k, layer in enumerate(layers):
        count = layer.inputs * layer.outputs
        weight = leaf[start : start + count].reshape(layer.inputs, layer.outputs)
        bias = leaf[start + count : start + layer.size]
        start += layer.size
        x = x @ weight + bias
        if k < len(layers) - 1:
            x = act[hidden](x)
    if head:
        x = act[head](x)
    if loss == "bce":
        each = functional.binary_cross_entropy_with_logits(x, y, reduction="none").mean(1)
    elif loss == "weighted":
        each = functional.binary_cross_entropy_with_logits(
            x, y, reduction="none", pos_weight=torch.tensor(3.5, dtype=torch.float64)
        ).mean(1)
    elif loss == "softmax":
        each = functional.cross_entropy(x, y, reduction="none")
    else:
        each = (0.5 * (x - y) ** 2).mean(1)
    total = (each * w).mean()
    total.backward()
    return float(total.detach()), leaf.grad.numpy()


@pytest.mark.torch
@pytest.mark.parity
@pytest.mark.parametrize(
    ("depth", "hidden", "loss"), list(product(DEPTHS, sorted(ACTIVATIONS), LOSSES))
)
def test_gradient_equals_automatic_differentiation(depth, hidden, loss):
    problem, theta = make_problem(depth, hidden, loss)
    value, gradient = problem.value_and_gradient(theta)
    other, expected = torch_gradient(problem, theta, hidden, loss, None)
    assert value == pytest.approx(other, abs=1e-12)
    np.testing.assert_allclose(gradient, expected, rtol=0, atol=1e-10)


@pytest.mark.torch
@pytest.mark.parity
@pytest.mark.parametrize("head", sorted(ACTIVATIONS))
def test_gradient_through_any_head_equals_automatic_differentiation(head):
    problem, theta = make_problem(3, "tanh", "squared", head=head)
    _, gradient = problem.value_and_gradient(theta)
    _, expected = torch_gradient(problem, theta, "tanh", "squared", head)
    np.testing.assert_allclose(gradient, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    ("depth", "hidden", "loss"), list(product(DEPTHS, sorted(ACTIVATIONS), LOSSES))
)
def test_gradient_equals_central_differences(depth, hidden, loss):
    problem, theta = make_problem(depth, hidden, loss, penalty=0.3)
    _, gradient = problem.value_and_gradient(theta)
    # h² of truncation and 1e-16/h of rounding balance near 1e-10 at h = 1e-5.
    assert relative_error(gradient, central_difference(problem, theta)) < 1e-8


def test_gradient_with_respect_to_the_input_equals_central_differences():
    layer = Dense(4, 3)
    generator = np.random.default_rng(1)
    theta, x = generator.standard_normal(layer.size), generator.standard_normal((2, 4))
    dy = generator.standard_normal((2, 3))
    dx = layer.backward(theta, (x, layer.forward(theta, x)), dy, into=np.empty(layer.size))

    class Pulled:
        def value(self, flat):
            return float((layer.forward(theta, flat.reshape(2, 4)) * dy).sum())

    np.testing.assert_allclose(dx.ravel(), central_difference(Pulled(), x.ravel()), atol=1e-9)


def test_gradient_of_the_probability_loss_equals_central_differences():
    problem, theta = make_problem(2, "tanh", ProbabilityCrossEntropy(), head="sigmoid")
    _, gradient = problem.value_and_gradient(theta)
    assert relative_error(gradient, central_difference(problem, theta)) < 1e-8


def test_wrong_gradient_is_seen_by_the_check():
    problem, theta = make_problem(2, "tanh", "bce")
    _, gradient = problem.value_and_gradient(theta)
    gradient[3] *= 1.01
    assert relative_error(gradient, central_difference(problem, theta)) > 1e-6


LOGITS = hnp.arrays(
    st.sampled_from([np.float32, np.float64]), (3, 2), elements=st.floats(-1e4, 1e4, width=32)
)


@given(z=LOGITS, y=hnp.arrays(np.float64, (3, 2), elements=st.sampled_from([0.0, 0.25, 1.0])))
def test_losses_neither_overflow_nor_take_the_logarithm_of_zero(z, y):
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        for loss in (BinaryCrossEntropy(), BinaryCrossEntropy(positive_weight=9.0)):
            value, gradient = loss.value_and_gradient(z, y.astype(z.dtype))
            assert 0.0 <= value <= 9.1e4
            assert np.isfinite(gradient).all()
        one_hot = np.eye(2, dtype=z.dtype)[[0, 1, 0]]
        value, gradient = SoftmaxCrossEntropy().value_and_gradient(z, one_hot)
        assert 0.0 <= value <= 2.1e4
        assert np.isfinite(gradient).all()
        assert np.isfinite(sigmoid(z)).all()
        assert np.isfinite(softmax(z)).all()


@pytest.mark.parametrize(("z", "y", "loss"), [(1e4, 0.0, 1e4), (-1e4, 1.0, 1e4), (1e4, 1.0, 0.0)])
def test_loss_of_extreme_logits_is_exact(z, y, loss):
    value, _ = BinaryCrossEntropy().value_and_gradient(np.array([[z]]), np.array([[y]]))
    assert value == loss


@given(z=hnp.arrays(np.float64, 5, elements=st.floats(-700, 700)))
def test_sigmoid_is_one_minus_its_mirror_and_keeps_its_tail(z):
    np.testing.assert_allclose(sigmoid(z) + sigmoid(-z), 1.0, rtol=1e-15)
    np.testing.assert_allclose(sigmoid(-np.abs(z)), 1.0 / (1.0 + np.exp(np.abs(z))), rtol=1e-13)


def test_weighted_loss_counts_positives_as_if_they_came_more_often():
    z, y = np.array([[0.3], [-1.2]]), np.array([[1.0], [0.0]])
    weighted, _ = BinaryCrossEntropy(positive_weight=3.0).value_and_gradient(z, y)
    repeated, _ = BinaryCrossEntropy().value_and_gradient(z[[0, 0, 0, 1]], y[[0, 0, 0, 1]])
    assert 2 * weighted == pytest.approx(4 * repeated, rel=1e-14)


@given(seed=st.integers(0, 2**32 - 1), layer=st.integers(0, 1))
@settings(max_examples=30)
def test_permuted_hidden_units_leave_the_function_unchanged(seed, layer):
    generator = np.random.default_rng(seed)
    network = multilayer((3, 6, 5, 2), "tanh")
    theta = network.initialise(generator, dtype=np.float64)
    x = generator.standard_normal((4, 3))
    permuted = permute_hidden(network, theta, layer, generator.permutation([6, 5][layer]))
    np.testing.assert_allclose(
        network.forward(permuted, x), network.forward(theta, x), rtol=1e-12, atol=1e-14
    )


@pytest.mark.parametrize("rule", sorted(RULES))
@given(value=st.floats(-1.0, 1.0), bias=st.floats(-0.5, 0.5))
@settings(max_examples=10)
def test_constant_initialisation_keeps_equal_units_equal_for_ever(rule, value, bias):
    generator = np.random.default_rng(0)
    network = multilayer((3, 4, 4, 1), "tanh")
    theta = network.initialise(generator, ConstantWeights(value), bias=bias, dtype=np.float64)
    samples = Samples(generator.standard_normal((8, 3)), generator.random((8, 1)))
    problem = NetworkLoss(network, BinaryCrossEntropy(), samples)
    descent = Descent(rule=RULES[rule](), length=Constant(0.05))
    position = descent.start(theta)
    for _ in range(20):
        descent.step(position, problem)
    for weights, biases in network.split(position.parameters)[:-1]:
        # Equal but for the order in which a product adds up its terms.
        np.testing.assert_allclose(weights, weights[:, :1].repeat(4, axis=1), atol=1e-9)
        np.testing.assert_allclose(biases, biases[0], atol=1e-9)


def test_random_initialisation_lets_units_differ():
    network = multilayer((3, 4, 1), "tanh")
    weights, _ = network.split(network.initialise(np.random.default_rng(0)))[0]
    assert np.ptp(weights, axis=1).min() > 0.0


@pytest.mark.parametrize(
    ("initialiser", "variance"),
    [
        (NormalWeights(), 0.01),
        (NormalWeights(0.25), 0.25),
        (UniformBySize(), 1 / 3 / 400),
        (Xavier(), 1 / 400),
        (He(), 2 / 400),
        (ConstantWeights(0.5), 0.0),
    ],
)
def test_initialisers_have_the_lectures_variance(initialiser, variance):
    weights = initialiser.weights(400, 500, np.random.default_rng(3))
    # The variance of 200,000 draws scatters by sqrt(2/200000) = 0.3 %.
    assert weights.var() == pytest.approx(variance, rel=0.02, abs=1e-30)
    assert abs(weights - weights.mean()).max() <= 6 * variance**0.5
    if isinstance(initialiser, UniformBySize):
        assert abs(weights).max() <= 1 / 20


def test_he_keeps_the_spread_of_relu_activations_through_ten_layers():
    network = multilayer((256,) * 11, "relu")
    generator = np.random.default_rng(0)
    x = generator.standard_normal((200, 256))
    for initialiser, low, high in ((He(), 0.3, 3.0), (Xavier(), 0.0, 0.1)):
        theta = network.initialise(generator, initialiser, dtype=np.float64)
        ratio = network.values(theta, x)[-1].std() / x.std()
        assert low <= ratio <= high


def test_same_seed_gives_the_same_bytes_and_biases_their_constant():
    network = multilayer((6, 5, 2))
    for make in INITIALISERS.values():
        one, two = (network.initialise(np.random.default_rng(9), make(), bias=0.1) for _ in "ab")
        assert one.tobytes() == two.tobytes()
        assert all((bias == np.float32(0.1)).all() for _, bias in network.split(one))


def test_convolution_is_the_sum_over_taps_and_channels():
    layer = Convolution(places=6, channels=2, taps=3, units=2, step=2)
    generator = np.random.default_rng(1)
    theta, x = generator.standard_normal(layer.size), generator.standard_normal((4, 12))
    weights, bias = theta[:12].reshape(3, 2, 2), theta[12:]
    series = x.reshape(4, 6, 2)
    by_hand = np.array(
        [
            [
                [
                    bias[u] + sum(sample[2 * r + t] @ weights[t, :, u] for t in range(3))
                    for u in range(2)
                ]
                for r in range(2)
            ]
            for sample in series
        ]
    )
    told = layer.forward(theta, x)
    assert told.shape == (4, layer.outputs) == (4, 4)
    assert np.allclose(told.reshape(4, 2, 2), by_hand, atol=1e-12)


@pytest.mark.parametrize("steps", [(1, 1), (2, 1), (1, 3), (2, 2)])
def test_gradient_through_convolutions_equals_central_differences(steps):
    first = Convolution(places=14, channels=1, taps=4, units=3, step=steps[0])
    second = Convolution(places=first.runs, channels=3, taps=3, units=2, step=steps[1])
    network = Network((first, ACTIVATIONS["tanh"], second, Dense(second.outputs, 1)))
    generator = np.random.default_rng(2)
    samples = Samples(generator.standard_normal((5, 14)), np.array([[0.0], [1], [1], [0], [1]]))
    problem = NetworkLoss(network, LOSSES["bce"], samples, penalty=0.1)
    theta = network.initialise(generator, Xavier(), bias=0.1, dtype=np.float64)
    _, gradient = problem.value_and_gradient(theta)
    # As above: truncation and rounding balance near 1e-10.
    assert relative_error(gradient, central_difference(problem, theta)) < 1e-8


@pytest.mark.torch
@pytest.mark.parity
def test_convolution_equals_pytorchs():
    import torch

    layer = Convolution(places=20, channels=3, taps=5, units=4, step=2)
    generator = np.random.default_rng(3)
    theta, x = generator.standard_normal(layer.size), generator.standard_normal((2, 60))
    weights, bias = layer.split(theta)
    other = torch.nn.functional.conv1d(
        torch.from_numpy(x.reshape(2, 20, 3).swapaxes(1, 2).copy()),
        torch.from_numpy(weights.reshape(5, 3, 4).transpose(2, 1, 0).copy()),
        torch.from_numpy(bias.copy()),
        stride=2,
    )
    told = layer.forward(theta, x).reshape(2, layer.runs, 4).swapaxes(1, 2)
    assert np.allclose(told, other.numpy(), atol=1e-12)


def test_network_of_convolutions_is_written_and_read_back(tmp_path):
    layer = Convolution(places=9, channels=1, taps=3, units=2, step=3)
    network = Network((layer, RELU, Dense(layer.outputs, 1)))
    model = Model(network=network, parameters=network.initialise(np.random.default_rng(4)))
    save_model(tmp_path / "model.npz", model)
    found = load_model(tmp_path / "model.npz")
    assert found.network == network
    assert np.array_equal(found.parameters, model.parameters)


def test_network_refuses_what_does_not_fit():
    with pytest.raises(ValueError, match="taps at most places"):
        Convolution(places=4, channels=1, taps=5, units=2)
    with pytest.raises(ValueError, match="inputs must be 8"):
        Network((Convolution(places=6, channels=1, taps=3, units=2), Dense(4, 1)))
    with pytest.raises(ValueError, match="inputs must be 3"):
        Network((Dense(2, 3), Dense(4, 1)))
    with pytest.raises(ValueError, match="at least two"):
        multilayer((5,))
    with pytest.raises(ValueError, match="unknown activation"):
        multilayer((5, 4, 1), "swish")
    with pytest.raises(ValueError, match="as many samples"):
        Samples(np.zeros((3, 2)), np.zeros((4, 1)))


def test_gradient_goes_into_the_buffer_given():
    problem, theta = make_problem(2, "relu", "bce")
    buffer = np.empty_like(theta)
    shared = NetworkLoss(problem.network, problem.loss, problem.samples, buffer=buffer)
    _, gradient = shared.value_and_gradient(theta)
    assert gradient is buffer
    np.testing.assert_array_equal(gradient, problem.value_and_gradient(theta)[1])


def test_filter_normalised_direction_is_as_long_as_each_units_weights():
    network = multilayer((5, 4, 3))
    generator = np.random.default_rng(2)
    theta = network.initialise(generator, dtype=np.float64)
    direction = filter_normalised(network, theta, generator)
    for (way, bias), (weights, _) in zip(
        network.split(direction), network.split(theta), strict=True
    ):
        np.testing.assert_allclose(
            np.linalg.norm(way, axis=0), np.linalg.norm(weights, axis=0), rtol=1e-12
        )
        assert not bias.any()


def test_loss_plane_holds_the_loss_at_its_centre():
    problem, theta = make_problem(2, "tanh", "bce")
    first, second = np.eye(len(theta))[:2]
    axis, plane = loss_plane(problem, theta, (first, second), points=3)
    assert plane[1, 1] == problem.value(theta)
    assert plane[2, 0] == problem.value(theta + axis[0] * first + axis[2] * second)
