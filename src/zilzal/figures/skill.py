"""How well pickers pick: precision and recall, residuals, reliability, by SNR and distance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from zilzal.core.pick import Phase
from zilzal.evaluate.report import BinScore, Judging, PhaseReport
from zilzal.figures.style import FAINT, INK, OKABE_ITO, drawing

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Reports = Mapping[str, Mapping[Phase, PhaseReport]]
"""By picker and phase."""

TRAITS = {
    "snr_db": ("f1-by-snr", "signal to noise [dB]"),
    "distance_km": ("f1-by-distance", "epicentral distance [km]"),
    "s_minus_p_s": ("f1-by-s-minus-p", "S minus P [s]"),
}
"""Traits by which windows are sorted: name of the figure, and what its axis says."""

RESIDUAL_BIN_S = 0.03
"""Three samples at 100 Hz: many pickers give whole samples."""

FEWEST = 5
"""Bins with fewer picks are left out of the reliability diagram."""

_MARKERS = "osD^vPX"
"""Seven, to eight colours: no two of 56 pickers look alike."""
_DODGE = 0.06


class _Line(NamedTuple):
    """A picker in a panel."""

    name: str
    report: PhaseReport
    colour: str
    marker: str


def skill_figures(reports: Reports, judging: Judging) -> Iterator[tuple[str, Figure]]:
    """All figures of a comparison, with names for their files."""
    phases = [
        phase for phase in Phase if any(_labels(line, judging) for line in _lines(reports, phase))
    ]
    if not phases:
        return
    yield "precision-recall", precision_recall_figure(reports, phases, judging)
    yield "residuals", residual_figure(reports, phases, judging)
    yield "reliability", reliability_figure(reports, phases)
    for trait, (name, _) in TRAITS.items():
        having = [
            p for p in phases if any(trait in line.report.bins for line in _lines(reports, p))
        ]
        if having:
            yield name, trait_figure(reports, having, trait, judging)
    heard = (line.report.sweep.false_per_noise_hour for p in phases for line in _lines(reports, p))
    if any(np.isfinite(rate).any() for rate in heard):
        yield "noise", noise_figure(reports, phases, judging)


def _labels(line: _Line, judging: Judging) -> int:
    return line.report.pooled.by_tolerance[judging.tolerance_s].n_labels


def precision_recall_figure(reports: Reports, phases: Sequence[Phase], judging: Judging) -> Figure:
    """Precision against recall over all thresholds; a mark at the threshold that is used."""
    with drawing():
        figure, panels = _panels(phases)
        for phase, axes in panels.items():
            _draw_f1_lines(axes)
            used: list[tuple[float, float]] = []
            for line in _lines(reports, phase):
                sweep, score = (
                    line.report.sweep,
                    line.report.pooled.by_tolerance[judging.tolerance_s],
                )
                axes.plot(sweep.recall, sweep.precision, color=line.colour, linewidth=1.3)
                used.append((score.recall.value, score.precision.value))
                _draw_used(axes, used[-1], line)
            left, bottom = (_lower_end(values) for values in zip(*used, strict=True))
            axes.set(xlabel="recall", ylabel="precision", xlim=(left, 1), ylim=(bottom, 1.01))
            axes.set_title(f"{phase} within {judging.tolerance_s:g} s")
        _add_legend(figure, panels)
    return figure


def _draw_f1_lines(axes: Axes) -> None:
    """Lines of equal F1, named at their right ends."""
    for f1 in (0.5, 0.6, 0.7, 0.8, 0.9, 0.95):
        recall = np.linspace(f1 / (2 - f1), 1, 200)
        axes.plot(recall, f1 * recall / (2 * recall - f1), ":", color=FAINT, linewidth=0.6)
        axes.annotate(
            f"F1 {f1:g}", (1, f1 / (2 - f1)), xytext=(3, 0), textcoords="offset points",
            fontsize=6, color=FAINT, va="center", annotation_clip=True,
        )  # fmt: skip


def _draw_used(axes: Axes, place: tuple[float, float], line: _Line) -> None:
    """A mark where a picker is with the threshold that is used."""
    axes.plot(
        *place, line.marker, color=line.colour, ms=7, markeredgecolor="white", zorder=4,
        label=line.name, clip_on=False,
    )  # fmt: skip


def _lower_end(values: Sequence[float]) -> float:
    """Where an axis of shares begins, so that the values and what is around them fill it."""
    known = [value for value in values if np.isfinite(value)]
    return max(0.0, float(np.floor(10 * (min(known, default=0.0) - 0.12)) / 10))


def residual_figure(reports: Reports, phases: Sequence[Phase], judging: Judging) -> Figure:
    """Residuals of the picks of labelled arrivals."""
    half = round(judging.residual_s / RESIDUAL_BIN_S)
    edges = (np.arange(-half, half) + 0.5) * RESIDUAL_BIN_S
    with drawing():
        figure, panels = _panels(phases)
        for phase, axes in panels.items():
            for line in _lines(reports, phase):
                off_s = line.report.residual_s
                if len(off_s):
                    share = np.histogram(off_s, edges)[0] / len(off_s)
                    axes.stairs(share, edges, color=line.colour, linewidth=1.3, label=line.name)
                    axes.plot(
                        np.median(off_s), 0, "^", color=line.colour, ms=7,
                        markeredgecolor="white", zorder=4, clip_on=False,
                    )  # fmt: skip
            axes.axvline(0, color=INK, linewidth=0.6, linestyle="--")
            axes.set(xlabel="pick minus label [s]", ylabel=f"share in {RESIDUAL_BIN_S:g} s")
            axes.set(xlim=(edges[0], edges[-1]), ylim=(0, None))
            axes.set_title(f"{phase} residuals (triangles: medians)")
        _add_legend(figure, panels)
    return figure


def reliability_figure(reports: Reports, phases: Sequence[Phase]) -> Figure:
    """What share of the picks of a claimed probability is right."""
    with drawing():
        figure, panels = _panels(phases)
        for phase, axes in panels.items():
            axes.plot([0, 1], [0, 1], color=INK, linewidth=0.6, linestyle="--")
            for line in _lines(reports, phase):
                filled = [row for row in line.report.reliability if row.count >= FEWEST]
                if filled:
                    _draw_estimates(
                        axes, [row.mean_probability for row in filled],
                        [(e.value, e.low, e.high) for e in (row.observed for row in filled)], line,
                    )  # fmt: skip
            _write_errors(axes, list(_lines(reports, phase)))
            axes.set(xlabel="claimed probability", ylabel="share that is right")
            axes.set(xlim=(0, 1), ylim=(0, 1.02))
            axes.set_title(f"{phase}: reliability")
        _add_legend(figure, panels)
    return figure


def _draw_estimates(
    axes: Axes, x: Sequence[float], y: Sequence[tuple[float, float, float]], line: _Line
) -> None:
    """Values with their intervals, joined by a line."""
    value, low, high = np.array(y).T
    axes.errorbar(
        x, value, np.maximum(np.stack([value - low, high - value]), 0), color=line.colour,
        marker=line.marker, ms=5, markeredgecolor="white", linewidth=1.3, elinewidth=0.7,
        label=line.name,
    )  # fmt: skip


def _write_errors(axes: Axes, lines: Sequence[_Line]) -> None:
    """The calibration error of each picker, in its colour."""
    known = [line for line in lines if np.isfinite(line.report.calibration_error)]
    for row, line in enumerate(reversed(known)):
        axes.annotate(
            f"calibration error {line.report.calibration_error:.3f}", (1, 0),
            xytext=(-4, 6 + 9 * row), xycoords="axes fraction", textcoords="offset points",
            fontsize=7, color=line.colour, ha="right",
        )  # fmt: skip


def trait_figure(reports: Reports, phases: Sequence[Phase], trait: str, judging: Judging) -> Figure:
    """F1 by a trait of the windows, with intervals."""
    title = TRAITS[trait][1]
    with drawing():
        figure, panels = _panels(phases)
        for phase, axes in panels.items():
            lines = list(_lines(reports, phase))
            for number, line in enumerate(lines):
                found = [each.score.f1 for each in line.report.bins[trait]]
                shift = _DODGE * (number - (len(lines) - 1) / 2)
                _draw_estimates(
                    axes, (np.arange(len(found)) + shift).tolist(),
                    [(each.value, each.low, each.high) for each in found], line,
                )  # fmt: skip
            bins = lines[0].report.bins[trait]
            axes.set_xticks(range(len(bins)), [_bounds(each) for each in bins], fontsize=7)
            axes.set(xlabel=f"{title} (labels)", ylabel=f"F1 within {judging.tolerance_s:g} s")
            axes.set_ylim(0, 1.02)
            axes.set_title(f"{phase}: F1 by {title.partition(' [')[0]}")
        _add_legend(figure, panels)
    return figure


def _bounds(each: BinScore) -> str:
    if not np.isfinite(each.low):
        text = f"< {each.high:g}"
    else:
        text = f"{each.low:g}–{each.high:g}" if np.isfinite(each.high) else f"≥ {each.low:g}"
    return f"{text}\n({each.score.n_labels})"


def noise_figure(reports: Reports, phases: Sequence[Phase], judging: Judging) -> Figure:
    """Recall against picks per hour of noise over all thresholds; a mark at the one in use."""
    with drawing():
        figure, panels = _panels(phases)
        for phase, axes in panels.items():
            used: list[float] = []
            for line in _lines(reports, phase):
                sweep, score = (
                    line.report.sweep,
                    line.report.pooled.by_tolerance[judging.tolerance_s],
                )
                axes.plot(
                    sweep.false_per_noise_hour[::-1], sweep.recall[::-1], color=line.colour,
                    linewidth=1.3, drawstyle="steps-post",
                )  # fmt: skip
                used.append(score.recall.value)
                _draw_used(axes, (score.false_per_noise_hour, used[-1]), line)
            axes.set_xscale("symlog", linthresh=1)
            ticks = [tick for tick in (0, 1, 3, 10, 30, 100, 300) if tick <= axes.get_xlim()[1]]
            axes.set_xticks(ticks, [str(tick) for tick in ticks])
            axes.set_xticks([], minor=True)
            axes.set(xlabel="picks per hour of noise", ylabel="recall")
            axes.set(xlim=(0, None), ylim=(_lower_end(used), 1))
            axes.set_title(f"{phase} within {judging.tolerance_s:g} s")
        _add_legend(figure, panels)
    return figure


def _panels(phases: Sequence[Phase]) -> tuple[Figure, dict[Phase, Axes]]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.8 * len(phases), 4.1))
    return figure, dict(zip(phases, np.atleast_1d(figure.subplots(1, len(phases))), strict=True))


def _lines(reports: Reports, phase: Phase) -> Iterator[_Line]:
    """The pickers of a phase, each with its colour and marker in all figures."""
    looks = zip(cycle(OKABE_ITO), cycle(_MARKERS), strict=False)
    for (name, of_picker), (colour, marker) in zip(reports.items(), looks, strict=False):
        if phase in of_picker:
            yield _Line(name, of_picker[phase], colour, marker)


def _add_legend(figure: Figure, panels: Mapping[Phase, Axes]) -> None:
    """One legend below all panels."""
    found: dict[str, Artist] = {}
    for axes in panels.values():
        handles, labels = axes.get_legend_handles_labels()
        found |= dict(zip(labels, handles, strict=True))
    figure.legend(
        list(found.values()), list(found), loc="outside lower center", fontsize=8,
        ncols=min(len(found), 3 * len(panels)),
    )  # fmt: skip
