"""Places and times at which a source would explain many picks: stacking over a grid."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from threading import Lock

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32, Int64

from zilzal.associate.bayes.beliefs import Beliefs
from zilzal.associate.bayes.model import SOFTNESS, SUREST, Scene, attenuation
from zilzal.associate.bayes.network import PHASES, Network
from zilzal.core.arrays import Array
from zilzal.locate.frame import arc_lengths_m, surface_points_m

BIN_S = 0.4
"""Step of trial origin times."""
BLOCK_S = 150.0
"""Trial times that are looked at together, which bounds memory."""
HEARERS = (3, 6, 12)
"""Sizes that are tried at each node: such that so many stations are near enough."""
FEWEST = 4
"""Picks without which a stretch of time is not looked at."""
LEAST_ODDS = 2.0
"""Log odds from which on a node and time are worth a closer look."""
SLOWEST_M_PER_S = (6_000.0, 3_500.0)
"""Speeds of P and S by which the width of a node is turned into time."""
FINEST_M, COARSEST_M, LARGEST_NODE_M = 1_000.0, 6_000.0, 24_000.0
FINENESS = 0.35
"""Width of the smallest node, as a share of the distance between stations."""
GROWTH = 0.7
"""Width of a node away from the stations, as a share of the distance to the nearest."""
FLATNESS, CROWDING = 2.0, 1.5
"""Height of a node over its width; and how nodes crowd towards the surface."""
MOST_NODES = 30_000
"""Among the stations, about: in a large network nodes are wider, so that they fit into memory."""
_LEAST_CHANCE, _LEAST_HOPE = 0.05, 0.04
LARGEST_PART = 1_000_000
"""Nodes times stations that are looked at together."""
_UNITS = 2.0**24
"""Whole numbers to a unit of log odds."""
_FARTHEST = SUREST / _LEAST_CHANCE - 1
_SLACK = 1.1
_APART = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Nodes:
    """Cells that the volume is divided into: small near stations, large away from them.

    What stations have to do with them is kept for pairs of which there is hope only, in order of
    station: all pairs of a network of a thousand stations would not fit into memory.

    Args:
        place_m: their middles.
        half_m: half of their widths.
        sizes: by class, of a source that as many stations hear as the class wants.
        ease: exp(-m / w) of these, see `model`.
        bins: by phase, in how many trial times a pick fits a node.
        log_width_s: by phase, logarithm of the time that these cover.
        ends: station k has the pairs from number ends[k] on, up to ends[k + 1].
        node: of each pair.
        hard: exp(a / w), see `model`: how hard it is for the station to hear a source there.
        time_s: by phase, travel times, without terms.
    """

    place_m: Float64[Array, "node 3"]
    half_m: Float64[Array, " node"]
    sizes: tuple[Float64[Array, " node"], ...]
    ease: tuple[Float32[Array, " node"], ...]
    bins: Int32[Array, "2 node"]
    log_width_s: Float32[Array, "2 node"]
    ends: Int64[Array, " station+1"]
    node: Int32[Array, " pair"]
    hard: Float32[Array, " pair"]
    time_s: Float32[Array, "2 pair"]

    def of_station(self, station: int) -> slice:
        """Its pairs."""
        return slice(int(self.ends[station]), int(self.ends[station + 1]))


@lru_cache(maxsize=2)
def nodes_of(network: Network) -> Nodes:
    """The nodes of a network; the same object for the same network."""
    rows = np.array(list(_cells(network)))
    place_m, half_m = rows[:, :3], rows[:, 3] / 2
    sizes = _sizes(network, place_m)
    points_m = surface_points_m(*network.frame.place(place_m[:, 0], place_m[:, 1]))
    parts = [
        _near(network, station, place_m[:, 2], points_m, sizes[-1])
        for station in range(len(network.stations))
    ]
    across_s = 2 * _SLACK * half_m / np.array(SLOWEST_M_PER_S)[:, None]
    bins = np.maximum(1, 2 * (across_s / BIN_S).astype(np.int32) + 1)
    node, hard, time_s = (np.concatenate(each, axis=-1) for each in zip(*parts, strict=True))
    return Nodes(
        place_m=place_m,
        half_m=half_m,
        sizes=sizes,
        ease=tuple(np.exp(-size / SOFTNESS).astype(np.float32) for size in sizes),
        bins=bins,
        log_width_s=np.log(bins * BIN_S).astype(np.float32),
        ends=np.cumsum([0, *(len(part[0]) for part in parts)]),
        node=node,
        hard=hard,
        time_s=time_s,
    )


def _sizes(network: Network, place_m: Float64[Array, "node 3"]) -> tuple[Array, ...]:
    """By class, the size that as many stations hear as the class wants."""
    n_stations = len(network.stations)
    at_once = max(64, LARGEST_PART // n_stations)
    wanted = [min(k, n_stations) - 1 for k in _classes(n_stations)]
    parts: list[Array] = []
    for first in range(0, len(place_m), at_once):
        part = place_m[first : first + at_once]
        away_m = np.hypot(network.distances_m(part), part[:, 2:])
        parts.append(attenuation(np.partition(away_m, wanted, axis=1)[:, wanted]) + 0.2)
    return tuple(np.concatenate(parts).T)


def _near(
    network: Network, station: int, depth_m: Array, points_m: Array, largest: Array
) -> tuple[Array, Array, Array]:
    """The nodes whose largest source a station may hear, how hard it is, and travel times."""
    distance_m = arc_lengths_m(network.points_m[:, station : station + 1], points_m)
    hardness = attenuation(np.hypot(distance_m[0], depth_m))
    node = np.flatnonzero(_chance(largest, hardness) > _LEAST_HOPE)
    elevation_m = network.elevation_m[station : station + 1]
    within_m = np.minimum(distance_m[:, node], network.travel.max_distance_m)
    times_s = [
        network.travel.times_at_s(phase, elevation_m, within_m, depth_m[node])[0]
        for phase in PHASES
    ]
    return (
        node.astype(np.int32),
        np.exp(hardness[node] / SOFTNESS).astype(np.float32),
        np.stack(times_s).astype(np.float32),
    )


def _classes(n_stations: int) -> list[int]:
    """Of `HEARERS` those that a network has stations for; the first in any case."""
    return [wanted for n, wanted in enumerate(HEARERS) if n == 0 or wanted <= n_stations]


def _cells(network: Network) -> Iterator[tuple[float, float, float, float]]:
    """Middle and width of each node, by halving squares until they are small enough."""
    low_m, high_m = network.low_m, network.high_m
    finest_m = float(np.clip(FINENESS * network.between_m, FINEST_M, COARSEST_M))
    covered_m2 = float(np.ptp(network.east_m) * np.ptp(network.north_m))
    finest_m = max(finest_m, np.cbrt(covered_m2 * network.thickness_m / FLATNESS / MOST_NODES))
    widest_m = float((high_m - low_m)[:2].max())
    middle_m = (low_m + high_m) / 2
    root_m = finest_m * 2 ** np.ceil(np.log2(widest_m / finest_m))
    left = [(float(middle_m[0]), float(middle_m[1]), float(root_m))]
    while left:
        east_m, north_m, width_m = left.pop()
        half_m = width_m / 2
        place = np.array([east_m, north_m])
        if np.any(place + half_m <= low_m[:2]) or np.any(place - half_m >= high_m[:2]):
            continue
        outside_m = [
            np.maximum(np.abs(stations_m - at_m) - half_m, 0)
            for stations_m, at_m in ((network.east_m, east_m), (network.north_m, north_m))
        ]
        nearest_m = float(np.hypot(*outside_m).min())
        allowed_m = min(GROWTH * max(nearest_m, finest_m), LARGEST_NODE_M)
        if width_m > 1.01 * finest_m and width_m > allowed_m:
            quarter_m = width_m / 4
            left += [
                (east_m + i * quarter_m, north_m + j * quarter_m, half_m)
                for i in (-1, 1) for j in (-1, 1)
            ]  # fmt: skip
            continue
        inside_m = np.clip(place, low_m[:2], high_m[:2])
        layers = max(1, round(network.thickness_m / (FLATNESS * width_m)))
        for layer in range(layers):
            depth_m = low_m[2] + network.thickness_m * ((layer + 0.5) / layers) ** CROWDING
            yield float(inside_m[0]), float(inside_m[1]), float(depth_m), width_m


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stack:
    """What proposals are made with; it depends on beliefs and not on picks.

    Args:
        nodes: of the network.
        beliefs: about it.
        missed: what all slots cost that hear nothing, by class of size.
    """

    nodes: Nodes
    beliefs: Beliefs
    missed: tuple[Float32[Array, " node"], ...]


def stack_of(network: Network, beliefs: Beliefs) -> Stack:
    """The stack of a network under some beliefs."""
    silence = _silence_of(network, beliefs.deafness.tobytes())
    missed = silence.cost(np.asarray(beliefs.works, bool))
    return Stack(nodes=nodes_of(network), beliefs=beliefs, missed=missed)


@dataclass(slots=True, eq=False)
class _Silence:
    """What slots that hear nothing cost a node, added up; a cache and no more.

    Which slots work changes with every pick where nothing was learned. So the sums are kept, and
    only slots that begin or cease to work are counted anew: in whole numbers, so that a sum does
    not depend on how it came about.
    """

    nodes: Nodes
    deafness: Float64[Array, " slot"]
    works: Bool[Array, " slot"]
    sums: Int64[Array, "class node"]
    lock: Lock = field(default_factory=Lock)

    def cost(self, works: Bool[Array, " slot"]) -> tuple[Float32[Array, " node"], ...]:
        """By class of size, of the slots that work."""
        with self.lock:
            for slot in np.flatnonzero(works != self.works).tolist():
                pairs = self.nodes.of_station(slot // 2)
                node, hard = self.nodes.node[pairs], self.nodes.hard[pairs]
                hard = hard * np.exp(self.deafness[slot] / SOFTNESS)
                for sums, ease in zip(self.sums, self.nodes.ease, strict=True):
                    cost = np.log1p(-SUREST / (1 + hard * ease[node]))
                    # A station has one pair with a node: no number comes twice.
                    sums[node] += np.rint((cost if works[slot] else -cost) * _UNITS).astype(int)
            self.works = works.copy()
            return tuple((sums / _UNITS).astype(np.float32) for sums in self.sums)


@lru_cache(maxsize=2)
def _silence_of(network: Network, deafness: bytes) -> _Silence:
    nodes = nodes_of(network)
    return _Silence(
        nodes,
        np.frombuffer(deafness),
        np.zeros(network.n_slots, bool),
        np.zeros((len(nodes.sizes), len(nodes.half_m)), np.int64),
    )


def _chance(size: Array, hardness: Array) -> Array:
    return SUREST / (1 + np.exp(-(size - hardness) / SOFTNESS))


def propose(
    scene: Scene, stack: Stack, price: Float64[Array, " pick"], *, since_s: float = -np.inf
) -> tuple[Float64[Array, "source 3"], Float64[Array, " source"]]:
    """Places and times that look like sources, the likeliest first.

    Args:
        scene: of the picks.
        stack: of the network.
        price: of picks that have a source.
        since_s: sources before it are not proposed.
    """
    table, nodes = scene.table, stack.nodes
    worth = (scene.mark - scene.log_rate - price).astype(np.float32)
    order = np.argsort(table.time_s, kind="stable")
    is_of_use = (worth > np.log(BIN_S) + 0.5) & stack.beliefs.works[table.slot]
    order = order[is_of_use[order]]
    times_s = table.time_s[order]
    longest_s = float(nodes.time_s.max(initial=0.0))
    pad = int(nodes.bins.max()) + _APART
    found: list[tuple[float, int, float]] = []
    start_s = max(-longest_s, since_s)
    while start_s < table.span_s:
        end_s = start_s + BLOCK_S + longest_s + pad * BIN_S
        picks = order[slice(*np.searchsorted(times_s, (start_s - pad * BIN_S, end_s)))]
        if len(picks) >= FEWEST:
            found += _block(scene, stack, picks, worth, start_s=start_s, pad=pad)
        start_s += BLOCK_S
    found.sort(key=lambda each: (-each[0], each[2]))
    place_m = nodes.place_m[[node for _, node, _ in found]].reshape(-1, 3)
    return place_m, np.array([time_s for _, _, time_s in found])


def _block(
    scene: Scene, stack: Stack, picks: Array, worth: Array, *, start_s: float, pad: int
) -> list[tuple[float, int, float]]:
    """Log odds, node and time of the peaks of one block's stack."""
    nodes = stack.nodes
    n_nodes, n_bins = len(nodes.half_m), int(np.ceil(BLOCK_S / BIN_S)) + 2 * pad
    best, node = np.full(n_bins, -np.inf, np.float32), np.zeros(n_bins, int)
    begin_s = start_s - pad * BIN_S
    fits = [
        _fits(scene, stack, pick, worth=float(worth[pick]), begin_s=begin_s, n_bins=n_bins)
        for pick in picks.tolist()
    ]
    # One class after the other: in a large network the steps take much memory.
    for ease, missed in zip(nodes.ease, stack.missed, strict=True):
        steps = np.zeros(n_bins * n_nodes, np.float32)
        for each in fits:
            each.add_to(steps, ease)
        fit = np.zeros(n_nodes, np.float32)
        for at, step in enumerate(steps.reshape(n_bins, n_nodes)):
            fit += step
            odds = fit + missed
            likeliest = int(odds.argmax())
            if odds[likeliest] > best[at]:
                best[at], node[at] = odds[likeliest], likeliest
    best[:pad] = best[-pad:] = -np.inf
    return list(_peaks(best, node, begin_s))


@dataclass(frozen=True, slots=True, eq=False)
class _Fits:
    """The nodes near enough to a pick's station, and when sources there fit the pick.

    Args:
        node: their numbers.
        hard: how hard it is for the station to hear a source there, see `Nodes`.
        gain: log odds that the pick adds to a source, but for those of being heard.
        begin: bin and node, as one number, where it begins to fit.
        end: where it ends.
    """

    node: Int32[Array, " near"]
    hard: Float32[Array, " near"]
    gain: Float32[Array, " near"]
    begin: Int64[Array, " near"]
    end: Int64[Array, " near"]

    def add_to(self, steps: Float32[Array, " step"], ease: Float32[Array, " node"]) -> None:
        """Note where it begins and ends to fit sources of a class of size.

        Args:
            steps: by bin of trial times, then node; changed.
            ease: of the class, see `Nodes`.
        """
        odds = self.hard * ease.take(self.node)
        near = np.flatnonzero(odds < _FARTHEST)
        # The logarithm of p / (1 - p), p being SUREST / (1 + odds).
        chance = np.log((1 - SUREST) / SUREST + odds.take(near) / np.float32(SUREST))
        adds = np.maximum(self.gain.take(near) - chance, 0)
        steps[self.begin.take(near)] += adds
        steps[self.end.take(near)] -= adds


def _fits(
    scene: Scene, stack: Stack, pick: int, *, worth: float, begin_s: float, n_bins: int
) -> _Fits:
    """Where a pick fits sources.

    Args:
        scene: of the pick.
        stack: of the network.
        pick: its number.
        worth: log odds that it adds to a source, but for those of being heard.
        begin_s: of the first bin.
        n_bins: that are looked at.
    """
    nodes, slot = stack.nodes, int(scene.table.slot[pick])
    pairs, phase, n_nodes = nodes.of_station(slot // 2), slot % 2, len(nodes.half_m)
    after_s = scene.table.time_s[pick] - stack.beliefs.term_s[slot] - begin_s
    node, bins = nodes.node[pairs], nodes.bins[phase].take(nodes.node[pairs])
    first = ((after_s - nodes.time_s[phase, pairs]) / BIN_S).astype(np.int32) - bins // 2
    inside = np.flatnonzero((first >= 0) & (first < n_bins - bins))
    node = node.take(inside)
    hard = nodes.hard[pairs].take(inside)
    hard *= np.float32(np.exp(stack.beliefs.deafness[slot] / SOFTNESS))
    begin = first.take(inside).astype(np.int64) * n_nodes + node
    return _Fits(
        node=node,
        hard=hard,
        gain=worth - nodes.log_width_s[phase].take(node),
        begin=begin,
        end=begin + bins.take(inside).astype(np.int64) * n_nodes,
    )


def _peaks(
    best: Float32[Array, " bin"], node: Int64[Array, " bin"], start_s: float
) -> Iterator[tuple[float, int, float]]:
    """The highest bin, then the highest that is not next to it, and so on."""
    while True:
        at = int(np.argmax(best))
        if best[at] < LEAST_ODDS:
            return
        yield float(best[at]), int(node[at]), start_s + (at + 0.5) * BIN_S
        best[max(0, at - _APART) : at + _APART + 1] = -np.inf
