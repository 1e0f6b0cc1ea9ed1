"""Observed times and intervals at one station."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from zilzal.core.ids import ChannelId, SensorId, derive_id
from zilzal.core.time import Time


class Phase(StrEnum):
    """Phase hint of a pick; Pg, Pn, Sg and Sn count as P and S."""

    P = "P"
    S = "S"


class Onset(StrEnum):
    """How a signal starts, in QuakeML's words."""

    IMPULSIVE = "impulsive"
    EMERGENT = "emergent"
    QUESTIONABLE = "questionable"


class Polarity(StrEnum):
    """First motion on the vertical, in QuakeML's words; positive is up."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    UNDECIDABLE = "undecidable"


class EvaluationMode(StrEnum):
    """Who made it, in QuakeML's words."""

    AUTOMATIC = "automatic"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What made a result.

    Args:
        method: the plug-in's name, as "neural" or "stalta".
        version: of the code.
        model: SHA-256 of the network's file, or the name of the earth model or scale; may be "".
        configuration: SHA-256 of the effective configuration, first 16 digits; may be "".
    """

    method: str
    version: str
    model: str = ""
    configuration: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """An observed time with a phase hint.

    Args:
        channel_id: the component it was seen on best: Z for P, a horizontal for S.
        phase: P or S.
        time: of the onset.
        probability: the model's output at the peak; for a classical picker a mapped score.
        uncertainty_s: standard deviation of the time.
        amplitude_counts: largest zero-to-peak value in the 2 s (P) or 4 s (S) after the onset,
            above 1 Hz; None where it was not measurable (clipped, gap).
        snr: ratio of rms after (2 s) to before (2 s) the onset, same filter; None as above.
        onset: how it starts.
        polarity: first motion, for P on a vertical only.
        evaluation_mode: automatic or manual.
        provenance: what made it.
    """

    channel_id: ChannelId
    phase: Phase
    time: Time
    probability: float
    uncertainty_s: float
    amplitude_counts: float | None = None
    snr: float | None = None
    onset: Onset | None = None
    polarity: Polarity | None = None
    evaluation_mode: EvaluationMode = EvaluationMode.AUTOMATIC
    provenance: Provenance

    @property
    def id(self) -> str:
        """The same on every host: from channel, phase, time and maker."""
        return derive_id(
            "pick", self.channel_id, self.phase, self.time.ns, self.provenance.method,
            self.provenance.model,
        )  # fmt: skip


def in_order(picks: Iterable[Pick]) -> list[Pick]:
    """Picks in order of time, and of id where that is the same."""
    by_time = sorted(picks, key=lambda pick: pick.time.ns)
    # An id is a hash, and few picks need it.
    groups = (list(group) for _, group in groupby(by_time, key=lambda pick: pick.time.ns))
    return [
        pick
        for group in groups
        for pick in (group if len(group) == 1 else sorted(group, key=lambda each: each.id))
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """An interval of one sensor that may hold an event; `end` is exclusive.

    Args:
        sensor_id: whose.
        start: first instant.
        end: last instant, exclusive: the end of the coda.
        probability: the largest inside.
        provenance: what made it.
    """

    sensor_id: SensorId
    start: Time
    end: Time
    probability: float
    provenance: Provenance

    @property
    def id(self) -> str:
        """The same on every host: from sensor, start and maker."""
        return derive_id(
            "detection", self.sensor_id, self.start.ns, self.provenance.method,
            self.provenance.model,
        )  # fmt: skip
