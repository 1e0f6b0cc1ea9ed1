"""Figures of the lecture say what the numbers say."""

from __future__ import annotations

import numpy as np
import pytest

from zilzal.figures.learning_descent import grid, race_figure
from zilzal.figures.learning_landscape import landscape_figure
from zilzal.figures.learning_network import initialisation_figure, worked_figure
from zilzal.figures.style import save_figure
from zilzal.learn.choices import Choice
from zilzal.learn.functions import bowl, cliff, double_well
from zilzal.learn.lessons import Spread, Symmetry, work_through
from zilzal.learn.network import multilayer
from zilzal.learn.race import race
from zilzal.learn.survey import Landscape
from zilzal.learn.training import Epoch


def saved(figure, tmp_path):
    path = save_figure(figure, tmp_path / "figure.png")
    assert path.stat().st_size > 10_000


def texts(axes):
    return [text.get_text() for text in axes.texts]


def test_worked_figure_shows_values_and_gradients(tmp_path):
    network = multilayer((2, 2, 1), "sigmoid", head="sigmoid")
    theta = np.linspace(-0.4, 0.4, network.size)
    steps = np.logspace(-1, -8, 8)
    worked = work_through(network, theta, np.array([1.0, 2.0]), np.ones(1), steps=steps)
    figure = worked_figure(worked)
    shown = texts(figure.axes[0])
    value = {s.name: s.value for s in (*worked.forward, *worked.backward)}
    assert f"{value['a2'][0]:.3f}" in shown
    assert f"dz {value['dz2'][0]:+.3f}" in shown
    assert f"dW {value['dW1'][1, 0]:+.3f}" in shown
    saved(figure, tmp_path)


def test_worked_figure_draws_wide_networks(tmp_path):
    network = multilayer((9, 12, 2), "tanh", head="sigmoid")
    theta = network.initialise(np.random.default_rng(0), dtype=np.float64)
    worked = work_through(network, theta, np.ones(9), np.ones(2), steps=(1e-5,))
    saved(worked_figure(worked), tmp_path)


def test_initialisation_figure_names_what_diverges(tmp_path):
    rng = np.random.default_rng(0)
    pair = {
        name: Symmetry(weights=rng.normal(size=(9, 2, 3)), losses=np.linspace(0.7, 0.1, 9))
        for name in ("equal", "random")
    }
    spread = Spread(activations=np.array([1, 0.1]), gradients=np.array([0, 1.0]), saturated=0.5)
    losses = {"good": np.linspace(0.7, 0.1, 9), "bad": np.array([1.0, np.inf, np.nan])}
    figure = initialisation_figure(
        pair, {"good": spread, "bad": spread}, losses, title="2 × 3 relu"
    )
    assert "bad diverges" in texts(figure.axes[5])
    saved(figure, tmp_path)


@pytest.mark.parametrize(
    ("surface", "rates"), [(bowl(), (0.018, 0.5)), (cliff(), (0.3, 4.0)), (double_well(), (0.1, 5))]
)
def test_race_figure_copes_with_divergence_in_one_and_two_dimensions(surface, rates, tmp_path):
    racers = [race(surface, Choice(rate=rate, steps=60), np.array(surface.start)) for rate in rates]
    figure = race_figure(surface, racers)
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels[0].startswith("gradient descent, α")
    assert labels[0].endswith(racers[0].ending)
    saved(figure, tmp_path)


def test_grid_is_row_by_row_from_the_lowest_second_coordinate():
    surface = cliff()
    axis, values = grid(surface, points=11)
    assert values[9, 2] == pytest.approx(surface.value(np.array([axis[2], axis[9]])))


def test_race_figure_refuses_more_dimensions():
    surface = bowl(dimension=3)
    racer = race(surface, Choice(rate=0.01, steps=3), np.array(surface.start))
    with pytest.raises(ValueError, match="3 dimensions"):
        race_figure(surface, [racer])


@pytest.mark.parametrize("along_path", [True, False])
def test_landscape_figure_shows_how_much_of_the_path_it_holds(along_path, tmp_path):
    axis = np.linspace(-1, 1, 9)
    epoch = Epoch(
        number=1, loss=0.5, validation_loss=None, gradient_norm=1.0, length=0.1, rates=None,
        steps=3, stopped="",
    )  # fmt: skip
    landscape = Landscape(
        theta=np.zeros(3), epochs=(epoch,), axis=axis, along_path=along_path,
        plane=0.01 + axis**2 + 3 * axis[:, None] ** 2, path=np.array([[-0.8, 0.3], [0, 0]]),
        explained=0.93, profile=np.array([0.1, 0.4, 0.1]),
    )  # fmt: skip
    figure = landscape_figure(landscape, title="3 parameters")
    titles = " ".join(axes.get_title(loc="left") for axes in figure.axes)
    assert ("93 %" in titles) == along_path
    saved(figure, tmp_path)
