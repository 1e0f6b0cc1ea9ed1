"""Descending: a rule and a length, on anything with a value and a gradient (LECTURE.md 8, 9)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol, cast

import numpy as np
from jaxtyping import Float

from zilzal.core.arrays import Array
from zilzal.learn.clip import Clip
from zilzal.learn.lengths import Constant, Length, Line, LineSearch, Schedule
from zilzal.learn.rules import GradientDescent, Rule, apply_rule
from zilzal.learn.vectors import State

Parameters = Float[Array, " parameter"]


class Objective(Protocol):
    """A function J of the parameters."""

    def value(self, theta: Parameters) -> float:
        """J(θ)."""
        ...

    def value_and_gradient(self, theta: Parameters) -> tuple[float, Parameters]:
        """J(θ) and its gradient, which may be overwritten by the next call."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What one step saw and did.

    Args:
        iteration: number of the step; the first is 0.
        loss: J before the step.
        gradient_norm: Euclidean, before clipping.
        length: α, as scheduled or found.
        rates: lowest and highest rate over the parameters, after the rule's own adaptation;
            None where `Descent.measures_rates` is off and the rule adapts.
    """

    iteration: int
    loss: float
    gradient_norm: float
    length: float
    rates: tuple[float, float] | None


@dataclass(slots=True, kw_only=True)
class Position:
    """Where a descent is: all it needs to go on.

    Args:
        parameters: θ.
        state: of the rule.
        iteration: steps made.
    """

    parameters: Parameters
    state: State
    iteration: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Descent:
    """How to go down.

    With a schedule the rule is given the scheduled rate. With a line search it is asked for its
    step at rate 1, and the search finds how much of that to go; where that step does not lead
    down, the search goes along the negative gradient instead.

    Args:
        rule: from gradient to step.
        length: how far.
        clip: bound on the gradient; None is no bound.
        measures_rates: fill `Record.rates` for adaptive rules too, which costs a pass over the
            parameters.
    """

    rule: Rule = field(default_factory=GradientDescent)
    length: Length = field(default_factory=lambda: Constant(0.01))
    clip: Clip | None = None
    measures_rates: bool = False

    def start(self, parameters: Parameters) -> Position:
        """A position at (a copy of) the parameters."""
        theta = np.array(parameters)
        return Position(parameters=theta, state=self.rule.init(theta))

    def step(self, position: Position, objective: Objective) -> Record:
        """Go one step; `position` moves."""
        loss, gradient = objective.value_and_gradient(position.parameters)
        size = math.sqrt(float(np.dot(gradient, gradient)))
        if self.clip is not None:
            (gradient,) = self.clip.clip([gradient])
        # Asking isinstance of a Protocol takes longer than a step in two dimensions.
        if hasattr(self.length, "search"):
            search = cast("LineSearch", self.length)
            length = self._search(search, position, objective, (loss, gradient))
        else:
            length = cast("Schedule", self.length).rate(position.iteration)
            position.state = apply_rule(
                self.rule, position.state, position.parameters, gradient, length
            )
        rates = self._rates(position, length)
        position.iteration += 1
        return Record(
            iteration=position.iteration - 1,
            loss=loss,
            gradient_norm=size,
            length=length,
            rates=rates,
        )

    def _search(
        self,
        search: LineSearch,
        position: Position,
        objective: Objective,
        here: tuple[float, Parameters],
    ) -> float:
        loss, gradient = here[0], here[1].copy()
        theta = position.parameters
        position.state, direction = self.rule.update(position.state, gradient, 1.0)
        slope = float(np.dot(gradient, direction))
        if not slope < 0.0:
            direction, slope = -gradient, -float(np.dot(gradient, gradient))
        if slope == 0.0 or not math.isfinite(slope):
            return 0.0
        line = Line(
            value=lambda length: objective.value(theta + length * direction),
            slope=lambda length: float(
                np.dot(objective.value_and_gradient(theta + length * direction)[1], direction)
            ),
            value_at_start=loss,
            slope_at_start=slope,
        )
        length = search.search(line)
        theta += length * direction
        return length

    def _rates(self, position: Position, length: float) -> tuple[float, float] | None:
        if not self.rule.adapts:
            return length, length
        if not self.measures_rates:
            return None
        rates = self.rule.rates(position.state, length)
        return float(np.min(rates)), float(np.max(rates))


def descend(
    descent: Descent, position: Position, objectives: Iterable[Objective]
) -> Iterator[Record]:
    """One step on each objective: mini-batches as they come, or one function again and again."""
    for objective in objectives:
        yield descent.step(position, objective)


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """A descent, step by step.

    Args:
        points: where it was, the start first.
        values: J there.
        records: one for each step.
    """

    points: Float[Array, "point dimension"]
    values: Float[Array, " point"]
    records: tuple[Record, ...]


def follow(
    descent: Descent, objective: Objective, start: Parameters, *, steps: int, tolerance: float = 0.0
) -> Path:
    """Descend on one function and keep the way.

    Args:
        descent: how.
        objective: on what.
        start: from where.
        steps: at most.
        tolerance: stop where the norm of the gradient is not above it.

    The path ends early where the function or the point stops being finite: it diverged.
    """
    position = descent.start(start)
    points, records = [position.parameters.copy()], list[Record]()
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(steps):
            record = descent.step(position, objective)
            if record.gradient_norm <= tolerance or not math.isfinite(record.loss):
                break
            records.append(record)
            points.append(position.parameters.copy())
            if not np.isfinite(points[-1]).all():
                break
        values = np.array([objective.value(point) for point in points])
    return Path(points=np.array(points), values=values, records=tuple(records))
