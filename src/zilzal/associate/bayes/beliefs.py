"""What an associator believes about a network, its earth and its seismicity."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64, Int64

from zilzal.associate.bayes.network import PHASES, Network
from zilzal.associate.bayes.table import PickTable
from zilzal.associate.search import MODEL_ERROR
from zilzal.core.arrays import Array
from zilzal.core.errors import FormatError

KERNEL_M = 6_000.0
"""Sources are frequent within about this of other sources."""
ELSEWHERE = 0.2
"""Share of sources that come anywhere in the volume."""
DOUBT = 5.0
"""Sources anywhere that are assumed before any is known."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Seismicity:
    """Where sources were, as a measure of where they will be.

    Args:
        east_m: of known sources on the network's chart.
        north_m: of them.
        span_s: in which they happened.
    """

    east_m: Float64[Array, " known"]
    north_m: Float64[Array, " known"]
    span_s: float

    def log_density(
        self, place_m: Float64[Array, "source 3"], network: Network, *, without_self: bool = False
    ) -> Float64[Array, " source"]:
        """Logarithm of the rate of sources [1/(m³ s)] at places.

        Args:
            place_m: asked for.
            network: whose volume is meant.
            without_self: the places are the known ones, and none counts for itself.
        """
        n_known = len(self.east_m)
        square = (place_m[:, :1] - self.east_m) ** 2 + (place_m[:, 1:2] - self.north_m) ** 2
        kernel = np.exp(-0.5 * square / KERNEL_M**2) / (2 * np.pi * KERNEL_M**2)
        if without_self:
            np.fill_diagonal(kernel, 0.0)
        even = (ELSEWHERE * n_known + DOUBT) / network.area_m2
        density = even + (1 - ELSEWHERE) * kernel.sum(1)
        return np.log(density / (network.thickness_m * self.span_s))


NOWHERE = Seismicity(east_m=np.empty(0), north_m=np.empty(0), span_s=1.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Marks:
    """What a pick's probability says about its being an arrival.

    Args:
        edges: between bins of probability, by phase.
        log_odds: of each bin against all, by phase.
    """

    edges: tuple[tuple[float, ...], ...]
    log_odds: tuple[tuple[float, ...], ...]

    def bins(self, table: PickTable) -> Int64[Array, " pick"]:
        """The bin of each pick."""
        found = np.zeros(len(table), int)
        for phase, edges in enumerate(self.edges):
            mine = table.slot % 2 == phase
            found[mine] = np.searchsorted(edges, table.probability[mine], side="right")
        return found

    def of(self, table: PickTable) -> Float64[Array, " pick"]:
        """Log odds of each pick."""
        return np.array(self.log_odds)[table.slot % 2, self.bins(table)]


N_BINS = 6


def no_marks(table: PickTable) -> Marks:
    """Bins that hold equal numbers of picks, and say nothing yet."""
    shares = np.arange(1, N_BINS) / N_BINS
    edges: list[tuple[float, ...]] = []
    for phase in range(len(PHASES)):
        mine = table.probability[table.slot % 2 == phase]
        edges.append(tuple(np.quantile(mine, shares).tolist()) if len(mine) else (1.0,) * 5)
    return Marks(edges=tuple(edges), log_odds=((0.0,) * N_BINS,) * len(PHASES))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Beliefs:
    """Numbers of a network's slots and of the whole, assumed or learned.

    Args:
        term_s: by which picks of a slot are late.
        deafness: of a slot, in units of magnitude.
        works: whether a slot has picks at all.
        interval_s: between two picks of a station, mean; inf for none.
        share: standard error of a travel time as a share of it.
        marks: of picks' probabilities.
        known: sources that were found before.
    """

    term_s: Float64[Array, " slot"]
    deafness: Float64[Array, " slot"]
    works: Bool[Array, " slot"]
    interval_s: Float64[Array, " station"]
    share: float
    marks: Marks
    known: Seismicity = NOWHERE

    @classmethod
    def first(cls, table: PickTable) -> Beliefs:
        """Before anything is learned: all slots with picks are alike."""
        counts = table.counts
        with np.errstate(divide="ignore"):
            interval_s = table.span_s / counts.reshape(-1, 2).sum(1)
        return cls(
            term_s=np.zeros(table.n_slots),
            deafness=np.zeros(table.n_slots),
            works=counts > 0,
            interval_s=interval_s,
            share=MODEL_ERROR,
            marks=no_marks(table),
        )

    def to_text(self, network: Network) -> str:
        """As JSON, by station, to be kept for later runs."""
        terms, deafness, works = (
            np.asarray(each).reshape(-1, 2).tolist()
            for each in (self.term_s, self.deafness, self.works)
        )
        latitude, longitude = network.frame.place(self.known.east_m, self.known.north_m)
        intervals = [None if np.isinf(x) else x for x in self.interval_s.tolist()]
        stations = {
            str(station.station_id): {
                "term_s": terms[n], "deafness": deafness[n], "works": works[n],
                "interval_s": intervals[n],
            }
            for n, station in enumerate(network.stations)
        }  # fmt: skip
        told = {
            "share": self.share,
            "marks": {"edges": self.marks.edges, "log_odds": self.marks.log_odds},
            "known": {
                "latitude": np.round(latitude, 4).tolist(),
                "longitude": np.round(longitude, 4).tolist(),
                "span_s": self.known.span_s,
            },
            "stations": stations,
        }
        return json.dumps(told, indent=1, sort_keys=True)

    @classmethod
    def from_text(cls, text: str, network: Network) -> Beliefs:
        """From `to_text`, for a network that may have other stations too.

        Raises:
            FormatError: it is not such a text.
        """
        try:
            told = json.loads(text)
            return cls._from_values(told, network)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise FormatError(f"not what an associator learned: {error}") from error

    @classmethod
    def _from_values(cls, told: Any, network: Network) -> Beliefs:
        new = {"term_s": [0.0, 0.0], "deafness": [0.0, 0.0], "works": [True, True],
               "interval_s": None}  # fmt: skip
        rows = [told["stations"].get(str(s.station_id), new) for s in network.stations]
        known = told["known"]
        east_m, north_m = network.frame.metres(
            np.array(known["latitude"], float), np.array(known["longitude"], float)
        )
        return cls(
            term_s=np.array([row["term_s"] for row in rows], float).ravel(),
            deafness=np.array([row["deafness"] for row in rows], float).ravel(),
            works=np.array([row["works"] for row in rows], bool).ravel(),
            interval_s=np.array(
                [np.inf if row["interval_s"] is None else row["interval_s"] for row in rows], float
            ),
            share=float(told["share"]),
            marks=Marks(
                edges=tuple(tuple(each) for each in told["marks"]["edges"]),
                log_odds=tuple(tuple(each) for each in told["marks"]["log_odds"]),
            ),
            known=Seismicity(east_m=east_m, north_m=north_m, span_s=float(known["span_s"])),
        )
