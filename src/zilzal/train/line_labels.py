"""What a line of a set's table says of its trace: labelled arrivals, what nobody knows, codas."""

from __future__ import annotations

from collections.abc import Iterator

from zilzal.core.pick import Phase, Polarity
from zilzal.train.record import Coda, Onset, Unknown
from zilzal.train.seisbench_format import Metadata

_POLARITIES = {
    **dict.fromkeys(("positive", "up", "u", "+"), Polarity.POSITIVE),
    **dict.fromkeys(("negative", "down", "d", "-"), Polarity.NEGATIVE),
    Polarity.UNDECIDABLE: Polarity.UNDECIDABLE,
}
"""Words of the sets for first motions; others ("unknown", "n") say nothing."""


def polarity_of(word: str) -> Polarity | None:
    """First motion by a set's word for it; None where it is no statement on the motion."""
    return _POLARITIES.get(word.strip().lower())


TRUST_BY_FAMILIES = {6: 1.0, 5: 0.9, 4: 0.7, 3: 0.25}
"""Weight of a machine label by how many of six families of pickers agree on it; fewer: none.

Measured precision within 0.2 s is 1.00, 0.95, 0.89, 0.71 for P and 0.97, 0.89, 0.77, 0.62 for S.
"""

TRUST_BY_STATUS = {"manual": 1.0, "unknown": 0.9, "automatic": 0.2}
"""Weight by the set's `trace_p_status` of a label without a count of families; else 0.5."""


def machine_trust(families: int, *, phase: Phase, spread_s: float, probability: float) -> float:
    """Weight of a label on which `families` of six pickers agree.

    An S with a wide spread or a low mean probability is worth half: 0.7 of such are right.
    """
    trust = TRUST_BY_FAMILIES.get(families, 0.0)
    doubtful = phase is Phase.S and (spread_s > 0.2 or probability < 0.3)
    return trust * (0.5 if doubtful else 1.0)


def onsets_of(line: Metadata, *, scale: float = 1.0) -> tuple[Onset, ...]:
    """The labelled arrivals, in order of time.

    A list (`trace_p_arrival_samples`) counts where a line has one, else the one sample
    (`trace_p_arrival_sample`). Beside a list stand, joined by `;` in its order, either
    `trace_p_n_families`, `trace_p_spread_s` and `trace_p_probability` of a vote of pickers, or
    `trace_p_statuses`, `trace_p_weights` and `trace_p_polarities`, in which a part may be empty.

    Args:
        line: of the table.
        scale: wanted sampling rate over the table's.
    """
    found: list[Onset] = []
    for phase in Phase:
        stem = f"trace_{phase.lower()}"
        if not line.text(f"{stem}_arrival_samples"):
            found += _single(line, phase, stem, scale)
        elif line.text(f"{stem}_n_families"):
            found += _voted(line, phase, stem, scale)
        else:
            found += _listed(line, phase, stem, scale)
    return tuple(sorted(found, key=lambda onset: onset.sample))


def _single(line: Metadata, phase: Phase, stem: str, scale: float) -> Iterator[Onset]:
    sample = line.number(f"{stem}_arrival_sample")
    if sample is not None:
        yield Onset(
            phase=phase,
            sample=sample * scale,
            weight=_trust(line.text(f"{stem}_status"), line.text(f"{stem}_weight")),
            polarity=_first_motion(line, phase),
        )


def _voted(line: Metadata, phase: Phase, stem: str, scale: float) -> Iterator[Onset]:
    for sample, n, spread, probability in zip(
        line.numbers(f"{stem}_arrival_samples"),
        line.numbers(f"{stem}_n_families"),
        line.numbers(f"{stem}_spread_s"),
        line.numbers(f"{stem}_probability"),
        strict=True,
    ):
        weight = machine_trust(int(n), phase=phase, spread_s=spread, probability=probability)
        yield Onset(phase=phase, sample=sample * scale, weight=weight)


def _listed(line: Metadata, phase: Phase, stem: str, scale: float) -> Iterator[Onset]:
    samples = line.numbers(f"{stem}_arrival_samples")
    for sample, status, weight, motion in zip(
        samples,
        *(line.parts(f"{stem}_{what}", len(samples)) for what in ("statuses", "weights")),
        line.parts(f"{stem}_polarities", len(samples)),
        strict=True,
    ):
        yield Onset(
            phase=phase,
            sample=sample * scale,
            weight=_trust(status, weight),
            polarity=polarity_of(motion) if phase is Phase.P else None,
        )


def _trust(status: str, weight: str) -> float:
    """By who made the label, times what that one thought of it."""
    trust = TRUST_BY_STATUS.get(status or "unknown", 0.5)
    return trust * (min(max(float(weight), 0.0), 1.0) if weight not in ("", "nan") else 1.0)


def _first_motion(line: Metadata, phase: Phase) -> Polarity | None:
    told = line.text("trace_p_polarity", line.text("trace_polarity"))
    return polarity_of(told) if phase is Phase.P else None


def unknown_of(line: Metadata, last: float, *, scale: float = 1.0) -> tuple[Unknown, ...]:
    """Spans of which nobody knows whether a phase arrives there.

    They are `trace_p_contested_spans` (pickers disagree) and `trace_p_unlabelled_spans` (an
    arrival is expected and was not picked), for S alike; without any list of arrivals also S from
    the first P on where `trace_s_labelled` is False.

    Args:
        line: of the table.
        last: the record's last sample, at the wanted rate.
        scale: wanted sampling rate over the table's.
    """
    spans = [
        Unknown(phase=phase, first=first * scale, last=end * scale)
        for phase in Phase
        for what in ("contested", "unlabelled")
        for first, end in line.spans(f"trace_{phase.lower()}_{what}_spans")
    ]
    p_sample = line.number("trace_p_arrival_sample")
    listed = line.text("trace_p_arrival_samples")
    if p_sample is not None and not listed and line.text("trace_s_labelled") == "False":
        spans.append(Unknown(phase=Phase.S, first=p_sample * scale, last=last))
    return tuple(spans)


def codas_of(line: Metadata, *, scale: float = 1.0) -> tuple[Coda, ...]:
    """The event's interval, where the table says where its coda ends and only one P is labelled."""
    p_sample, end = line.number("trace_p_arrival_sample"), line.number("trace_coda_end_sample")
    several = len(line.numbers("trace_p_arrival_samples")) > 1
    if p_sample is None or end is None or end <= p_sample or several:
        return ()
    trust = _trust(line.text("trace_p_status"), line.text("trace_p_weight"))
    return (Coda(first=p_sample * scale, last=end * scale, weight=trust),)
