"""Choices by name, races, and how they end."""

from __future__ import annotations

import numpy as np
import pytest

from zilzal.core.errors import ConfigError
from zilzal.learn.choices import LENGTHS, TITLES, Choice, default_rate
from zilzal.learn.functions import SURFACES, bowl, double_well, saddle
from zilzal.learn.lengths import LinearCooling
from zilzal.learn.race import NEAR, Noisy, curvatures, make_surface, race
from zilzal.learn.rules import DeltaBarDelta, Momentum

START = np.array([-1.8, 0.6])


@pytest.mark.parametrize("rule", TITLES)
@pytest.mark.parametrize("length", LENGTHS)
def test_every_rule_goes_down_with_every_length(rule, length):
    ground = bowl(condition=10)
    choice = Choice(
        rule=rule, length=length, rate=default_rate(rule, ground, condition=10), steps=60
    )
    path = race(ground, choice, START).path
    assert path.values[-1] < 0.2 * path.values[0]


@pytest.mark.parametrize("name", SURFACES)
@pytest.mark.parametrize("rule", TITLES)
def test_default_rate_goes_down_on_every_surface(rule, name):
    ground = make_surface(name)
    rate = default_rate(rule, ground, condition=100)
    path = race(ground, Choice(rule=rule, rate=rate, steps=100), np.array(ground.start)).path
    assert path.values[-1] < path.values[0]


def test_words_become_what_they_say():
    assert Choice(rule="nesterov", momentum=0.7).descent().rule == Momentum(
        gamma=0.7, nesterov=True
    )
    assert Choice(rule="delta_bar_delta").descent().rule == DeltaBarDelta(memory=0.0)
    assert Choice(rule="jacobs").descent().rule.memory > 0
    assert Choice(length="cooling", rate=0.2, steps=7).descent().length == LinearCooling(0.2, 7)


def test_description_names_what_counts_and_nothing_else():
    assert Choice(rule="momentum", rate=0.02, clip_norm=1.0).describe() == (
        "momentum γ 0.9, α 0.02, |g| ≤ 1"
    )
    assert Choice(length="exact", rate=0.02).describe() == "gradient descent, exact search"


@pytest.mark.parametrize(
    "wrong",
    [
        {"rule": "luck"},
        {"length": "long"},
        {"rate": 0.0},
        {"rate": float("nan")},
        {"rate": float("inf")},
        {"momentum": 1.0},
        {"steps": 0},
        {"clip_norm": 0.0},
        {"clip_norm": 1.0, "clip_value": 1.0},
    ],
)
def test_wrong_choices_are_refused(wrong):
    with pytest.raises(ConfigError):
        Choice(**wrong)


def test_plain_descent_arrives_below_the_limit_and_diverges_above():
    ground = bowl(condition=20)
    ends = {
        rate: race(ground, Choice(rate=rate, steps=2000), START).ending for rate in (0.099, 0.101)
    }
    assert ends == {0.099: "arrived", 0.101: "diverged"}


def test_nesterov_diverges_above_its_own_limit():
    ground, gamma = bowl(condition=20), 0.9
    limit = (2 + 2 * gamma) / (1 + 2 * gamma) / 20
    ends = [
        race(ground, Choice(rule="nesterov", rate=share * limit, steps=3000), START).ending
        for share in (0.97, 1.03)
    ]
    assert ends == ["arrived", "diverged"]


def test_arrival_is_the_first_step_from_which_it_stays_near():
    found = race(bowl(condition=4), Choice(rule="momentum", rate=0.1, steps=400), START)
    distance = np.linalg.norm(found.path.points, axis=1)
    assert found.ending == "arrived"
    assert (distance[found.arrival :] < NEAR).all()
    assert distance[found.arrival - 1] >= NEAR


def test_descent_exactly_on_the_ridge_stands_still_at_the_saddle():
    found = race(saddle(), Choice(rate=0.3, steps=200), np.array([1.5, 0.0]))
    assert found.ending == "stands still"
    np.testing.assert_allclose(found.path.points[-1], [0, 0], atol=1e-6)


def test_nearest_minimum_is_the_one_of_the_basin():
    ground = double_well()
    ends = {
        x: race(ground, Choice(rate=0.1, steps=300), np.array([x, 1.0])).minimum
        for x in (-1.5, 1.5)
    }
    assert ends == {-1.5: 0, 1.5: 1}


def test_noise_has_the_deviation_asked_for_and_leaves_values_alone():
    ground = bowl(condition=3)
    noisy = Noisy(ground, 0.5, np.random.default_rng(0))
    seen = np.array([noisy.value_and_gradient(START)[1] for _ in range(4000)]) - ground.slope(START)
    # The standard error of a deviation from 4000 draws is 1.1 %, of the mean 0.008.
    np.testing.assert_allclose(seen.std(axis=0), 0.5, rtol=0.05)
    np.testing.assert_allclose(seen.mean(axis=0), 0.0, atol=0.03)
    assert noisy.value(START) == ground.value(START)


def test_curvatures_are_those_of_the_hessian():
    np.testing.assert_allclose(curvatures(bowl(condition=30), START), [1, 30], rtol=1e-6)
    np.testing.assert_allclose(curvatures(saddle(), np.zeros(2)), [-1, 1], atol=1e-6)


def test_surface_without_other_dimensions_says_so():
    assert make_surface("double_well", dimension=1).dimension == 1
    with pytest.raises(ValueError, match="2 dimensions"):
        make_surface("cliff", dimension=1)
