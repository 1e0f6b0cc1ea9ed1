"""The rules under PyTorch: the NumPy trajectory, and that of torch.optim where it has the rule."""

import numpy as np
import pytest

from zilzal.learn.clip import ClipNorm, ClipValue
from zilzal.learn.descent import Descent
from zilzal.learn.lengths import Constant, LinearCooling
from zilzal.learn.losses import BinaryCrossEntropy
from zilzal.learn.network import multilayer
from zilzal.learn.rules import AdaGrad, Adam, DeltaBarDelta, GradientDescent, Momentum, RMSProp
from zilzal.learn.training import NetworkLoss, Samples

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.torch, pytest.mark.parity]

RULES = {
    "gradient_descent": GradientDescent(),
    "polyak": Momentum(gamma=0.8),
    "nesterov": Momentum(gamma=0.8, nesterov=True),
    "delta_bar_delta": DeltaBarDelta(),
    "jacobs": DeltaBarDelta(memory=0.7, largest=1.5),
    "adagrad": AdaGrad(),
    "rmsprop": RMSProp(),
    "adam": Adam(),
}
PEERS = {
    "gradient_descent": lambda p: torch.optim.SGD(p, lr=0.02),
    "polyak": lambda p: torch.optim.SGD(p, lr=0.02, momentum=0.8),
    "nesterov": lambda p: torch.optim.SGD(p, lr=0.02, momentum=0.8, nesterov=True),
    "adagrad": lambda p: torch.optim.Adagrad(p, lr=0.02),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.02, alpha=0.9),
    "adam": lambda p: torch.optim.Adam(p, lr=0.02),
}
STEPS = 40


def setup():
    generator = np.random.default_rng(7)
    network = multilayer((4, 6, 5, 1), "tanh")
    theta = network.initialise(generator, dtype=np.float64)
    x, y = generator.standard_normal((12, 4)), generator.integers(0, 2, (12, 1)).astype(float)
    return NetworkLoss(network, BinaryCrossEntropy(), Samples(x, y)), theta


def torch_model(network, theta):
    modules = []
    for weights, bias in network.split(theta):
        layer = torch.nn.Linear(*weights.shape, dtype=torch.float64)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(weights.T))
            layer.bias.copy_(torch.from_numpy(bias))
        modules += [layer, torch.nn.Tanh()]
    return torch.nn.Sequential(*modules[:-1])


def torch_way(problem, theta, make, steps=STEPS):
    model = torch_model(problem.network, theta)
    optimiser = make(model.parameters())
    x, y = torch.from_numpy(problem.samples.x), torch.from_numpy(problem.samples.y)
    loss = torch.nn.BCEWithLogitsLoss()
    way = []

    def closure():
        optimiser.zero_grad()
        value = loss(model(x), y)
        value.backward()
        return value

    for _ in range(steps):
        optimiser.step(closure)
        way.append(np.concatenate([p.detach().numpy().T.ravel() for p in model.parameters()]))
    return np.array(way)


def numpy_way(problem, theta, descent, steps=STEPS):
    position = descent.start(theta)
    way = []
    for _ in range(steps):
        descent.step(position, problem)
        way.append(position.parameters.copy())
    return np.array(way)


def adapter(rule, **options):
    from zilzal.learn.torch_adapter import RuleOptimiser

    return lambda parameters: RuleOptimiser(parameters, rule, **options)


@pytest.mark.parametrize("name", sorted(RULES))
def test_adapter_walks_the_same_way_as_numpy(name):
    problem, theta = setup()
    ours = numpy_way(problem, theta, Descent(rule=RULES[name], length=Constant(0.02)))
    theirs = torch_way(problem, theta, adapter(RULES[name], lr=0.02))
    np.testing.assert_allclose(theirs, ours, rtol=0, atol=1e-12)
    assert abs(ours[-1] - theta).max() > 1e-3


@pytest.mark.parametrize("name", sorted(PEERS))
def test_rules_walk_the_same_way_as_torch_optim(name):
    problem, theta = setup()
    peer = torch_way(problem, theta, PEERS[name])
    ours = torch_way(problem, theta, adapter(RULES[name], lr=0.02))
    np.testing.assert_allclose(ours, peer, rtol=0, atol=1e-12)


@pytest.mark.parametrize("clip", [ClipNorm(0.05), ClipValue(0.01)])
def test_clipping_and_cooling_are_the_same_under_torch(clip):
    problem, theta = setup()
    cooling = LinearCooling(0.5, 30)
    descent = Descent(rule=Momentum(), length=cooling, clip=clip)
    ours = numpy_way(problem, theta, descent)
    theirs = torch_way(problem, theta, adapter(Momentum(), lr=cooling, clip=clip))
    np.testing.assert_allclose(theirs, ours, rtol=0, atol=1e-12)


@pytest.mark.parametrize("clip", ["norm", "value"])
def test_clipping_equals_that_of_torch(clip):
    gradients = [torch.randn(5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)]
    leaf = torch.zeros(5, dtype=torch.float64, requires_grad=True)
    leaf.grad = gradients[0].clone()
    if clip == "norm":
        torch.nn.utils.clip_grad_norm_([leaf], 0.3)
        (ours,) = ClipNorm(0.3).clip(gradients)
        # PyTorch adds 1e-6 to the norm before it divides.
        np.testing.assert_allclose(ours, leaf.grad, rtol=1e-6)
    else:
        torch.nn.utils.clip_grad_value_([leaf], 0.3)
        (ours,) = ClipValue(0.3).clip(gradients)
        np.testing.assert_array_equal(ours, leaf.grad)


def test_schedulers_of_torch_set_the_rate():
    from zilzal.learn.torch_adapter import RuleOptimiser

    leaf = torch.ones(1, requires_grad=True)
    optimiser = RuleOptimiser([leaf], GradientDescent(), lr=0.5)
    scheduler = torch.optim.lr_scheduler.StepLR(optimiser, 1, gamma=0.1)
    for expected in (0.5, 0.45):
        leaf.grad = torch.ones(1)
        optimiser.step()
        scheduler.step()
        assert leaf.item() == pytest.approx(expected)


@pytest.mark.parametrize("name", sorted(RULES))
def test_state_dict_carries_the_rule_on(name, tmp_path):
    from zilzal.learn.torch_adapter import RuleOptimiser

    def walk(leaf, optimiser, steps):
        for _ in range(steps):
            optimiser.zero_grad()
            (leaf**2 * torch.tensor([1.0, 5.0])).sum().backward()
            optimiser.step()

    whole = torch.tensor([1.0, -1.0], requires_grad=True)
    walk(whole, RuleOptimiser([whole], RULES[name], lr=0.03), 6)
    first = torch.tensor([1.0, -1.0], requires_grad=True)
    optimiser = RuleOptimiser([first], RULES[name], lr=0.03)
    walk(first, optimiser, 3)
    torch.save(optimiser.state_dict(), tmp_path / "state.pt")
    second = first.detach().clone().requires_grad_()
    resumed = RuleOptimiser([second], RULES[name], lr=0.9)
    resumed.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    walk(second, resumed, 3)
    assert torch.equal(second, whole)


def test_parameters_without_a_gradient_stay():
    from zilzal.learn.torch_adapter import RuleOptimiser

    moving, still = (torch.ones(2, requires_grad=True) for _ in "ab")
    moving.grad = torch.ones(2)
    RuleOptimiser([moving, still], Adam(), lr=0.1).step()
    assert torch.equal(still, torch.ones(2))
    assert (moving < 1).all()


def test_negative_rate_is_refused():
    from zilzal.learn.torch_adapter import RuleOptimiser

    with pytest.raises(ValueError, match="must not be negative"):
        RuleOptimiser([torch.ones(1, requires_grad=True)], Adam(), lr=-1.0)
