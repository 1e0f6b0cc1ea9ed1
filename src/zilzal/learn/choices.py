"""A descent in the words of a command or of a form: names and numbers, checked, to a `Descent`."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from types import MappingProxyType

from zilzal.core.errors import ConfigError
from zilzal.learn.clip import Clip, ClipNorm, ClipValue
from zilzal.learn.descent import Descent
from zilzal.learn.functions import Surface
from zilzal.learn.lengths import (
    Backtracking,
    Constant,
    CosineCooling,
    ExactSearch,
    Length,
    LinearCooling,
    StepCooling,
)
from zilzal.learn.rules import RULES, DeltaBarDelta, Momentum, Rule

TITLES = MappingProxyType(
    {
        "gradient_descent": "gradient descent",
        "momentum": "momentum",
        "nesterov": "Nesterov",
        "delta_bar_delta": "Delta-Bar-Delta",
        "jacobs": "Delta-Bar-Delta, Jacobs",
        "adagrad": "AdaGrad",
        "rmsprop": "RMSProp",
        "adam": "Adam",
    }
)
"""Rules that can be chosen; `jacobs` is Delta-Bar-Delta against a running average."""

LENGTHS = ("constant", "cooling", "step", "cosine", "exact", "backtracking")
"""Step lengths that can be chosen; the last two look along the line and need no rate."""

SEARCHES = frozenset({"exact", "backtracking"})
REMEMBERING = frozenset({"momentum", "nesterov"})
SIZED = frozenset({"adagrad", "rmsprop", "adam"})
"""Rules that divide by the gradient's size: their rate is a distance in θ, not one over J''."""

JACOBS_MEMORY = 0.7
"""ϑ of the running average that `jacobs` compares with."""

SIZED_RATE = 0.1
"""Default α of those, in units of the surface's coordinates."""

RATES = MappingProxyType(
    {"double_well": 0.1, "saddle": 0.1, "flat": 0.5, "cliff": 0.3, "rosenbrock": 1e-3}
)
"""Default α of the others, by surface."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What somebody chose.

    Args:
        rule: one of `TITLES`.
        length: one of `LENGTHS`.
        rate: α, of the first step; a line search does without.
        momentum: γ of momentum and Nesterov, in [0, 1).
        clip_norm: bound on the gradient's norm; None is no bound.
        clip_value: bound on each element of it; None is no bound.
        steps: over which cooling goes, at least 1.

    Raises:
        ConfigError: a name is unknown, a number out of range, or both clips are given.
    """

    rule: str = "gradient_descent"
    length: str = "constant"
    rate: float = 0.1
    momentum: float = 0.9
    clip_norm: float | None = None
    clip_value: float | None = None
    steps: int = 100

    def __post_init__(self) -> None:
        check_name("rule", self.rule, TITLES)
        check_name("length", self.length, LENGTHS)
        _check("rate", self.rate, 0.0 < self.rate < math.inf, "above zero")
        _check("momentum", self.momentum, 0.0 <= self.momentum < 1.0, "in [0, 1)")
        _check("steps", self.steps, self.steps >= 1, "at least 1")
        for name in ("clip_norm", "clip_value"):
            bound = getattr(self, name)
            _check(name, bound, bound is None or 0.0 < bound < math.inf, "above zero")
        if self.clip_norm is not None and self.clip_value is not None:
            raise ConfigError("both clip_norm and clip_value are given; choose one of them")

    def descent(self) -> Descent:
        """The descent, which measures the rates of adaptive rules."""
        return Descent(
            rule=self._rule(), length=self._length(), clip=self._clip(), measures_rates=True
        )

    def describe(self) -> str:
        """In a line, for a legend: "momentum γ 0.9, α 0.01 cooling, |g| ≤ 1"."""
        rule = TITLES[self.rule]
        if self.rule in REMEMBERING:
            rule += f" γ {self.momentum:g}"
        if self.length in SEARCHES:
            parts = [rule, f"{self.length} search"]
        else:
            way = "" if self.length == "constant" else f" {self.length}"
            parts = [rule, f"α {self.rate:.3g}{way}"]
        if self.clip_norm is not None:
            parts.append(f"|g| ≤ {self.clip_norm:g}")
        if self.clip_value is not None:
            parts.append(f"|g_k| ≤ {self.clip_value:g}")
        return ", ".join(parts)

    def _rule(self) -> Rule:
        if self.rule in REMEMBERING:
            return Momentum(gamma=self.momentum, nesterov=self.rule == "nesterov")
        if self.rule == "jacobs":
            return DeltaBarDelta(memory=JACOBS_MEMORY)
        return RULES[self.rule]()

    def _length(self) -> Length:
        rate, steps = self.rate, self.steps
        makers: dict[str, Length] = {
            "constant": Constant(rate),
            "cooling": LinearCooling(rate, steps),
            "step": StepCooling(rate, max(1, steps // 3)),
            "cosine": CosineCooling(rate, steps),
            "exact": ExactSearch(),
            "backtracking": Backtracking(),
        }
        return makers[self.length]

    def _clip(self) -> Clip | None:
        if self.clip_norm is not None:
            return ClipNorm(self.clip_norm)
        return None if self.clip_value is None else ClipValue(self.clip_value)


def default_rate(rule: str, surface: Surface, *, condition: float) -> float:
    """A rate at which a rule shows what it does on a surface.

    On the bowl that is 0.9 of the limit `2 / condition` beyond which plain descent diverges, and
    `1 / condition` for Nesterov, whose limit is `(2 + 2γ) / (1 + 2γ)` in place of 2.
    """
    if rule in SIZED:
        return SIZED_RATE
    return RATES.get(surface.name, (1.0 if rule == "nesterov" else 1.8) / condition)


def check_name(what: str, name: str, known: Iterable[str]) -> None:
    """Raise ConfigError, with what there is, where `name` is not in `known`."""
    names = list(known)
    if name not in names:
        raise ConfigError(f"unknown {what} {name!r}; choose one of {', '.join(names)}")


def _check(name: str, value: object, holds: bool, rule: str) -> None:
    if not holds:
        raise ConfigError(f"{name} is {value}; it must be {rule}")
