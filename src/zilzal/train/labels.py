"""What the network shall say at each sample, how much that counts, and where a coda ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Float32

from zilzal.core.arrays import Array
from zilzal.core.pick import Phase
from zilzal.train.dataset import Coda, Onset, Record, Unknown

LABELS = ("P", "S", "detection")
"""Rows of the curves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves:
    """How labels become curves.

    Args:
        sigma_s: standard deviation of the Gaussian at an arrival.
        cut_s: it is zero beyond this.
        doubt_s: to this distance from an arrival its weight replaces the full weight.

    Source:
        The course, application: a Gaussian of 10 samples at 100 Hz, cut at 40.
    """

    sigma_s: float = 0.1
    cut_s: float = 0.4
    doubt_s: float = 1.0


def target_curves(
    length: int,
    onsets: Sequence[Onset],
    unknown: Sequence[Unknown],
    codas: Sequence[Coda],
    *,
    sampling_rate: float = 100.0,
    how: Curves = Curves(),
) -> tuple[Float32[Array, "label sample"], Float32[Array, "label sample"]]:
    """Targets and weights in [0, 1] of the rows `LABELS`.

    A doubtful arrival takes weight from its surroundings; an unknown span has no weight, save
    within 0.4 s of an arrival that is labelled. Where a phase is unknown, so is the detection
    for the ten seconds that its event would last, unless a coda is known there.
    """
    targets = np.zeros((len(LABELS), length), np.float32)
    weights = np.ones_like(targets)
    for span in unknown:
        row = LABELS.index(span.phase)
        weights[row, _range(span.first, span.last, length)] = 0
        weights[2, _range(span.first, span.last + 10 * sampling_rate, length)] = 0
    for coda in codas:
        inside = _range(coda.first, coda.last, length)
        targets[2, inside] = 1
        weights[2, inside] = coda.weight
    for onset in sorted(onsets, key=lambda o: o.weight):
        row, reach = LABELS.index(onset.phase), how.doubt_s * sampling_rate
        around = _range(onset.sample - reach, onset.sample + reach, length)
        weights[row, around] = np.minimum(weights[row, around], onset.weight)
    for onset in sorted(onsets, key=lambda o: o.weight):
        row, reach = LABELS.index(onset.phase), how.cut_s * sampling_rate
        near = _range(onset.sample - reach, onset.sample + reach, length)
        distance_s = (np.arange(length)[near] - onset.sample) / sampling_rate
        bell = np.exp(-0.5 * (distance_s / how.sigma_s) ** 2)
        targets[row, near] = np.maximum(targets[row, near], bell)
        weights[row, near] = onset.weight
    return targets, weights


def _range(first: float, last: float, length: int) -> slice:
    start = min(max(0, round(first)), length)
    return slice(start, max(start, min(length, round(last) + 1)))


COUNTED_AS_P_OF_S_S = 40.0
"""An S belongs to the last P before it, up to this long before [s]."""


def with_codas(record: Record) -> Record:
    """A record with the interval of each of its events, where it has none yet.

    An event begins at a labelled P; its S is the first one labelled before the next P. An S
    without its P makes the detection unknown around it.
    """
    if record.codas or not record.onsets:
        return record
    envelope = energy_envelope(record)
    p_onsets = [onset for onset in record.onsets if onset.phase is Phase.P]
    codas: list[Coda] = []
    for number, onset in enumerate(p_onsets):
        last = p_onsets[number + 1].sample if number + 1 < len(p_onsets) else record.length - 1.0
        s_samples = [s for s in record.onset_samples(Phase.S) if onset.sample < s < last]
        end = coda_end(
            envelope, onset.sample, s_samples[0] if s_samples else None, last,
            sampling_rate=record.sampling_rate,
        )  # fmt: skip
        codas.append(Coda(first=onset.sample, last=end, weight=onset.weight))
    reach = COUNTED_AS_P_OF_S_S * record.sampling_rate
    orphans = [
        Coda(first=onset.sample - reach / 4, last=onset.sample + reach / 2, weight=0.0)
        for onset in record.onsets
        if onset.phase is Phase.S and not any(0 < onset.sample - p.sample < reach for p in p_onsets)
    ]
    return replace(record, codas=tuple(orphans + codas))


def energy_envelope(record: Record) -> Float[Array, " second"]:
    """Root mean square of each second above 2 Hz, over the live components."""
    from scipy.signal import butter, sosfilt

    sections = butter(2, 2.0, "highpass", fs=record.sampling_rate, output="sos")
    filtered = np.where(record.present, sosfilt(sections, record.samples, axis=-1), 0)
    second = round(record.sampling_rate)
    n_seconds = max(1, record.length // second)
    blocks = filtered[:, : n_seconds * second].reshape(3, n_seconds, -1)
    return np.sqrt((blocks**2).mean(-1).sum(0))


def coda_end(
    envelope: Float[Array, " second"],
    p_sample: float,
    s_sample: float | None,
    last: float,
    *,
    sampling_rate: float,
) -> float:
    """Sample where an event's coda has sunk to twice the noise before its P.

    Never before the S and 0.4 of the S-P time (EQTransformer's rule), nor more than 60 s after
    the P, nor after `last`.

    Args:
        envelope: root mean square of each second.
        p_sample: of the event's P.
        s_sample: of its S, if labelled.
        last: the record's end, or the next event's P.
        sampling_rate: of the samples.
    """
    p_second = int(p_sample / sampling_rate)
    before = envelope[max(0, p_second - 6) : p_second]
    noise = float(np.median(before[before > 0])) if (before > 0).any() else 0.0
    earliest = p_sample + sampling_rate
    if s_sample is not None:
        earliest = s_sample + max(0.4 * (s_sample - p_sample), sampling_rate)
    after = envelope[int(earliest / sampling_rate) :]
    sunk = np.flatnonzero(after <= 2 * noise)
    seconds = int(sunk[0]) if len(sunk) else len(after)
    end = (int(earliest / sampling_rate) + seconds) * sampling_rate
    return float(min(max(earliest, end), last, p_sample + 60 * sampling_rate))
