"""Sources compete for picks until none wants another's."""

# SciPy carries no types.
# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from zilzal.associate.bayes.model import Fit, Scene, Sources, no_sources
from zilzal.associate.bayes.propose import Stack, propose
from zilzal.associate.search import LEAST_STATIONS
from zilzal.core.arrays import Array

BLURS_S = (0.6, 0.6, 0.4, 0.3, 0.2, 0.1, 0.05, 0.0, 0.0, 0.0)
"""Scale that is added to residuals while a rough place is improved."""
LARGEST_TABLE, FEWEST_ROWS = 400_000, 16
"""Proposals times slots that are improved at once, which bounds memory in large networks."""
YET_TO_COME = 2
"""Picks that a proposal may win on its way to where it fits best; no source of the
scenes dense100 and small (seed 5) of benchmarks/association.py won more after its first step."""
SWEEPS = 6
STEPS = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Contest:
    """Sources and what they own.

    Args:
        sources: so far.
        owner: source of each pick; -1 for none.
        price: log odds that its source would lose without a pick; 0 for free ones.
    """

    sources: Sources
    owner: Int64[Array, " pick"]
    price: Float64[Array, " pick"]

    def only(self, alive: Array) -> Contest:
        """Without the sources that are not alive; their picks are free."""
        number = np.cumsum(alive) - 1
        loose = (self.owner < 0) | ~alive[self.owner]
        return Contest(
            sources=self.sources.of(alive),
            owner=np.where(loose, -1, number[self.owner]),
            price=np.where(loose, 0.0, self.price),
        )


def no_contest(n_picks: int) -> Contest:
    """Without sources."""
    return Contest(sources=no_sources(), owner=np.full(n_picks, -1), price=np.zeros(n_picks))


def bear(
    scene: Scene,
    stack: Stack,
    contest: Contest,
    least_picks: int,
    *,
    since_s: float = -np.inf,
) -> Sources:
    """New sources that would live even if they had to pay for picks that others own.

    Args:
        scene: of the picks.
        stack: of the network.
        contest: so far.
        least_picks: of a source.
        since_s: sources before it are not looked for.
    """
    place_m, time_s = propose(scene, stack, contest.price, since_s=since_s)
    rows = max(FEWEST_ROWS, LARGEST_TABLE // scene.table.n_slots)
    born, claims = no_sources(), list[Array]()
    for first in range(0, len(time_s), rows):
        part = slice(first, first + rows)
        sources, mine = _improved_births(
            scene, place_m[part], time_s[part], contest.price, least_picks
        )
        born, claims = born.joined(sources), [*claims, *mine]
    taken = np.zeros(len(scene.table), bool)
    chosen: list[int] = []
    for each in np.lexsort((born.time_s, -born.log_odds)).tolist():
        if not taken[claims[each]].any():
            taken[claims[each]] = True
            chosen.append(each)
    return born.of(np.array(chosen, int))


def _improved_births(
    scene: Scene, place_m: Array, time_s: Array, price: Array, least_picks: int
) -> tuple[Sources, list[Array]]:
    """Proposals moved to where they fit best: those with even odds, and the picks they want."""
    for number, blur_s in enumerate(BLURS_S):
        hardness, size, fit, gain = _fitted(scene, place_m, time_s, price, blur_s)
        used, pick = gain > 0, fit.pick
        if number:
            hopeful = used.sum(1) >= least_picks - YET_TO_COME
            place_m, time_s, pick, used = (x[hopeful] for x in (place_m, time_s, pick, used))
            if len(time_s) == 0:
                return no_sources(), []
        place_m, time_s, _ = scene.step(place_m, time_s, pick, used, blur_s)
    hardness, size, fit, gain = _fitted(scene, place_m, time_s, price, 0.0)
    used = gain > 0
    _, _, hessian = scene.step(place_m, time_s, fit.pick, used)
    missed = scene.net_gain(hardness, size, fit)[1]
    log_odds = scene.log_odds(place_m, gain, missed, hessian, known=False)
    good = np.flatnonzero((log_odds > 0) & _is_enough(used, least_picks))
    born = Sources(place_m=place_m, time_s=time_s, size=size, log_odds=log_odds)
    return born.of(good), [fit.pick[each][used[each]] for each in good.tolist()]


def _fitted(
    scene: Scene, place_m: Array, time_s: Array, price: Array, blur_s: float
) -> tuple[Array, Array, Fit, Array]:
    """Hardness, best size, best fit, and each slot's net gain."""
    distance_m, fit = scene.best_fit(place_m, time_s, price, blur_s)
    hardness = scene.hardness(distance_m, place_m[:, 2], time_s)
    size = scene.best_size(hardness, fit)
    return hardness, size, fit, scene.net_gain(hardness, size, fit)[0]


def compete(scene: Scene, contest: Contest, least_picks: int) -> Contest:
    """Share the picks out anew, improve the sources, drop those that are not worth it, repeat.

    Args:
        scene: of the picks.
        contest: with all sources that may live.
        least_picks: of a source.
    """
    for _ in range(SWEEPS):
        if len(contest.sources) == 0:
            return contest
        shared = _share_out(scene, contest)
        moved = _improved(scene, shared)
        settled, used = _judged(scene, moved)
        alive = (settled.sources.log_odds > 0) & _is_enough(used, least_picks)
        same = bool(np.array_equal(shared.owner, contest.owner))
        contest = settled.only(alive)
        if alive.all() and same:
            return contest
    return contest


def _share_out(scene: Scene, contest: Contest) -> Contest:
    """Each pick to one source, each slot of a source one pick, the sum of gains the largest."""
    sources, table = contest.sources, scene.table
    distance_m, travel_s = scene.arrivals(sources.place_m)
    expected_s = sources.time_s[:, None] + travel_s
    hardness = scene.hardness(distance_m, sources.place_m[:, 2], sources.time_s)
    claims: list[tuple[Array, Array, Array]] = []
    for each in table.neighbours(expected_s):
        pick = np.maximum(each, 0)
        scale_s = scene.scale_s(pick, travel_s)
        gain = scene.pick_gain(pick, table.time_s[pick] - expected_s, scale_s)
        fit = Fit(pick=each, gain=np.where(each >= 0, gain, -np.inf))
        net = scene.net_gain(hardness, sources.size, fit)[0]
        source, slot = np.nonzero(net > 0)
        claims.append((source, pick[source, slot], net[source, slot]))
    source, pick, net = (np.concatenate(each) for each in zip(*claims, strict=True))
    won = assign(source, pick, net, table.slot)
    owner, price = np.full(len(table), -1), np.zeros(len(table))
    owner[pick[won]], price[pick[won]] = source[won], net[won]
    return Contest(sources=sources, owner=owner, price=price)


def _owned(scene: Scene, contest: Contest) -> Int64[Array, "source slot"]:
    """The pick of each source and slot."""
    pick = np.full((len(contest.sources), scene.table.n_slots), -1)
    mine = np.flatnonzero(contest.owner >= 0)
    pick[contest.owner[mine], scene.table.slot[mine]] = mine
    return pick


def _improved(scene: Scene, contest: Contest) -> Contest:
    """Sources moved to where their picks fit best."""
    pick, sources = _owned(scene, contest), contest.sources
    place_m, time_s = sources.place_m, sources.time_s
    for _ in range(STEPS):
        place_m, time_s, _ = scene.step(place_m, time_s, pick, pick >= 0)
    moved = Sources(place_m=place_m, time_s=time_s, size=sources.size, log_odds=sources.log_odds)
    return Contest(sources=moved, owner=contest.owner, price=contest.price)


def _judged(scene: Scene, contest: Contest) -> tuple[Contest, Array]:
    """Sizes, odds and prices for the picks that sources own, and which slots they own."""
    sources, table = contest.sources, scene.table
    pick = _owned(scene, contest)
    used, number = pick >= 0, np.maximum(pick, 0)
    distance_m, travel_s = scene.arrivals(sources.place_m)
    residual_s = table.time_s[number] - sources.time_s[:, None] - travel_s
    gain = scene.pick_gain(number, residual_s, scene.scale_s(number, travel_s))
    fit = Fit(pick=pick, gain=np.where(used, gain, -np.inf))
    hardness = scene.hardness(distance_m, sources.place_m[:, 2], sources.time_s)
    size = scene.best_size(hardness, fit)
    net, missed = scene.net_gain(hardness, size, fit)
    _, _, hessian = scene.step(sources.place_m, sources.time_s, pick, used)
    odds = scene.log_odds(sources.place_m, net, missed, hessian, known=True)
    mine = np.flatnonzero(contest.owner >= 0)
    price = np.zeros(len(table))
    price[mine] = np.maximum(net[contest.owner[mine], table.slot[mine]], 0.0)
    judged = Sources(place_m=sources.place_m, time_s=sources.time_s, size=size, log_odds=odds)
    return Contest(sources=judged, owner=contest.owner, price=price), used


def _is_enough(used: Array, least_picks: int) -> Array:
    """Whether sources have picks and stations enough to be contradicted."""
    stations = (used[:, ::2] | used[:, 1::2]).sum(1)
    return (used.sum(1) >= least_picks) & (stations >= LEAST_STATIONS)


def assign(
    source: Int64[Array, " claim"],
    pick: Int64[Array, " claim"],
    gain: Float64[Array, " claim"],
    slot: Int64[Array, " pick"],
) -> Int64[Array, " won"]:
    """Claims that win: one of each pick, one of each source and slot, the largest sum of gains.

    Args:
        source: that claims.
        pick: that it claims.
        gain: of the claim, above zero.
        slot: of each pick.
    """
    if len(source) == 0:
        return np.empty(0, int)
    seat = source * (int(slot.max()) + 1) + slot[pick]
    seats, left = np.unique(seat, return_inverse=True)
    picks, right = np.unique(pick, return_inverse=True)
    size = len(seats) + len(picks)
    graph = coo_array((np.ones(len(seat)), (left, right + len(seats))), shape=(size, size))
    group = connected_components(graph, directed=False)[1][left]
    alone = np.bincount(group)[group] == 1
    won = np.flatnonzero(alone).tolist()
    order = np.argsort(group, kind="stable")
    order = order[~alone[order]]
    for claims in np.split(order, np.flatnonzero(np.diff(group[order])) + 1):
        if len(claims) == 0:
            continue
        rows, row = np.unique(left[claims], return_inverse=True)
        columns, column = np.unique(right[claims], return_inverse=True)
        value, claim = np.zeros((len(rows), len(columns))), np.full((len(rows), len(columns)), -1)
        value[row, column], claim[row, column] = gain[claims], claims
        taken = claim[linear_sum_assignment(value, maximize=True)]
        won += taken[taken >= 0].tolist()
    return np.array(sorted(won), int)


def residuals(scene: Scene, contest: Contest) -> tuple[Array, Array, Array]:
    """Residuals without terms, travel times and numbers of all owned picks."""
    mine = np.flatnonzero(contest.owner >= 0)
    source, slot = contest.owner[mine], scene.table.slot[mine]
    _, travel_s = scene.arrivals(contest.sources.place_m)
    bare_s = travel_s[source, slot] - scene.beliefs.term_s[slot]
    residual_s = scene.table.time_s[mine] - contest.sources.time_s[source] - bare_s
    return residual_s, bare_s, mine
