"""Rules, lengths, clipping and averages, on functions whose minima are known."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zilzal.learn.clip import ClipNorm, ClipValue, ParameterAverage
from zilzal.learn.descent import Descent, follow
from zilzal.learn.functions import SURFACES, bowl, cliff, double_well, flat, rosenbrock, saddle
from zilzal.learn.gradcheck import central_difference
from zilzal.learn.lengths import (
    Backtracking,
    Constant,
    CosineCooling,
    ExactSearch,
    LinearCooling,
    StepCooling,
)
from zilzal.learn.rules import (
    BLOCK,
    AdaGrad,
    Adam,
    DeltaBarDelta,
    GradientDescent,
    Momentum,
    RMSProp,
    apply_rule,
)

LENGTHS = {
    "constant": Constant(5e-3),
    "linear": LinearCooling(8e-3, 4000),
    "step": StepCooling(8e-3, 1000, 0.5),
    "cosine": CosineCooling(8e-3, 4000, 1e-3),
    "exact": ExactSearch(),
    "backtracking": Backtracking(),
}
METHODS = {
    "gradient_descent": (GradientDescent(), 5e-3),
    "polyak": (Momentum(), 1e-3),
    "nesterov": (Momentum(nesterov=True), 1e-3),
    "delta_bar_delta": (DeltaBarDelta(largest=2.0), 2e-3),
    "jacobs": (DeltaBarDelta(memory=0.7, largest=2.0), 2e-3),
    "adagrad": (AdaGrad(), 0.3),
    "rmsprop": (RMSProp(), 3e-3),
    "adam": (Adam(), 0.01),
}


def distance_to_minimum(surface, point):
    return min(np.linalg.norm(point - np.array(minimum)) for minimum in surface.minima)


@pytest.mark.parametrize("name", sorted(SURFACES))
@given(seed=st.integers(0, 2**32 - 1))
def test_gradients_of_surfaces_equal_central_differences(name, seed):
    surface = SURFACES[name]()
    point = np.random.default_rng(seed).uniform(-1.8, 1.8, surface.dimension)
    _, gradient = surface.value_and_gradient(point)
    expected = central_difference(surface, point, step=1e-6)
    np.testing.assert_allclose(gradient, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", sorted(SURFACES))
def test_surfaces_are_flat_at_their_minima_and_higher_around(name):
    surface = SURFACES[name]()
    for minimum in surface.minima:
        point = np.array(minimum)
        value, gradient = surface.value_and_gradient(point)
        np.testing.assert_allclose(gradient, 0.0, atol=1e-12)
        for way in np.vstack([np.eye(len(point)), -np.eye(len(point))]):
            assert surface.value(point + 1e-3 * way) > value
    assert surface.value(np.array(surface.minima[0])) == min(
        surface.value(np.array(m)) for m in surface.minima
    )


def test_surfaces_take_whole_grids():
    for make in SURFACES.values():
        surface = make()
        grid = np.random.default_rng(0).standard_normal((3, 4, surface.dimension))
        assert surface.function(grid).shape == (3, 4)
        np.testing.assert_allclose(surface.slope(grid)[1, 2], surface.slope(grid[1, 2]), rtol=1e-12)


@pytest.mark.parametrize("method", sorted(METHODS))
@pytest.mark.parametrize("name", ["bowl", "double_well", "saddle", "flat", "rosenbrock"])
def test_every_rule_finds_a_minimum_of_every_smooth_surface(name, method):
    surface = SURFACES[name]()
    rule, rate = METHODS[method]
    # Rosenbrock's walls are steep.
    if name == "rosenbrock" and not rule.adapts:
        rate /= 5.0
    if name == "rosenbrock" and isinstance(rule, DeltaBarDelta):
        rate = 5e-4
    descent = Descent(rule=rule, length=Constant(rate))
    path = follow(descent, surface, np.array(surface.start), steps=12_000, tolerance=1e-4)
    assert distance_to_minimum(surface, path.points[-1]) < 0.02


@pytest.mark.parametrize("length", sorted(LENGTHS))
@pytest.mark.parametrize("name", ["bowl", "double_well", "saddle", "flat"])
def test_every_length_brings_gradient_descent_to_a_minimum(name, length):
    surface = SURFACES[name]()
    descent = Descent(length=LENGTHS[length])
    path = follow(descent, surface, np.array(surface.start), steps=20_000, tolerance=1e-6)
    assert distance_to_minimum(surface, path.points[-1]) < 1e-3


@pytest.mark.parametrize("length", [ExactSearch(), Backtracking()])
@pytest.mark.parametrize("method", sorted(METHODS))
def test_line_search_with_any_rule_never_goes_up(method, length):
    surface = bowl(condition=20.0, dimension=5)
    descent = Descent(rule=METHODS[method][0], length=length)
    path = follow(descent, surface, np.array(surface.start), steps=60)
    assert (np.diff(path.values) <= 1e-15).all()
    assert path.values[-1] < 0.05 * path.values[0]


def test_exact_search_on_a_quadratic_steps_to_its_closed_form():
    surface = bowl(condition=50.0, dimension=4)
    start = np.array([1.0, -2.0, 0.5, 1.5])
    _, g = surface.value_and_gradient(start)
    curvature = np.geomspace(1.0, 50.0, 4)
    expected = (g @ g) / (g @ (curvature * g))
    record = follow(Descent(length=ExactSearch()), surface, start, steps=1).records[0]
    assert record.length == pytest.approx(expected, rel=1e-9)


@given(condition=st.floats(1.1, 1000.0), seed=st.integers(0, 1000))
def test_exact_steepest_descent_keeps_kantorovichs_bound(condition, seed):
    surface = bowl(condition=condition, dimension=3)
    start = np.random.default_rng(seed).uniform(0.1, 1.0, 3)
    values = follow(Descent(length=ExactSearch()), surface, start, steps=8).values
    bound = ((condition - 1.0) / (condition + 1.0)) ** 2
    assert (values[1:] <= bound * values[:-1] * (1 + 1e-6) + 1e-25).all()


@given(scale=st.floats(1e-3, 1e3), share=st.floats(1e-4, 0.4))
def test_backtracking_meets_armijos_condition_and_its_last_try_did_not(scale, share):
    surface = bowl(condition=30.0)
    start = scale * np.array([1.0, 1.0])
    loss, g = surface.value_and_gradient(start)
    length = (
        follow(Descent(length=Backtracking(share=share)), surface, start, steps=1).records[0].length
    )

    def enough(a):
        return surface.value(start - a * g) <= loss - share * a * (g @ g)

    assert enough(length)
    assert length == 1.0 or not enough(2 * length)


@pytest.mark.parametrize("shift", [0.3, 5.0, 40.0])
def test_exact_search_finds_the_minimum_of_a_kinked_line(shift):
    class Kink:
        def value(self, theta):
            return float(np.log(np.cosh(theta[0] - shift)))

        def value_and_gradient(self, theta):
            return self.value(theta), np.tanh(theta - shift)

    path = follow(Descent(length=ExactSearch()), Kink(), np.zeros(1), steps=1)
    assert path.points[-1][0] == pytest.approx(shift, abs=1e-6)


def test_steps_of_gradient_descent_are_the_rate_times_the_gradient():
    path = follow(Descent(length=Constant(0.1)), bowl(condition=4.0), np.array([1.0, 1.0]), steps=2)
    np.testing.assert_allclose(path.points, [[1, 1], [0.9, 0.6], [0.81, 0.36]], rtol=1e-14)
    assert path.records[0].gradient_norm == pytest.approx(math.hypot(1.0, 4.0))
    assert path.records[0].rates == (0.1, 0.1)
    assert path.values[0] == path.records[0].loss == 2.5


def test_momentum_is_the_lectures_recurrence_under_cooling():
    surface, cooling, gamma = bowl(condition=10.0), LinearCooling(0.05, 10), 0.8
    theta, v = np.array([1.0, -1.0]), np.zeros(2)
    path = follow(Descent(rule=Momentum(gamma=gamma), length=cooling), surface, theta, steps=15)
    for i in range(15):
        v = gamma * v - cooling.rate(i) * surface.slope(theta)
        theta = theta + v
        np.testing.assert_allclose(path.points[i + 1], theta, rtol=1e-12)


def test_nesterovs_step_is_the_look_ahead_form_seen_from_ahead():
    surface, gamma, rate = bowl(condition=10.0), 0.8, 0.02
    theta, v = np.array([1.0, -1.0]), np.zeros(2)
    descent = Descent(rule=Momentum(gamma=gamma, nesterov=True), length=Constant(rate))
    path = follow(descent, surface, theta, steps=15)
    for i in range(15):
        v = gamma * v - rate * surface.slope(theta + gamma * v)
        theta = theta + v
        np.testing.assert_allclose(path.points[i + 1], theta + gamma * v, rtol=1e-11, atol=1e-14)


def test_momentum_beats_gradient_descent_on_an_ill_conditioned_bowl():
    surface = bowl(condition=400.0)
    root = math.sqrt(400.0)
    # Best fixed rates by Polyak (1964): 2/(1+κ), and 4/(1+√κ)² with γ = ((√κ-1)/(√κ+1))².
    plain = Descent(length=Constant(2.0 / 401.0))
    heavy = Descent(
        rule=Momentum(gamma=((root - 1) / (root + 1)) ** 2), length=Constant(4 / (1 + root) ** 2)
    )
    steps = [
        len(follow(d, surface, np.array(surface.start), steps=9000, tolerance=1e-6).records)
        for d in (plain, heavy)
    ]
    assert steps[1] < steps[0] / 5


def test_delta_bar_delta_grows_on_agreement_and_shrinks_on_a_flip():
    rule = DeltaBarDelta(increase=0.25, decrease=0.5)
    state = rule.init(np.zeros(3))
    gains = []
    for gradient in ([1.0, 1.0, 0.0], [2.0, -1.0, 1.0], [0.5, -3.0, -1.0]):
        state, step = rule.update(state, np.array(gradient), 0.1)
        gains.append(state["gain"].copy())
        np.testing.assert_allclose(step, -0.1 * gains[-1] * gradient)
    np.testing.assert_array_equal(gains, [[1, 1, 1], [1.25, 0.5, 1], [1.5, 0.75, 0.5]])
    np.testing.assert_allclose(rule.rates(state, 0.1), [0.15, 0.075, 0.05])


def test_jacobs_compares_with_the_average_where_the_lecture_compares_with_the_last():
    gradients = [3.0, -0.1, -0.1]  # δ̄ after two: 0.5 (3.0) - 0.5 (0.1) and so on, still positive
    final = {}
    for memory in (0.0, 0.5):
        rule = DeltaBarDelta(increase=0.25, decrease=0.5, memory=memory)
        state = rule.init(np.zeros(1))
        for gradient in gradients:
            state, _ = rule.update(state, np.array([gradient]), 1.0)
        final[memory] = state["gain"][0]
    assert final == {0.0: 0.75, 0.5: 0.25}


def test_delta_bar_delta_beats_a_fixed_rate_on_an_elongated_bowl():
    surface = bowl(condition=100.0)
    steps = []
    for rule in (GradientDescent(), DeltaBarDelta()):
        path = follow(
            Descent(rule=rule, length=Constant(2e-3)),
            surface,
            np.array(surface.start),
            steps=9000,
            tolerance=1e-6,
        )
        steps.append(len(path.records))
    assert steps[1] < steps[0] / 5


def test_adam_first_step_is_the_rate_along_each_sign():
    rule = Adam()
    _, step = rule.update(rule.init(np.zeros(3)), np.array([5.0, -1e-3, 100.0]), 0.01)
    np.testing.assert_allclose(step, [-0.01, 0.01, -0.01], rtol=1e-4)


def test_adagrad_and_rmsprop_steps_are_as_published():
    g = np.array([3.0, 4.0])
    _, step = AdaGrad().update({"squares": np.array([16.0, 9.0])}, g, 0.1)
    np.testing.assert_allclose(step, [-0.1 * 3 / 5, -0.1 * 4 / 5], rtol=1e-9)
    rule = RMSProp(decay=0.75)
    state, step = rule.update(rule.init(g), g, 0.1)  # mean square 0.25 g², so step -0.1 g / 0.5|g|
    np.testing.assert_allclose(step, [-0.2, -0.2], rtol=1e-7)
    state, step = rule.update(state, 2 * g, 0.1)  # 0.75 (0.25) + 0.25 (4) = 1.1875 of g²
    np.testing.assert_allclose(step, -0.2 / 1.1875**0.5, rtol=1e-7)


@pytest.mark.parametrize("method", sorted(METHODS))
def test_blocks_give_the_same_steps_as_the_whole(method):
    rule, rate = METHODS[method]
    generator = np.random.default_rng(0)
    size = 2 * BLOCK + 77
    theta = generator.standard_normal(size)
    state, whole = rule.init(theta), theta.copy()
    blocked_state, blocked = rule.init(theta), theta.copy()
    for _ in range(3):
        gradient = generator.standard_normal(size)
        kept = gradient.copy()
        state, step = rule.update(state, gradient, rate)
        whole += step
        blocked_state = apply_rule(rule, blocked_state, blocked, gradient, rate)
        np.testing.assert_array_equal(gradient, kept)
    np.testing.assert_array_equal(blocked, whole)
    assert state.keys() == blocked_state.keys()
    for name, value in state.items():
        np.testing.assert_array_equal(blocked_state[name], value)


@pytest.mark.parametrize("method", sorted(METHODS))
def test_rules_keep_single_precision(method):
    rule, rate = METHODS[method]
    theta = np.ones(4, np.float32)
    state, step = rule.update(rule.init(theta), theta, rate)
    arrays = [step, *(v for v in state.values() if not isinstance(v, int))]
    assert {array.dtype for array in arrays} == {np.dtype(np.float32)}


def test_measured_rates_span_those_of_the_parameters():
    descent = Descent(rule=DeltaBarDelta(), length=Constant(1.5e-2), measures_rates=True)
    path = follow(descent, bowl(condition=100.0), np.array([-1.8, 0.6]), steps=30)
    low, high = path.records[-1].rates
    assert low < 1.5e-2 < high
    assert follow(Descent(rule=Adam()), bowl(), np.ones(2), steps=1).records[0].rates is None


@pytest.mark.parametrize(
    "make", [lambda: Momentum(gamma=1.0), lambda: Adam(beta2=1.5), lambda: RMSProp(decay=-0.1)]
)
def test_rules_refuse_what_cannot_be(make):
    with pytest.raises(ValueError, match=r"must be in \[0, 1\)"):
        make()


def test_linear_cooling_is_the_lectures_formula_with_its_default():
    cooling = LinearCooling(0.5, 10)
    assert cooling.rate(0) == 0.5
    assert cooling.rate(4) == pytest.approx(0.6 * 0.5 + 0.4 * 0.005)
    assert cooling.rate(10) == cooling.rate(99) == 0.005
    assert LinearCooling(0.5, 10, 0.1).rate(10) == 0.1


def test_other_schedules_go_where_they_say():
    assert [StepCooling(1.0, 3, 0.5).rate(i) for i in (0, 2, 3, 6)] == [1.0, 1.0, 0.5, 0.25]
    cosine = CosineCooling(1.0, 10, 0.2)
    assert [cosine.rate(i) for i in (0, 5, 10, 50)] == pytest.approx([1.0, 0.6, 0.2, 0.2])
    assert Constant(0.3).rate(7) == 0.3


def test_cooling_settles_where_a_fixed_rate_keeps_rattling_in_noise():
    surface = bowl(condition=30.0)

    class Noisy:
        def __init__(self):
            self.generator = np.random.default_rng(0)

        def value(self, theta):
            return surface.value(theta)

        def value_and_gradient(self, theta):
            value, gradient = surface.value_and_gradient(theta)
            return value, gradient + self.generator.standard_normal(2)

    ends = [
        follow(Descent(length=length), Noisy(), np.array([1.0, 1.0]), steps=2000)
        .values[-200:]
        .mean()
        for length in (Constant(0.05), LinearCooling(0.05, 1800))
    ]
    assert ends[1] < ends[0] / 10


def test_start_decides_which_local_minimum_is_found():
    surface = double_well()
    ends = [
        follow(Descent(length=Constant(0.05)), surface, np.array([x]), steps=2000).points[-1][0]
        for x in (1.8, -1.8)
    ]
    (deep,), (shallow,) = surface.minima
    np.testing.assert_allclose(ends, [shallow, deep], atol=1e-9)
    assert surface.value(np.array([deep])) < surface.value(np.array([shallow]))


def test_gradient_descent_lingers_at_the_saddle_and_momentum_leaves_sooner():
    surface = saddle()
    steps = [
        len(
            follow(
                Descent(rule=rule, length=Constant(0.05)),
                surface,
                np.array(surface.start),
                steps=3000,
                tolerance=1e-4,
            ).records
        )
        for rule in (GradientDescent(), Momentum())
    ]
    assert steps[1] < steps[0]


def test_gradient_vanishes_on_the_plain():
    surface = flat()
    _, gradient = surface.value_and_gradient(np.array([6.0, 6.0]))
    assert np.linalg.norm(gradient) < 1e-14


@pytest.mark.parametrize("clip", [ClipNorm(1.0), ClipValue(1.0)])
def test_clipping_saves_the_descent_from_the_cliff(clip):
    surface = cliff()
    free, bound = (
        follow(Descent(length=Constant(0.3), clip=c), surface, np.array(surface.start), steps=120)
        for c in (None, clip)
    )
    assert abs(free.points).max() > 5.0
    assert abs(bound.points).max() < 2.0
    assert distance_to_minimum(surface, bound.points[-1]) < 1e-3


@given(
    threshold=st.floats(0.01, 100.0),
    seed=st.integers(0, 2**32 - 1),
    scale=st.floats(1e-6, 1e6),
)
def test_clipping_by_norm_keeps_the_direction_and_the_bound(threshold, seed, scale):
    g = scale * np.random.default_rng(seed).standard_normal(5)
    kept = g.copy()
    (clipped,) = ClipNorm(threshold).clip([g])
    assert np.linalg.norm(clipped) <= threshold * (1 + 1e-12) or np.array_equal(clipped, g)
    np.testing.assert_allclose(clipped / np.linalg.norm(clipped), g / np.linalg.norm(g), rtol=1e-12)
    np.testing.assert_array_equal(g, kept)
    if np.linalg.norm(g) <= threshold:
        np.testing.assert_array_equal(clipped, g)


def test_clipping_by_value_is_elementwise_and_symmetric():
    (clipped,) = ClipValue(2.0).clip([np.array([-5.0, -1.0, 0.0, 3.0])])
    np.testing.assert_array_equal(clipped, [-2.0, -1.0, 0.0, 2.0])


def test_clipping_by_norm_takes_arrays_together_and_survives_overflow():
    one, two = ClipNorm(1.0).clip([np.array([3.0]), np.array([4.0])])
    np.testing.assert_allclose([one[0], two[0]], [0.6, 0.8])
    with np.errstate(over="ignore"):
        (huge,) = ClipNorm(1.0).clip([np.array([3e30, 4e30], np.float32)])
    np.testing.assert_allclose(huge, [0.6, 0.8], rtol=1e-6)


def test_thresholds_must_be_positive():
    with pytest.raises(ValueError, match="above zero"):
        ClipNorm(0.0)


def test_parameter_average_is_the_weighted_mean():
    for decay, expected in ((1.0, 2.0), (0.5, (0.25 * 1 + 0.5 * 2 + 3) / 1.75)):
        average = ParameterAverage(decay=decay)
        state = average.init(np.zeros(1))
        with pytest.raises(ValueError, match="call update first"):
            average.mean(state)
        for value in (1.0, 2.0, 3.0):
            state = average.update(state, np.array([value]))
        assert average.mean(state)[0] == pytest.approx(expected, rel=1e-15)


def test_diverging_path_ends_where_numbers_do():
    path = follow(Descent(length=Constant(1.0)), rosenbrock(), np.array([-1.2, 1.0]), steps=50)
    assert len(path.records) < 50
    assert len(path.points) == len(path.records) + 1


def test_start_is_left_where_it_was():
    start = np.array([1.0, 1.0])
    follow(Descent(), bowl(), start, steps=3)
    np.testing.assert_array_equal(start, [1.0, 1.0])
