"""What the lab's page asks of `zilzal.learn`, checked, and the answers as JSON values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from zilzal.core.errors import ConfigError
from zilzal.learn.choices import (
    LENGTHS,
    REMEMBERING,
    SEARCHES,
    TITLES,
    Choice,
    check_name,
    default_rate,
)
from zilzal.learn.functions import SURFACES
from zilzal.learn.race import curvatures, make_surface, race
from zilzal.web.lab_lessons import LESSONS

if TYPE_CHECKING:
    from zilzal.learn.functions import Surface
    from zilzal.learn.race import Racer

LIMITS: Mapping[str, tuple[float, float]] = {
    "condition": (1.0, 1e4),
    "steps": (1, 2000),
    "noise": (0.0, 100.0),
    "seed": (0, 2**31),
    "start": (-100.0, 100.0),
    "rate": (1e-6, 100.0),
    "momentum": (0.0, 0.999),
    "clip_norm": (1e-6, 1e6),
    "clip_value": (1e-6, 1e6),
    "points": (21, 241),
    "racers": (1, 8),
}
"""Lowest and highest value of each number that a page may send."""

FARTHEST = 1e6
"""Coordinate beyond which a path is not shown."""


def describe_choices() -> dict[str, Any]:
    """Surfaces, rules, lengths, limits and lessons."""
    return {
        "surfaces": {name: _about(make_surface(name), 100.0) for name in SURFACES},
        "rules": {
            name: {"title": title, "remembers": name in REMEMBERING}
            for name, title in TITLES.items()
        },
        "lengths": {name: {"searches": name in SEARCHES} for name in LENGTHS},
        "limits": LIMITS,
        "lessons": dict(LESSONS),
    }


def _about(surface: Surface, condition: float) -> dict[str, Any]:
    return {
        "lesson": surface.lesson,
        "start": surface.start,
        "minima": surface.minima,
        "half_width": surface.half_width,
        "rates": {rule: default_rate(rule, surface, condition=condition) for rule in TITLES},
    }


def describe_surface(query: Mapping[str, str]) -> dict[str, Any]:
    """A surface with its values on a grid, row by row from the lowest θ2 up.

    Args:
        query: `name`, `condition` and `points`, as text.

    Raises:
        ConfigError: one of them is unknown or out of range.
    """
    import numpy as np

    _check_keys(query, {"name", "condition", "points"}, "the query")
    asked: dict[str, Any] = {
        name: _as_number(name, query[name]) for name in query if name != "name"
    }
    condition = _number(asked, "condition", 100.0)
    surface = _surface(query.get("name"), condition)
    points = _whole(asked, "points", 121)
    axis = np.linspace(-surface.half_width, surface.half_width, points)
    x, y = np.meshgrid(axis, axis)
    values = surface.function(np.stack([x, y], axis=-1))
    bends = curvatures(surface, np.array(surface.minima[0]))
    return {
        **_about(surface, condition),
        "points": points,
        "values": [float(f"{value:.6g}") for value in values.ravel()],
        "lowest": surface.value(np.array(surface.minima[0])),
        "curvatures": [float(f"{bend:.6g}") for bend in bends],
    }


def run_race(wanted: object) -> dict[str, Any]:
    """Descents as asked for: `surface`, `condition`, `start`, `steps`, `noise`, `seed`, `racers`.

    Each racer has `rule`, `length`, `rate`, `momentum`, `clip_norm` and `clip_value`; what is left
    out has its default, and a rate that is left out suits rule and surface.

    Raises:
        ConfigError: something is unknown or out of range.
    """
    import numpy as np

    asked = _as_object(wanted, "the race")
    allowed = {"surface", "condition", "start", "steps", "noise", "seed", "racers"}
    _check_keys(asked, allowed, "the race")
    condition = _number(asked, "condition", 100.0)
    surface = _surface(asked.get("surface"), condition)
    steps, seed = _whole(asked, "steps", 100), _whole(asked, "seed", 0)
    start = np.array(_start(asked, surface))
    choices = _choices(asked, surface, condition, steps)
    noise = _number(asked, "noise", 0.0)
    lowest = surface.value(np.array(surface.minima[0]))
    return {
        "lowest": lowest,
        "racers": [
            _result(race(surface, choice, start, noise=noise, seed=seed)) for choice in choices
        ],
    }


def _choices(
    asked: Mapping[str, Any], surface: Surface, condition: float, steps: int
) -> list[Choice]:
    racers = asked.get("racers")
    low, high = LIMITS["racers"]
    if not isinstance(racers, list) or not low <= len(cast("list[Any]", racers)) <= high:
        raise ConfigError(f"racers must be a list of {low} to {high} of them")
    return [
        _choice(_as_object(racer, f"racer {number}"), surface, condition, steps)
        for number, racer in enumerate(cast("list[Any]", racers), start=1)
    ]


def _choice(racer: Mapping[str, Any], surface: Surface, condition: float, steps: int) -> Choice:
    allowed = {"rule", "length", "rate", "momentum", "clip_norm", "clip_value"}
    _check_keys(racer, allowed, "a racer")
    rule = racer.get("rule", "gradient_descent")
    check_name("rule", rule, TITLES)
    clips = {
        name: None if racer.get(name) is None else _number(racer, name, 1.0)
        for name in ("clip_norm", "clip_value")
    }
    return Choice(
        rule=rule,
        length=racer.get("length", "constant"),
        rate=_number(racer, "rate", default_rate(rule, surface, condition=condition)),
        momentum=_number(racer, "momentum", 0.9),
        steps=steps,
        **clips,
    )


def _result(racer: Racer) -> dict[str, Any]:
    """A racer as JSON values; what is not finite or beyond all reach is left out at the end."""
    path, points = racer.path, list[list[float]]()
    for point in path.points.tolist():
        if not all(abs(x) < FARTHEST for x in point):
            break
        points.append([float(f"{x:.7g}") for x in point])
    return {
        "label": racer.choice.describe(),
        "points": points,
        "values": [_finite(v) for v in path.values[: len(points)]],
        "gradients": [_finite(r.gradient_norm) for r in path.records],
        "rates": [
            [_finite(rate) for rate in r.rates or (r.length, r.length)] for r in path.records
        ],
        "ending": racer.ending,
        "minimum": racer.minimum,
        "distance": _finite(racer.distance),
        "arrival": racer.arrival,
    }


def _finite(value: float) -> float | None:
    return float(f"{value:.7g}") if math.isfinite(value) else None


def _surface(name: object, condition: float) -> Surface:
    check_name("surface", cast("str", name), SURFACES)
    return make_surface(cast("str", name), condition=condition)


def _start(asked: Mapping[str, Any], surface: Surface) -> list[float]:
    start = asked.get("start")
    if start is None:
        return list(surface.start)
    if not isinstance(start, list) or len(cast("list[Any]", start)) != 2:
        raise ConfigError(f"start is {start!r}; it must be a list of two numbers")
    return [_in_range("start", x) for x in cast("list[Any]", start)]


def _number(asked: Mapping[str, Any], name: str, default: float) -> float:
    value = asked.get(name)
    return default if value is None else _in_range(name, value)


def _whole(asked: Mapping[str, Any], name: str, default: int) -> int:
    value = _number(asked, name, default)
    if value != int(value):
        raise ConfigError(f"{name} is {value}; it must be a whole number")
    return int(value)


def _in_range(name: str, value: object) -> float:
    low, high = LIMITS[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ConfigError(f"{name} is {value!r}; it must be a number from {low:g} to {high:g}")
    return float(value)


def _as_number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise ConfigError(f"{name} is {text!r}; it must be a number") from error


def _as_object(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ConfigError(f"{what} must be a JSON object")
    return cast("dict[str, Any]", value)


def _check_keys(given: Mapping[str, Any], allowed: set[str], what: str) -> None:
    unknown = sorted(set(given) - allowed)
    if unknown:
        raise ConfigError(
            f"{what} has {', '.join(map(repr, unknown))}; it takes {', '.join(sorted(allowed))}"
        )
