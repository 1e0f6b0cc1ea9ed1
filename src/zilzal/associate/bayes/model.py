"""The odds of a group of picks: formulas of the generative model.

Notation: m size of a source, in units of magnitude, 0 where a P at 10 km is heard in half of the
cases; a_k attenuation and deafness of slot k; p_k probability that slot k has its arrival;
T_k travel time with the slot's term; r residual and σ its scale; λ_i rate of background picks at
pick i; ρ rate of sources per volume and time; H the Hessian of the misfit at the source.

    p_k = p_max / (1 + exp(-(m - a_k) / w))
    gain of pick i for slot k:  g = log t(r / σ) - log σ - log λ_i + mark_i + log p_k - log(1 - p_k)
    log odds of a source:       Σ g over its picks + Σ log(1 - p_k) over all slots
                                + log ρ + 2 log 2π - ½ log det H

The last terms are the integral over place and time (Laplace's approximation): what a source must
gain to be more likely than its picks' coming together by chance.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import lgamma

import numpy as np
from jaxtyping import Bool, Float64, Int64

from zilzal.associate.bayes.beliefs import Beliefs, Seismicity
from zilzal.associate.bayes.network import Network
from zilzal.associate.bayes.table import PickTable
from zilzal.core.arrays import Array

FREEDOM = 4.0
"""Degrees of freedom of Student's t for residuals: tails for wrong picks and earths."""
LOG_T = lgamma((FREEDOM + 1) / 2) - lgamma(FREEDOM / 2) - 0.5 * np.log(FREEDOM * np.pi)
FLOOR_S = 0.05
"""Least standard error of a residual, beside the pick's and the earth's."""
SUREST = 0.95
"""Probability that a slot has the arrival of the largest source."""
SOFTNESS = 0.3
"""Units of magnitude over which the probability rises."""
SIZES = np.arange(-1.0, 4.01, 0.1)
_PRODUCT = 64
"""Probabilities of at least 1 - `SUREST` whose product is a number yet."""
_NEAREST_M, _REFERENCE_M = 3_000.0, 10_000.0
_DEAF = 50.0
SILENCE = 10.0
"""A station without picks for so many of its mean intervals does not work."""
WIDE_S, LONG_S = 60.0, 240.0
"""Half of the window in which background picks are counted, and the weight of the mean rate."""
_LARGEST_STEP_M = np.array([8e3, 8e3, 6e3])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sources:
    """Supposed sources.

    Args:
        place_m: east, north on the network's chart, and depth.
        time_s: after the table's reference.
        size: in units of magnitude.
        log_odds: that they are.
    """

    place_m: Float64[Array, "source 3"]
    time_s: Float64[Array, " source"]
    size: Float64[Array, " source"]
    log_odds: Float64[Array, " source"]

    def __len__(self) -> int:
        return len(self.time_s)

    def of(self, rows: Array) -> Sources:
        """Some of them."""
        return Sources(
            place_m=self.place_m[rows], time_s=self.time_s[rows],
            size=self.size[rows], log_odds=self.log_odds[rows],
        )  # fmt: skip

    def joined(self, other: Sources) -> Sources:
        """With others after them."""
        pairs = ((getattr(self, n), getattr(other, n)) for n in self.__slots__)
        return Sources(**dict(zip(self.__slots__, map(np.concatenate, pairs), strict=True)))


def no_sources() -> Sources:
    """None at all."""
    none = np.empty(0)
    return Sources(place_m=np.empty((0, 3)), time_s=none, size=none, log_odds=none)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fit:
    """Picks of sources slot by slot.

    Args:
        pick: number of the slot's pick; -1 for none.
        gain: log odds that it adds, without the probability of being heard; -inf for none.
    """

    pick: Int64[Array, "source slot"]
    gain: Float64[Array, "source slot"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scene:
    """Everything that sources are judged by.

    Args:
        network: of the picks.
        table: the picks.
        beliefs: about the network.
        log_rate: of background picks around each pick [1/s].
        mark: of each pick, see `beliefs.Marks`.
        so_far: the sources among these picks.
    """

    network: Network
    table: PickTable
    beliefs: Beliefs
    log_rate: Float64[Array, " pick"]
    mark: Float64[Array, " pick"]
    so_far: Seismicity

    @classmethod
    def of(cls, network: Network, table: PickTable, beliefs: Beliefs) -> Scene:
        """Before any source is found: all picks are background."""
        none = np.empty(0)
        scene = cls(
            network=network, table=table, beliefs=beliefs, log_rate=np.zeros(len(table)),
            mark=beliefs.marks.of(table),
            so_far=Seismicity(east_m=none, north_m=none, span_s=table.span_s),
        )  # fmt: skip
        return scene.seen(no_sources(), np.full(len(table), -1))

    def seen(self, sources: Sources, owner: Int64[Array, " pick"]) -> Scene:
        """With the background and the seismicity that some sources leave."""
        return replace(
            self,
            log_rate=np.log(_background(self.table, owner < 0)),
            so_far=Seismicity(
                east_m=sources.place_m[:, 0],
                north_m=sources.place_m[:, 1],
                span_s=self.table.span_s,
            ),
        )

    def believing(self, beliefs: Beliefs) -> Scene:
        """With other beliefs."""
        return replace(self, beliefs=beliefs, mark=beliefs.marks.of(self.table))

    def arrivals(
        self, place_m: Float64[Array, "source 3"]
    ) -> tuple[Float64[Array, "source station"], Float64[Array, "source slot"]]:
        """Epicentral distances, and travel times with the slots' terms."""
        distance_m = self.network.distances_m(place_m)
        return distance_m, self.network.times_s(distance_m, place_m[:, 2]) + self.beliefs.term_s

    def scale_s(self, pick: Array, travel_s: Array, blur_s: float = 0.0) -> Array:
        """Scale of a residual: the pick's, the earth's, and that of a rough place."""
        share = self.beliefs.share * travel_s
        return np.sqrt(self.table.error_s[pick] ** 2 + FLOOR_S**2 + share**2 + blur_s**2)

    def hardness(
        self, distance_m: Float64[Array, "source station"], sources_depth_m: Array, time_s: Array
    ) -> Float64[Array, "source slot"]:
        """Size from which on a source is heard in half of the cases."""
        away_m = np.hypot(distance_m, sources_depth_m[:, None])
        hard = np.repeat(attenuation(away_m), 2, axis=1) + self.beliefs.deafness
        return hard + _DEAF * self._silent(time_s)

    def heard(self, hardness: Array, size: Array) -> Array:
        """Probability that slots have the arrival of sources of some sizes."""
        with np.errstate(over="ignore"):
            chance = SUREST / (1 + np.exp(-(size[:, None] - hardness) / SOFTNESS))
        return chance * self.beliefs.works

    def pick_gain(self, pick: Array, residual_s: Array, scale_s: Array) -> Array:
        """Log odds that a pick adds, but for the probability of being heard."""
        t = LOG_T - (FREEDOM + 1) / 2 * np.log1p((residual_s / scale_s) ** 2 / FREEDOM)
        return t - np.log(scale_s) - self.log_rate[pick] + self.mark[pick]

    def best_fit(
        self, place_m: Array, time_s: Array, price: Float64[Array, " pick"], blur_s: float = 0.0
    ) -> tuple[Array, Fit]:
        """Epicentral distances, and the pick of each slot that adds most, less its price."""
        distance_m, travel_s = self.arrivals(place_m)
        expected_s = time_s[:, None] + travel_s
        best = np.full(travel_s.shape, -1)
        gain = np.full(travel_s.shape, -np.inf)
        for each in self.table.neighbours(expected_s):
            pick = np.maximum(each, 0)
            residual_s = self.table.time_s[pick] - expected_s
            scale_s = self.scale_s(pick, travel_s, blur_s)
            value = self.pick_gain(pick, residual_s, scale_s) - price[pick]
            better = (each >= 0) & (value > gain)
            best, gain = np.where(better, each, best), np.where(better, value, gain)
        return distance_m, Fit(pick=best, gain=gain)

    def best_size(self, hardness: Array, fit: Fit) -> Float64[Array, " source"]:
        """The size that explains best which slots heard and which did not.

        Where a pick adds log p - log(1 - p) + g, less than nothing whatever the size, it is left
        out; the logarithm of all that is missed is taken of products, since logarithms are slow.
        """
        works = np.flatnonzero(self.beliefs.works)
        hard = np.exp(hardness[:, works] / SOFTNESS)
        gain = np.where(fit.pick >= 0, fit.gain, -np.inf)[:, works]
        source, slot = np.nonzero(gain > -np.log(SUREST / (1 - SUREST)))
        heard, gain = hard[source, slot], gain[source, slot]
        parts = np.arange(0, len(works), _PRODUCT)
        total = np.zeros((len(hardness), len(SIZES)))
        for column, ease in enumerate(np.exp(-SIZES / SOFTNESS)):
            if len(works):
                odds = hard * ease
                missed = (1 - SUREST + odds) / (1 + odds)
                total[:, column] = np.log(np.multiply.reduceat(missed, parts, axis=1)).sum(1)
            added = gain + np.log(SUREST / (1 - SUREST + heard * ease))
            total[:, column] += np.bincount(source, np.maximum(added, 0), len(hardness))
        return SIZES[np.argmax(total, axis=1)]

    def net_gain(self, hardness: Array, size: Array, fit: Fit) -> tuple[Array, Array]:
        """What each slot's pick adds over its being missed, and what all missed slots cost."""
        chance = self.heard(hardness, size)
        missed = np.log1p(-chance)
        with np.errstate(divide="ignore"):
            gain = np.where(fit.pick >= 0, np.log(chance) + fit.gain - missed, -np.inf)
        return gain, missed.sum(1)

    def log_odds(
        self, place_m: Array, gain: Array, missed: Array, hessian: Array, *, known: bool
    ) -> Float64[Array, " source"]:
        """Of sources with what their picks add; `known` where `so_far` holds them already."""
        density = np.maximum(
            self.so_far.log_density(place_m, self.network, without_self=known),
            self.beliefs.known.log_density(place_m, self.network)
            if len(self.beliefs.known.east_m)
            else -np.inf,
        )
        volume = 2 * np.log(2 * np.pi) - 0.5 * np.linalg.slogdet(hessian)[1]
        return np.maximum(gain, 0.0).sum(1) + missed + density + volume

    def step(
        self, place_m: Array, time_s: Array, pick: Array, used: Bool[Array, "source slot"],
        blur_s: float = 0.0,
    ) -> tuple[Array, Array, Array]:  # fmt: skip
        """One step of reweighted least squares: place, time, and the Hessian before it."""
        distance_m, travel_s = self.arrivals(place_m)
        slopes = self.network.slopes(place_m, distance_m, travel_s - self.beliefs.term_s)
        number = np.maximum(pick, 0)
        residual_s = np.where(used, self.table.time_s[number] - time_s[:, None] - travel_s, 0.0)
        scale_s = self.scale_s(number, travel_s, blur_s)
        weight = (FREEDOM + 1) / (FREEDOM + (residual_s / scale_s) ** 2) / scale_s**2 * used
        design = np.concatenate([slopes, np.ones((*travel_s.shape, 1))], axis=2)
        weighted = design * weight[:, :, None]
        hessian: Array = np.einsum("eki,ekj->eij", weighted, design) + self._prior()
        downhill: Array = np.einsum("eki,ek->ei", weighted, residual_s)
        damped = hessian + 1e-3 * hessian * np.eye(4)
        move = np.asarray(np.linalg.solve(damped, downhill[..., None]))[..., 0]
        part = np.minimum(1.0, _LARGEST_STEP_M / np.maximum(np.abs(move[:, :3]), 1.0)).min(axis=1)
        moved_m: Array = np.clip(
            place_m + move[:, :3] * part[:, None], self.network.low_m, self.network.high_m
        )
        return moved_m, time_s + move[:, 3] * part, hessian

    def _prior(self) -> Float64[Array, "4 4"]:
        """Hessian of even distributions over the volume and the time."""
        widths = np.append(self.network.high_m - self.network.low_m, self.table.span_s)
        return np.diag(12 / widths**2)

    def _silent(self, time_s: Array) -> Bool[Array, "source slot"]:
        """Whether a slot's station is long without any pick at a time."""
        gap_s = self.table.pauses_s(time_s)
        return np.repeat(gap_s > SILENCE * self.beliefs.interval_s, 2, axis=1)


def attenuation(distance_m: Array) -> Array:
    """Units of magnitude by which a source must be larger than one at 10 km."""
    return 2 * np.log10(np.maximum(distance_m, _NEAREST_M) / _REFERENCE_M)


def _background(table: PickTable, free: Bool[Array, " pick"]) -> Float64[Array, " pick"]:
    """Rate of picks that no source owns around each pick, drawn to the mean of its slot."""
    rate = np.empty(len(table))
    for slot in np.flatnonzero(table.counts):
        mine = np.flatnonzero(table.slot == slot)
        times, loose = table.time_s[mine], free[mine]
        others = times[loose]
        mean = (len(others) + 1) / table.span_s
        near = np.searchsorted(others, times + WIDE_S) - np.searchsorted(others, times - WIDE_S)
        rate[mine] = (near - loose + mean * LONG_S) / (2 * WIDE_S + LONG_S)
    return rate
