"""Figures of pickers' skill say what the numbers say."""

import numpy as np
import pytest

from tests.evaluate.made import picks, truth
from zilzal.core.pick import Phase
from zilzal.evaluate.interval import Resampling
from zilzal.evaluate.report import Judging, report_phase
from zilzal.figures.skill import (
    noise_figure,
    precision_recall_figure,
    reliability_figure,
    residual_figure,
    skill_figures,
    trait_figure,
)
from zilzal.figures.style import save_figure

JUDGING = Judging(resampling=Resampling(n_draws=30))
PHASES = [Phase.P, Phase.S]


def report(*, off_s, share, seed):
    """A picker that finds a share of the labels, and calls on noise now and then."""
    rng = np.random.default_rng(seed)
    n, noise = 60, range(40, 60)
    of = truth(n, noise=noise, snr_db=np.where(np.arange(n) % 2, 3.0, 20.0))
    found = np.concatenate([np.flatnonzero(rng.random(40) < share), [41, 45]])
    output = rng.uniform(0.3, 1.0, len(found))
    some = picks(found, off_s + rng.normal(0, 0.03, len(found)), output=output, claimed=output)
    return report_phase(of, some, 0.5, ["made"], rng, judging=JUDGING)


@pytest.fixture(scope="module")
def reports():
    return {
        "good": {Phase.P: report(off_s=0.0, share=0.95, seed=1),
                 Phase.S: report(off_s=0.02, share=0.9, seed=2)},
        "late": {Phase.P: report(off_s=0.1, share=0.7, seed=3),
                 Phase.S: report(off_s=0.1, share=0.6, seed=4)},
    }  # fmt: skip


def legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def marks(axes, name):
    """Where the mark of a picker's threshold is."""
    (line,) = [line for line in axes.lines if line.get_label() == name]
    return line.get_xdata()[0], line.get_ydata()[0]


def test_marks_stand_at_the_scores(reports):
    figure = precision_recall_figure(reports, PHASES, JUDGING)
    assert legend(figure) == ["good", "late"]
    for axes, phase in zip(figure.axes, PHASES, strict=True):
        for name, of_picker in reports.items():
            score = of_picker[phase].pooled.by_tolerance[0.2]
            assert marks(axes, name) == (score.recall.value, score.precision.value)
            x, y = marks(axes, name)
            assert axes.get_xlim()[0] <= x
            assert axes.get_ylim()[0] <= y


def test_noise_is_drawn_at_its_rate(reports):
    figure = noise_figure(reports, PHASES, JUDGING)
    score = reports["good"][Phase.P].pooled.by_tolerance[0.2]
    assert marks(figure.axes[0], "good") == (score.false_per_noise_hour, score.recall.value)


def test_residuals_have_their_medians_marked(reports):
    axes = residual_figure(reports, PHASES, JUDGING).axes[0]
    medians = [line.get_xdata()[0] for line in axes.lines if line.get_marker() == "^"]
    expected = [np.median(of_picker[Phase.P].residual_s) for of_picker in reports.values()]
    assert medians == pytest.approx(expected)


def test_calibration_errors_are_written(reports):
    axes = reliability_figure(reports, PHASES).axes[0]
    written = {text.get_text() for text in axes.texts}
    for of_picker in reports.values():
        assert f"calibration error {of_picker[Phase.P].calibration_error:.3f}" in written


def test_bins_are_named_with_their_labels(reports):
    axes = trait_figure(reports, PHASES, "snr_db", JUDGING).axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["< 6\n(20)", "18–24\n(20)"]


def test_all_figures_are_made_and_none_without_labels(reports, tmp_path):
    made = dict(skill_figures(reports, JUDGING))
    assert set(made) == {"precision-recall", "residuals", "reliability", "f1-by-snr", "noise"}
    for name, figure in made.items():
        assert save_figure(figure, tmp_path / f"{name}.png").stat().st_size > 10_000
    only_noise = report_phase(
        truth(3, noise=range(3)),
        picks([]),
        0.5,
        ["made"],
        np.random.default_rng(0),
        judging=JUDGING,
    )
    assert list(skill_figures({"a": {Phase.P: only_noise}}, JUDGING)) == []


def test_a_picker_of_one_phase_and_one_without_picks_are_drawn(reports, tmp_path):
    of = truth(4, snr_db=[3.0, 20.0, 3.0, 20.0])
    silent = report_phase(of, picks([]), 0.5, ["made"], np.random.default_rng(0), judging=JUDGING)
    some = {"good": reports["good"], "silent": {Phase.P: silent}}
    for name, figure in skill_figures(some, JUDGING):
        save_figure(figure, tmp_path / f"{name}.png")
