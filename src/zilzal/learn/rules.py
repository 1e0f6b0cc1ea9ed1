"""Update rules: from a gradient to a step (LECTURE.md 8, 14, 15).

A rule works element by element, through operators only, so one text serves NumPy arrays, torch
tensors and blocks of either. `update` takes the state over: its arrays are reused, which keeps a
step in cache, and the caller goes on with what is returned. The gradient is left untouched.

Notation: g the gradient, α the rate (the step's length), θ the parameters, t the count of steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Protocol

from jaxtyping import Float

from zilzal.core.arrays import Array
from zilzal.learn.vectors import State, Vector, discounted_count, discounted_sum, namespace

BLOCK = 32_768
"""Elements updated at a time, so that a rule's intermediate results stay in cache."""


class Rule(Protocol):
    """Turns gradients into steps."""

    adapts: ClassVar[bool]
    """Whether parameters come to have rates of their own."""

    def init(self, parameters: Vector) -> State:
        """The state before the first step, shaped as the parameters."""
        ...

    def update(self, state: State, gradient: Vector, rate: float) -> tuple[State, Vector]:
        """The next state and the step that is to be added to the parameters; takes `state` over."""
        ...

    def rates(self, state: State, rate: float) -> Vector | float:
        """How far the rule now goes per unit of (mean) gradient: one number, or one a parameter."""
        ...


@dataclass(frozen=True, slots=True)
class GradientDescent:
    """Straight down: `θ <- θ - α g`."""

    adapts: ClassVar[bool] = False

    def init(self, parameters: Vector) -> State:  # noqa: ARG002 - the protocol's signature
        """Nothing to remember."""
        return {}

    def update(self, state: State, gradient: Vector, rate: float) -> tuple[State, Vector]:
        """See `Rule.update`."""
        return state, -rate * gradient

    def rates(self, state: State, rate: float) -> float:  # noqa: ARG002 - the protocol's signature
        """The rate itself."""
        return rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Momentum:
    """A heavy ball: `v <- γ v - α g`, `θ <- θ + v`.

    Old steps stay in `v` with the rate they were made at, as in the lecture; `torch.optim.SGD`
    applies today's rate to them, which differs only while the rate changes.

    Args:
        gamma: what is kept of the last step, in [0, 1).
        nesterov: evaluate the gradient where the ball is about to be, `θ + γ v`. The parameters
            held are then those look-ahead ones, so a step is `γ v - α g` with the new `v`.

    Source:
        Polyak (1964), doi:10.1016/0041-5553(64)90137-5; Nesterov (1983) in the form of Sutskever
        et al. (2013), Proc. ICML 28, equations 3 and 4, moved to the look-ahead point as in
        Bengio et al. (2013), doi:10.1109/ICASSP.2013.6639349, equation 7.
    """

    adapts: ClassVar[bool] = False
    gamma: float = 0.9
    nesterov: bool = False

    def __post_init__(self) -> None:
        _check_share(self.gamma, "gamma")

    def init(self, parameters: Vector) -> State:
        """A ball at rest."""
        return {"velocity": namespace(parameters).zeros_like(parameters)}

    def update(self, state: State, gradient: Vector, rate: float) -> tuple[State, Vector]:
        """See `Rule.update`."""
        push = -rate * gradient
        velocity = discounted_sum(state["velocity"], push, self.gamma)
        step = self.gamma * velocity + push if self.nesterov else velocity
        return {"velocity": velocity}, step

    def rates(self, state: State, rate: float) -> float:  # noqa: ARG002 - the protocol's signature
        """The rate itself."""
        return rate


@dataclass(frozen=True, slots=True, kw_only=True)
class DeltaBarDelta:
    """A rate for each parameter: it grows while its gradient keeps its sign and shrinks on a flip.

    Each parameter has a gain that multiplies α. With `δ̄ <- (1-ϑ) g + ϑ δ̄` of the steps before,
    `gain <- gain + κ` where `δ̄ g > 0`, `gain <- (1-φ) gain` where `δ̄ g < 0`, then
    `θ <- θ - α gain g`. With ϑ = 0 the comparison is between two successive gradients, which is
    the lecture's form; Jacobs compares with a running average, ϑ > 0. κ counts in units of α.
    The lecture leaves open by how much rates change; this is Jacobs' law in both forms.

    Args:
        increase: κ, added to the gain on agreement.
        decrease: φ, share of the gain lost on a flip, in [0, 1).
        memory: ϑ, of the running average, in [0, 1); 0 is the lecture's form.
        largest: bound on the gain.

    Source:
        Jacobs (1988), doi:10.1016/0893-6080(88)90003-2, section 4 (delta-bar-delta).
    """

    adapts: ClassVar[bool] = True
    increase: float = 0.05
    decrease: float = 0.3
    memory: float = 0.0
    largest: float = float("inf")

    def __post_init__(self) -> None:
        _check_share(self.decrease, "decrease")
        _check_share(self.memory, "memory")

    def init(self, parameters: Vector) -> State:
        """All gains one, no gradient seen."""
        xp = namespace(parameters)
        return {"gain": xp.ones_like(parameters), "trace": xp.zeros_like(parameters)}

    def update(self, state: State, gradient: Vector, rate: float) -> tuple[State, Vector]:
        """See `Rule.update`."""
        xp = namespace(gradient)
        gain, trace = state["gain"], state["trace"]
        # The signs, not the product: tiny gradients would underflow to "no opinion".
        agreement = xp.sign(trace) * xp.sign(gradient)
        grown = xp.clip(gain + self.increase, None, self.largest)
        shrunk = (1.0 - self.decrease) * gain
        gain = xp.where(agreement > 0, grown, xp.where(agreement < 0, shrunk, gain))
        # Only the sign of the average matters, so the plain sum serves.
        trace = discounted_sum(trace, gradient, self.memory)
        state = {"gain": gain, "trace": trace}
        step = self.rates(state, -rate)
        step *= gradient
        return state, step

    def rates(self, state: State, rate: float) -> Vector:
        """The rate times each gain."""
        return rate * state["gain"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AdaGrad:
    """Rates that fall with all gradients seen: `θ <- θ - α g / (sqrt(sum g²) + ε)`.

    Args:
        epsilon: keeps the first division finite.

    Source:
        Duchi, Hazan & Singer (2011), J. Mach. Learn. Res. 12, 2121-2159, figure 1 (diagonal).
    """

    adapts: ClassVar[bool] = True
    epsilon: float = 1e-10

    def init(self, parameters: Vector) -> State:
        """No gradient seen."""
        return {"squares": namespace(parameters).zeros_like(parameters)}

    def update(self, state: State, gradient: Vector, rate: float) -> tuple[State, Vector]:
        """See `Rule.update`."""
        state = {"squares": discounted_sum(state["squares"], gradient * gradient, 1.0)}
        step = self.rates(state, -rate)
        step *= gradient
        return state, step

    def rates(self, state: State, rate: float) -> Vector:
        """The rate over the root of the sum of squares."""
        return _over_root(rate, state["squares"], self.epsilon)


@dataclass(frozen=True, slots=True, kw_only=True)
class RMSProp:
    """Rates by the recent size of the gradient: `θ <- θ - α g / (sqrt(mean g²) + ε)`.

    The mean `s <- ρ s + (1-ρ) g²` starts at zero and is not corrected for that, as published;
    `torch.optim.RMSprop` calls ρ alpha and defaults to 0.99.

    Args:
        decay: ρ, in [0, 1).
        epsilon: keeps the division finite.

    Source:
        Tieleman & Hinton (2012), Neural networks for machine learning, lecture 6e, slide 29.
    """

    adapts: ClassVar[bool] = True
    decay: float = 0.9
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        _check_share(self.decay, "decay")

    def init(self, parameters: Vector) -> State:
        """No gradient seen."""
        return {"squares": namespace(parameters).zeros_like(parameters)}

    def update(self, state: State, gradient: Vector, rate: float) -> tuple[State, Vector]:
        """See `Rule.update`."""
        state = {"squares": discounted_sum(state["squares"], gradient * gradient, self.decay)}
        step = self.rates(state, -rate)
        step *= gradient
        return state, step

    def rates(self, state: State, rate: float) -> Vector:
        """The rate over the root of the mean square."""
        # sqrt((1-ρ) S) = sqrt(1-ρ) sqrt(S) moves the factor from the array to the numbers.
        root = (1.0 - self.decay) ** 0.5
        return _over_root(rate / root, state["squares"], self.epsilon / root)


@dataclass(frozen=True, slots=True, kw_only=True)
class Adam:
    """Momentum and a rate for each parameter: `θ <- θ - α m̂ / (sqrt(v̂) + ε)`.

    `m̂` and `v̂` are the means of g and g² with weights β^age. Kingma & Ba's `m/(1-β1^t)` is the
    same number: their m is (1-β1) times the discounted sum kept here.

    Args:
        beta1: of the mean gradient, in [0, 1).
        beta2: of the mean square, in [0, 1).
        epsilon: keeps the division finite.

    Source:
        Kingma & Ba (2015), arXiv:1412.6980, algorithm 1.
    """

    adapts: ClassVar[bool] = True
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        _check_share(self.beta1, "beta1")
        _check_share(self.beta2, "beta2")

    def init(self, parameters: Vector) -> State:
        """No gradient seen."""
        zeros_like = namespace(parameters).zeros_like
        return {"count": 0, "sum": zeros_like(parameters), "squares": zeros_like(parameters)}

    def update(self, state: State, gradient: Vector, rate: float) -> tuple[State, Vector]:
        """See `Rule.update`."""
        state = {
            "count": state["count"] + 1,
            "sum": discounted_sum(state["sum"], gradient, self.beta1),
            "squares": discounted_sum(state["squares"], gradient * gradient, self.beta2),
        }
        weight = discounted_count(state["count"], self.beta1)
        step = self.rates(state, -rate / weight)
        step *= state["sum"]
        return state, step

    def rates(self, state: State, rate: float) -> Vector:
        """The rate over the root of the mean square."""
        # sqrt(S / n) = sqrt(S) / sqrt(n) moves the factor from the array to the numbers.
        root = discounted_count(max(state["count"], 1), self.beta2) ** 0.5
        return _over_root(rate * root, state["squares"], self.epsilon * root)


RULES = MappingProxyType(
    {
        "gradient_descent": GradientDescent,
        "momentum": Momentum,
        "delta_bar_delta": DeltaBarDelta,
        "adagrad": AdaGrad,
        "rmsprop": RMSProp,
        "adam": Adam,
    }
)
"""Rules by the name that a command or a file gives."""


def apply_rule(
    rule: Rule,
    state: State,
    parameters: Float[Array, " parameter"],
    gradient: Float[Array, " parameter"],
    rate: float,
) -> State:
    """Step `parameters` in place, block by block; returns the state, which it takes over.

    Whole vectors would stream from memory once for each operation of the rule; blocks do it once.
    """
    if len(parameters) <= BLOCK:
        state, step = rule.update(state, gradient, rate)
        parameters += step
        return state
    numbers: State = {}
    for start in range(0, len(parameters), BLOCK):
        block = slice(start, start + BLOCK)
        mine = {k: v if isinstance(v, int) else v[block] for k, v in state.items()}
        new, step = rule.update(dict(mine), gradient[block], rate)
        parameters[block] += step
        for name, value in new.items():
            if isinstance(value, int):
                numbers[name] = value
            elif value is not mine[name]:
                state[name][block] = value
    return state | numbers


def _over_root(rate: float, squares: Vector, epsilon: float) -> Vector:
    """`rate / (sqrt(squares) + ε)`."""
    root = squares**0.5
    root += epsilon
    return rate / root


def _check_share(value: float, name: str) -> None:
    if not 0.0 <= value < 1.0:
        raise ValueError(f"{name} is {value}; it must be in [0, 1)")
