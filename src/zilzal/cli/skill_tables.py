"""What `zilzal evaluate picks` prints: the scores of several pickers as compact tables."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rich.markup import escape
from rich.table import Table

from zilzal.cli.cells import best_of, interval, marked, number, plain_table, signed, span
from zilzal.core.pick import Phase
from zilzal.evaluate.position import SCATTER_S
from zilzal.evaluate.report import Judging, PhaseReport
from zilzal.train.comparing import Difference, Outcome, PickerReport


@dataclass(frozen=True, slots=True)
class Column:
    """A column of scores.

    Args:
        title: with the unit.
        value: of a picker.
        decimals: shown.
        best: which value is highlighted: the largest, the smallest, the one nearest to zero or
            to a number; None for no highlight.
        cell: the text, where it is more than the value.
    """

    title: str
    value: Callable[[PhaseReport], float]
    decimals: int = 3
    best: str | float | None = "largest"
    cell: Callable[[PhaseReport], str] | None = None

    def told(self, report: PhaseReport) -> str:
        """The text of a picker's cell."""
        return self.cell(report) if self.cell else number(self.value(report), self.decimals)


def tables(outcome: Outcome, judging: Judging) -> Iterator[Table]:
    """All tables, those without content left out."""
    for phase in Phase:
        reports = [report for report in outcome.reports if phase in report.phases]
        if reports:
            title = _title(reports, phase, judging)
            yield from _scores(reports, phase, _found_columns(judging), title)
            title = f"{phase}: times and claims"
            yield from _scores(reports, phase, _claim_columns(judging), title)
            yield from _by_set(reports, phase, judging)
            yield from _by_snr(reports, phase)
            yield from _positions(reports, phase)
    yield from _polarities(outcome.reports)
    yield from _detections(outcome.reports)
    if outcome.differences:
        yield _differences(outcome.differences, judging)


def _title(reports: Sequence[PickerReport], phase: Phase, judging: Judging) -> str:
    n_labels = reports[0].phases[phase].pooled.by_tolerance[judging.tolerance_s].n_labels
    return f"{phase}: {n_labels} labels, within {judging.tolerance_s:g} s unless told otherwise"


def _found_columns(judging: Judging) -> list[Column]:
    at = judging.tolerance_s

    def f1(tolerance_s: float) -> Column:
        return Column(
            f"F1 {tolerance_s:g} s",
            lambda r: r.pooled.by_tolerance[tolerance_s].f1.value,
            cell=(lambda r: interval(r.pooled.by_tolerance[at].f1)) if tolerance_s == at else None,
        )

    return [
        Column("threshold", lambda r: r.threshold, decimals=2, best=None),
        *(f1(tolerance_s) for tolerance_s in judging.tolerances_s),
        Column("precision", lambda r: r.pooled.by_tolerance[at].precision.value),
        Column("recall", lambda r: r.pooled.by_tolerance[at].recall.value),
        Column(
            f"precision at recall {judging.recall:g}", lambda r: r.pooled.precision_at_recall.value
        ),
        Column(
            "per noise hour",
            lambda r: r.pooled.by_tolerance[at].false_per_noise_hour,
            decimals=1,
            best="smallest",
        ),
        Column(
            "false per station-hour",
            lambda r: r.pooled.by_tolerance[at].false_per_station_hour,
            decimals=1,
            best="smallest",
        ),
    ]


def _claim_columns(judging: Judging) -> list[Column]:
    at = judging.tolerance_s
    return [
        Column(
            "median [s]", lambda r: r.pooled.by_tolerance[at].residuals.median_s.value, best=0.0
        ),
        Column(
            "mean |.| [s]",
            lambda r: r.pooled.by_tolerance[at].residuals.mean_absolute_s,
            best="smallest",
        ),
        Column("MAD [s]", lambda r: r.pooled.by_tolerance[at].residuals.mad_s, best="smallest"),
        Column(
            f"beyond {at:g} s",
            lambda r: r.pooled.by_tolerance[at].residuals.outlier_share,
            best="smallest",
        ),
        Column("within 1 σ", lambda r: r.coverage.within_one.value, best=0.683),
        Column("within 2 σ", lambda r: r.coverage.within_two.value, best=0.954),
        Column("calibration error", lambda r: r.calibration_error, best="smallest"),
    ]


def _scores(
    reports: Sequence[PickerReport], phase: Phase, columns: Sequence[Column], title: str
) -> Iterator[Table]:
    """A row a picker; columns in which nobody has a value are left out, and a table of none."""
    known = [
        column
        for column in columns
        if any(math.isfinite(column.value(report.phases[phase])) for report in reports)
    ]
    best_places = [
        best_of([column.value(report.phases[phase]) for report in reports], column.best)
        for column in known
    ]
    rows = [
        [
            escape(report.name),
            *(
                marked(column.told(report.phases[phase]), place in best)
                for column, best in zip(known, best_places, strict=True)
            ),
        ]
        for place, report in enumerate(reports)
    ]
    if known:
        yield plain_table(title, ["picker", *(column.title for column in known)], rows)


def _by_set(reports: Sequence[PickerReport], phase: Phase, judging: Judging) -> Iterator[Table]:
    at = judging.tolerance_s
    sets = {
        name: score.by_tolerance[at].n_labels
        for name, score in reports[0].phases[phase].sets.items()
        if score.by_tolerance[at].n_labels
    }
    if len(sets) < 2:
        return
    values = [
        [report.phases[phase].sets[name].by_tolerance[at].f1.value for report in reports]
        for name in sets
    ]
    values.append([report.phases[phase].mean[at].f1.value for report in reports])
    titles = [f"{name} ({count})" for name, count in sets.items()]
    yield _matrix(
        f"{phase}: F1 within {at:g} s by set (labels)", reports, [*titles, "mean"], values
    )


def _by_snr(reports: Sequence[PickerReport], phase: Phase) -> Iterator[Table]:
    bins = reports[0].phases[phase].bins.get("snr_db", ())
    if bins:
        titles = [f"{span(each.low, each.high)} ({each.score.n_labels})" for each in bins]
        values = [
            [report.phases[phase].bins["snr_db"][column].score.f1.value for report in reports]
            for column in range(len(bins))
        ]
        yield _matrix(f"{phase}: F1 by signal to noise in dB (labels)", reports, titles, values)


def _matrix(
    title: str,
    reports: Sequence[PickerReport],
    titles: Sequence[str],
    values: Sequence[Sequence[float]],
) -> Table:
    """Pickers by columns of one score, the largest of a column highlighted."""
    best = [best_of(column, "largest") for column in values]
    rows = [
        [
            escape(report.name),
            *(
                marked(number(column[place], 3), place in of_column)
                for column, of_column in zip(values, best, strict=True)
            ),
        ]
        for place, report in enumerate(reports)
    ]
    return plain_table(title, ["picker", *titles], rows)


def _positions(reports: Sequence[PickerReport], phase: Phase) -> Iterator[Table]:
    found = [(r.name, of_picker) for r in reports if (of_picker := r.phases[phase].positions)]
    if found:
        yield plain_table(
            f"{phase}: {found[0][1].n_onsets} onsets, each at several positions in its windows",
            ["picker", "always found", "sometimes", "never", "scatter, median [s]", "95 % [s]",
             f"beyond {SCATTER_S:g} s"],
            [
                [escape(name), *(number(value, 3) for value in (
                    of_picker.always, of_picker.sometimes, of_picker.never,
                    of_picker.median_s, of_picker.p95_s, of_picker.beyond,
                ))]
                for name, of_picker in found
            ],
        )  # fmt: skip


def _polarities(reports: Sequence[PickerReport]) -> Iterator[Table]:
    found = [
        (report.name, polarity)
        for report in reports
        if Phase.P in report.phases and (polarity := report.phases[Phase.P].polarity)
    ]
    if any(polarity.confusion.any() for _, polarity in found):
        rows: list[list[str]] = []
        for name, polarity in found:
            (up, up_as_down, _), (down_as_up, down, _) = polarity.confusion[:2].tolist()
            counts = [str(n) for n in (up, up_as_down, down, down_as_up)]
            shares = [interval(polarity.decided), interval(polarity.right)]
            rows.append([escape(name), *counts, *shares])
        yield plain_table(
            "first motions of right P, label as pick",
            ["picker", "up as up", "up as down", "down as down", "down as up", "decided",
             "of these right"],
            rows,
        )  # fmt: skip


def _detections(reports: Sequence[PickerReport]) -> Iterator[Table]:
    found = [(report.name, report.detection) for report in reports if report.detection]
    if found:
        yield plain_table(
            f"detection: {found[0][1].n_events} events",
            ["picker", "precision", "recall", "F1", "F1 of time", "per noise hour"],
            [
                [
                    escape(name),
                    *map(interval, (score.precision, score.recall, score.f1, score.f1_time)),
                    number(score.false_per_noise_hour, 1),
                ]
                for name, score in found
            ],
        )


def _differences(differences: Sequence[Difference], judging: Judging) -> Table:
    """Coloured where the interval holds no zero: green in the first one's favour."""
    return plain_table(
        f"{differences[0].first} minus the others, same events (95 % interval)",
        ["other", "phase", f"F1 {judging.tolerance_s:g} s", "mean |.| [s]", "per noise hour"],
        [
            [
                escape(each.second),
                each.phase.value,
                signed(each.difference.f1, favour=1),
                signed(each.difference.mean_absolute_s, favour=-1),
                signed(each.difference.false_per_noise_hour, favour=-1, decimals=1),
            ]
            for each in differences
            if each.tolerance_s == judging.tolerance_s
        ],
    )
