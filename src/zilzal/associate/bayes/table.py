"""Picks as arrays, in order of slot and time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from zilzal.associate.bayes.network import PHASES, Network
from zilzal.core.arrays import Array
from zilzal.core.pick import Pick, in_order
from zilzal.core.time import Time

_APART_S = 4_000.0
"""Between the times of two slots on the line that `neighbours` searches."""
_BETWEEN_S = 1.0
"""Between those of two stations on the line that `pauses_s` searches."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PickTable:
    """Picks at stations of a network.

    Args:
        picks: in order of slot, then time.
        reference: where times are counted from.
        slot: station and phase, see `network.PHASES`.
        time_s: after the reference.
        error_s: standard error of the time.
        probability: of the pick.
        span_s: from the first to the last pick, and a second.
        n_slots: of the network.
        station_line_s: all pick times of each station, in order, between the table's ends; those
            of station k come after k times the table's span and a second.
    """

    picks: tuple[Pick, ...]
    reference: Time
    slot: Int64[Array, " pick"]
    time_s: Float64[Array, " pick"]
    error_s: Float64[Array, " pick"]
    probability: Float64[Array, " pick"]
    span_s: float
    n_slots: int
    station_line_s: Float64[Array, " pick+2*station"]

    @classmethod
    def of(cls, picks: Sequence[Pick], network: Network) -> PickTable:
        """Of picks at its stations, one at least."""
        number = {station.station_id: n for n, station in enumerate(network.stations)}
        reference = min(pick.time for pick in picks)
        ordered = in_order(picks)
        slot = np.array(
            [2 * number[p.channel_id.station_id] + PHASES.index(p.phase) for p in ordered], int
        )
        order = np.argsort(slot, kind="stable")
        numbers: list[int] = order.tolist()
        kept = tuple(ordered[n] for n in numbers)
        time_s = np.array([pick.time - reference for pick in kept])
        span_s = float(time_s.max()) + 1.0
        ends_s = np.repeat([0.0, span_s], len(network.stations))
        station = np.concatenate([np.tile(np.arange(len(network.stations)), 2), slot[order] // 2])
        line_s = station * (span_s + _BETWEEN_S) + np.concatenate([ends_s, time_s])
        return cls(
            picks=kept,
            reference=reference,
            slot=slot[order],
            time_s=time_s,
            error_s=np.array([pick.uncertainty_s for pick in kept]),
            probability=np.array([pick.probability for pick in kept]),
            span_s=span_s,
            n_slots=network.n_slots,
            station_line_s=np.sort(line_s),
        )

    def __len__(self) -> int:
        return len(self.picks)

    @property
    def counts(self) -> Int64[Array, " slot"]:
        """Picks of each slot."""
        return np.bincount(self.slot, minlength=self.n_slots)

    def pauses_s(self, time_s: Float64[Array, " source"]) -> Float64[Array, "source station"]:
        """How long it is from the last pick of each station before a time to the next after it."""
        line_s = self.station_line_s
        begin_s = np.arange(self.n_slots // 2) * (self.span_s + _BETWEEN_S)
        # Never the first of a station's, which is the table's begin.
        first = np.searchsorted(line_s, begin_s) + 1
        inside_s = np.clip(time_s, 0.0, self.span_s)[:, None]
        after = np.maximum(np.searchsorted(line_s, begin_s + inside_s), first)
        return line_s[after] - line_s[after - 1]

    def neighbours(
        self, time_s: Float64[Array, "source slot"]
    ) -> tuple[Int64[Array, "source slot"], Int64[Array, "source slot"]]:
        """The last pick of each slot before a time, and the first at or after it; -1 for none."""
        stride = self.span_s + _APART_S
        line = self.slot * stride + self.time_s
        slots = np.arange(self.n_slots)
        inside = np.clip(time_s, -_APART_S / 4, self.span_s + _APART_S / 4)
        after = np.searchsorted(line, (slots * stride + inside).ravel()).reshape(time_s.shape)
        found: list[Array] = []
        for at in (after - 1, after):
            within = np.clip(at, 0, len(self) - 1)
            found.append(np.where((at == within) & (self.slot[within] == slots), at, -1))
        return found[0], found[1]
