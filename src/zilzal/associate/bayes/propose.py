"""Places and times at which a source would explain many picks: stacking over a grid."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float32, Float64, Int32, Int64

from zilzal.associate.bayes.beliefs import Beliefs
from zilzal.associate.bayes.model import SOFTNESS, SUREST, Scene, attenuation
from zilzal.associate.bayes.network import Network
from zilzal.core.arrays import Array

BIN_S = 0.4
"""Step of trial origin times."""
BLOCK_S = 300.0
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
LARGEST_PART = 2_000_000
"""Nodes times slots that are looked at together."""
_SLACK = 1.1
_APART = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Nodes:
    """Cells that the volume is divided into: small near stations, large away from them.

    What slots have to do with them is kept for pairs of which there is hope only, in order of slot:
    all pairs of a network of a thousand stations would not fit into memory.

    Args:
        place_m: their middles.
        half_m: half of their widths.
        sizes: by class, of a source that as many stations hear as the class wants.
        node: of each pair.
        slot: of each pair.
        hardness: size from which on a source at the node is heard in half of the cases.
        time_s: travel time, without terms.
    """

    place_m: Float64[Array, "node 3"]
    half_m: Float64[Array, " node"]
    sizes: tuple[Float64[Array, " node"], ...]
    node: Int32[Array, " pair"]
    slot: Int32[Array, " pair"]
    hardness: Float32[Array, " pair"]
    time_s: Float32[Array, " pair"]


@lru_cache(maxsize=2)
def nodes_of(network: Network) -> Nodes:
    """The nodes of a network; the same object for the same network."""
    rows = np.array(list(_cells(network)))
    place_m, half_m = rows[:, :3], rows[:, 3] / 2
    at_once = max(64, LARGEST_PART // network.n_slots)
    parts = [
        _pairs(network, place_m[first : first + at_once], first)
        for first in range(0, len(place_m), at_once)
    ]
    sizes, pairs = (list(zip(*each, strict=True)) for each in zip(*parts, strict=True))
    node, slot, hardness, time_s = (np.concatenate(each) for each in pairs)
    order = np.argsort(slot, kind="stable")
    return Nodes(
        place_m=place_m,
        half_m=half_m,
        sizes=tuple(np.concatenate(each) for each in sizes),
        node=node[order],
        slot=slot[order],
        hardness=hardness[order],
        time_s=time_s[order],
    )


def _pairs(
    network: Network, place_m: Float64[Array, "node 3"], first: int
) -> tuple[tuple[Array, ...], tuple[Array, Array, Array, Array]]:
    """Sizes of some nodes by class; node, slot, hardness and time of the pairs kept."""
    distance_m = network.distances_m(place_m)
    hardness = attenuation(np.hypot(distance_m, place_m[:, 2:]))
    by_ease = np.sort(hardness, axis=1)
    n_stations = len(network.stations)
    sizes = tuple(by_ease[:, min(k, n_stations) - 1] + 0.2 for k in _classes(n_stations))
    time_s = network.times_s(distance_m, place_m[:, 2])
    node, station = np.nonzero(_chance(sizes[-1][:, None], hardness) > _LEAST_HOPE)
    node, slot = np.repeat(node, 2).astype(np.int32), np.repeat(2 * station, 2).astype(np.int32)
    slot[1::2] += 1
    return sizes, (
        node + np.int32(first),
        slot,
        hardness[node, slot // 2].astype(np.float32),
        time_s[node, slot].astype(np.float32),
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
class _Reach:
    """What a pick of a slot adds to nodes near enough to be heard there.

    Args:
        node: numbers.
        weight: log p - log(1 - p).
        time_s: travel times with the slot's term.
        bins: in how many trial times a pick fits a node.
        log_width_s: logarithm of the time that these cover.
    """

    node: Int64[Array, " node"]
    weight: Float32[Array, " node"]
    time_s: Float32[Array, " node"]
    bins: Int64[Array, " node"]
    log_width_s: Float32[Array, " node"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stack:
    """Tables that proposals are made with; they depend on beliefs and not on picks.

    Args:
        nodes: of the network.
        reaches: by class of size, then slot.
        missed: what all slots cost that hear nothing, by class of size.
    """

    nodes: Nodes
    reaches: tuple[tuple[_Reach, ...], ...]
    missed: tuple[Float32[Array, " node"], ...]


def stack_of(network: Network, beliefs: Beliefs) -> Stack:
    """The tables of a network under some beliefs; the same for the same terms and deafness."""
    works = np.asarray(beliefs.works, bool)
    return _stack_of(network, beliefs.term_s.tobytes(), beliefs.deafness.tobytes(), works.tobytes())


@lru_cache(maxsize=2)
def _stack_of(network: Network, term: bytes, deafness: bytes, works: bytes) -> Stack:
    term_s, deaf = np.frombuffer(term), np.frombuffer(deafness)
    can_hear = np.frombuffer(works, bool)
    nodes = nodes_of(network)
    ends = np.searchsorted(nodes.slot, np.arange(network.n_slots + 1))
    hard = nodes.hardness + deaf[nodes.slot]
    reaches: list[tuple[_Reach, ...]] = []
    missed: list[Array] = []
    for size in nodes.sizes:
        chance = _chance(size[nodes.node], hard) * can_hear[nodes.slot]
        cost = np.bincount(nodes.node, np.log1p(-chance), minlength=len(nodes.half_m))
        missed.append(cost.astype(np.float32))
        reaches.append(
            tuple(
                _reach(nodes, slice(ends[k], ends[k + 1]), chance, slot=k, term_s=term_s[k])
                for k in range(network.n_slots)
            )
        )
    return Stack(nodes=nodes, reaches=tuple(reaches), missed=tuple(missed))


def _chance(size: Array, hardness: Array) -> Array:
    return SUREST / (1 + np.exp(-(size - hardness) / SOFTNESS))


def _reach(nodes: Nodes, part: slice, chance: Array, *, slot: int, term_s: float) -> _Reach:
    near = np.flatnonzero(chance[part] > _LEAST_CHANCE) + part.start
    heard, node = chance[near], nodes.node[near]
    across_s = 2 * _SLACK * nodes.half_m[node] / SLOWEST_M_PER_S[slot % 2]
    bins = np.maximum(1, 2 * (across_s / BIN_S).astype(np.int64) + 1)
    return _Reach(
        node=node,
        weight=(np.log(heard) - np.log1p(-heard)).astype(np.float32),
        time_s=(nodes.time_s[near] + term_s).astype(np.float32),
        bins=bins,
        log_width_s=np.log(bins * BIN_S).astype(np.float32),
    )


def propose(
    scene: Scene, stack: Stack, price: Float64[Array, " pick"]
) -> tuple[Float64[Array, "source 3"], Float64[Array, " source"]]:
    """Places and times that look like sources, the likeliest first.

    Args:
        scene: of the picks.
        stack: of the network.
        price: of picks that have a source.
    """
    table = scene.table
    worth = (scene.mark - scene.log_rate - price).astype(np.float32)
    order = np.argsort(table.time_s, kind="stable")
    order = order[worth[order] > np.log(BIN_S) + 0.5]
    times_s = table.time_s[order]
    longest_s = float(stack.nodes.time_s.max())
    widest = max((int(r.bins.max(initial=1)) for each in stack.reaches for r in each), default=1)
    pad = widest + _APART
    found: list[tuple[float, int, float]] = []
    start_s = -longest_s
    while start_s < table.span_s:
        end_s = start_s + BLOCK_S + longest_s + pad * BIN_S
        picks = order[slice(*np.searchsorted(times_s, (start_s - pad * BIN_S, end_s)))]
        if len(picks) >= FEWEST:
            found += _block(scene, stack, picks, worth, start_s=start_s, pad=pad)
        start_s += BLOCK_S
    found.sort(key=lambda each: (-each[0], each[2]))
    place_m = stack.nodes.place_m[[node for _, node, _ in found]].reshape(-1, 3)
    return place_m, np.array([time_s for _, _, time_s in found])


def _block(
    scene: Scene, stack: Stack, picks: Array, worth: Array, *, start_s: float, pad: int
) -> list[tuple[float, int, float]]:
    """Log odds, node and time of the peaks of one block's stack."""
    n_nodes, n_bins = len(stack.nodes.half_m), int(np.ceil(BLOCK_S / BIN_S)) + 2 * pad
    best, node = np.full(n_bins, -np.inf, np.float32), np.zeros(n_bins, int)
    for reaches, missed in zip(stack.reaches, stack.missed, strict=True):
        steps = np.zeros(n_nodes * n_bins, np.float32)
        for pick in picks.tolist():
            reach = reaches[scene.table.slot[pick]]
            first = (scene.table.time_s[pick] - start_s) / BIN_S + pad - reach.time_s / BIN_S
            first = first.astype(np.int64) - reach.bins // 2
            inside = (first >= 0) & (first < n_bins - reach.bins)
            at = (reach.node.astype(np.int64) * n_bins + first)[inside]
            adds = np.maximum(reach.weight + worth[pick] - reach.log_width_s, 0)[inside]
            steps[at] += adds
            steps[at + reach.bins[inside]] -= adds
        odds = steps.reshape(n_nodes, n_bins)
        np.cumsum(odds, axis=1, out=odds)
        odds += missed[:, None]
        highest = odds.max(axis=0)
        better = np.flatnonzero(highest > best)
        best[better], node[better] = highest[better], odds[:, better].argmax(axis=0)
    best[:pad] = best[-pad:] = -np.inf
    return list(_peaks(best, node, start_s - pad * BIN_S))


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
