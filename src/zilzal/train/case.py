"""A window with all that it is judged by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from zilzal.core.pick import Phase, Polarity
from zilzal.train.skill import Trial

Span = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Case:
    """A window with all that it is judged by.

    Args:
        trial: samples and labels.
        split: of its record.
        shift: number of the window among those of its record.
        first: sample of the record, at 100 Hz, at which the window begins; negative before it.
        record_start: time of the record's first sample, as the set writes it; may be "".
        record_rate: sampling rate of the record as it lies in the set.
        contested: spans (first, last sample) of each phase in which nobody knows.
        polarity: first motion of each labelled P, in their order.
        snr_db: of the first labelled onset of each phase; NaN where not measurable.
        distance_km: epicentral distance; NaN where not known.
        s_minus_p_s: of the first labelled P and its S; NaN without.
    """

    trial: Trial
    split: str
    shift: int
    first: int
    record_start: str
    record_rate: float
    contested: Mapping[Phase, tuple[Span, ...]]
    polarity: tuple[Polarity | None, ...]
    snr_db: Mapping[Phase, float]
    distance_km: float
    s_minus_p_s: float

    @property
    def key(self) -> tuple[str, str, int]:
        """Set, trace and number of the shift: unique among all windows."""
        return self.trial.source, self.trial.name, self.shift

    def without_samples(self) -> Case:
        """What is needed once it has been picked."""
        nothing = self.trial.samples[:, :0]
        return replace(self, trial=replace(self.trial, samples=nothing, present=nothing > 0))
