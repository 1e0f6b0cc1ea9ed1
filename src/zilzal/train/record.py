"""A labelled record: three components on one time grid with what is known of them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from jaxtyping import Bool, Float32, Shaped

from zilzal.core.arrays import Array
from zilzal.core.pick import Phase, Polarity


@dataclass(frozen=True, slots=True, kw_only=True)
class Onset:
    """A labelled arrival in a record.

    Args:
        phase: P or S.
        sample: where, counted from the record's first sample; may lie between samples.
        weight: trust in the label, 1 for an analyst's, towards 0 for a doubtful machine's.
        polarity: first motion on the vertical, of a P only; None where nobody says.
    """

    phase: Phase
    sample: float
    weight: float = 1.0
    polarity: Polarity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """Samples of which nobody knows whether a phase arrives there; both ends included."""

    phase: Phase
    first: float
    last: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Coda:
    """An event's interval in a record, from its P to the end of its coda.

    Args:
        first: sample of the P.
        last: sample where the coda has sunk into the noise, or where the record ends.
        weight: trust, as of the P's label.
    """

    first: float
    last: float
    weight: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Record:
    """Three components with what is known of them.

    Args:
        name: of the trace, unique within its set.
        source: name of the set.
        event: what a split must not divide: an event, or an hour of noise.
        split: "train" or "dev".
        kind: "earthquake", "noise", or as the set's category says.
        sampling_rate: of the samples.
        samples: raw, mean removed, in the order ZNE; 0 where absent.
        present: which samples were recorded; False all along for a dead component.
        onsets: labelled arrivals, in order of time.
        unknown: spans that neither carry a label nor are known to be empty.
        codas: intervals of events.
        quiet: spans (first, last sample) known to be noise; the whole of a noise record.
    """

    name: str
    source: str
    event: str
    split: str
    kind: str
    sampling_rate: float
    samples: Float32[Array, "component sample"]
    present: Bool[Array, "component sample"]
    onsets: tuple[Onset, ...] = ()
    unknown: tuple[Unknown, ...] = ()
    codas: tuple[Coda, ...] = ()
    quiet: tuple[tuple[int, int], ...] = ()

    @property
    def length(self) -> int:
        """Number of samples of a component."""
        return self.samples.shape[1]

    def onset_samples(self, phase: Phase) -> list[float]:
        """Where a phase is labelled, in order of time."""
        return sorted(onset.sample for onset in self.onsets if onset.phase is phase)


def resampled(
    samples: Shaped[Array, "component sample"], sampling_rate: float, wanted: float
) -> Float32[Array, "component sample"]:
    """Samples at another rate, by a zero-phase polyphase filter; unchanged where rates agree."""
    if abs(sampling_rate / wanted - 1) < 1e-5:
        return np.asarray(samples, np.float32)
    from scipy.signal import resample_poly

    ratio = Fraction(wanted / sampling_rate).limit_denominator(1000)
    return resample_poly(
        samples.astype(np.float64), ratio.numerator, ratio.denominator, axis=-1
    ).astype(np.float32)


def live_samples(
    samples: Shaped[Array, "component sample"], first: int, last: int
) -> Bool[Array, "component sample"]:
    """Which samples were recorded: inside [first, last], on components that are not flat."""
    alive = np.ptp(samples, axis=1) > 0
    inside = np.zeros(samples.shape[1], bool)
    inside[first : last + 1] = True
    return alive[:, None] & inside
