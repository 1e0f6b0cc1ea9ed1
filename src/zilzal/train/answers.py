"""What pickers say of many windows, as tables that can be kept, joined and scored."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped

from zilzal.core.arrays import Array
from zilzal.core.pick import Phase, Polarity
from zilzal.evaluate.phase import PhasePicks
from zilzal.evaluate.picks import Onsets
from zilzal.evaluate.polarity import POLARITIES, SIGNS
from zilzal.io.table_file import whole_file

PICK = np.dtype(
    [
        ("window", np.int64),
        ("phase", "U1"),
        ("time_s", np.float64),
        ("output", np.float64),
        ("probability", np.float64),
        ("uncertainty_s", np.float64),
        ("polarity", np.float64),
    ]
)
"""A pick: number of its window, time in it, what thresholds act on, and the claims that
`evaluate.phase.PhasePicks` describes."""

DETECTION = np.dtype([("window", np.int64), ("start_s", np.float64), ("end_s", np.float64)])
"""A detection: number of its window, and its interval in it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answers:
    """A picker's picks and detections in many windows.

    Args:
        picks: rows of `PICK`.
        detections: rows of `DETECTION`; None of a picker that makes none.
    """

    picks: Shaped[Array, " pick"]
    detections: Shaped[Array, " detection"] | None

    @classmethod
    def of_rows(
        cls, picks: Sequence[tuple[Any, ...]], detections: Sequence[tuple[Any, ...]] | None = None
    ) -> Answers:
        """From rows in the order of the fields."""
        intervals = None if detections is None else np.array(detections, DETECTION)
        return cls(picks=np.array(picks, PICK), detections=intervals)

    def save(self, path: Path) -> None:
        """Keep them in an `.npz` file."""
        with whole_file(path) as file:
            if self.detections is None:
                np.savez_compressed(file, picks=self.picks)
            else:
                np.savez_compressed(file, picks=self.picks, detections=self.detections)

    @classmethod
    def load(cls, path: Path) -> Answers:
        """Read what `save` wrote."""
        with np.load(path) as arrays:
            detections = arrays["detections"] if "detections" in arrays.files else None
            return cls(picks=arrays["picks"], detections=detections)

    def of_phase(self, phase: Phase) -> PhasePicks:
        """Its picks of a phase."""
        rows = self.picks[self.picks["phase"] == phase.value]
        return PhasePicks(
            onsets=Onsets(record=rows["window"], time_s=rows["time_s"], probability=rows["output"]),
            claimed=rows["probability"],
            uncertainty_s=rows["uncertainty_s"],
            polarity=rows["polarity"],
        )


def joined(parts: Iterable[tuple[int, Answers]]) -> Answers:
    """Answers on consecutive blocks of windows as one.

    Args:
        parts: number of windows of each block, and what was said of them.
    """
    picks, detections, first = [np.zeros(0, PICK)], [np.zeros(0, DETECTION)], 0
    detects = False
    for n_windows, answers in parts:
        detects |= answers.detections is not None
        for rows, all_rows in ((answers.picks, picks), (answers.detections, detections)):
            if rows is not None:
                moved = rows.copy()
                moved["window"] += first
                all_rows.append(moved)
        first += n_windows
    return Answers(
        picks=np.concatenate(picks), detections=np.concatenate(detections) if detects else None
    )


def sign_of(polarity: Polarity | None) -> float:
    """A first motion as a number, see `evaluate.polarity.SIGNS`; NaN for none."""
    return math.nan if polarity is None else SIGNS[POLARITIES.index(polarity)]
