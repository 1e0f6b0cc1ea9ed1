"""What sources that are certain tell about the network."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float64

from zilzal.associate.bayes.beliefs import N_BINS, Beliefs, Marks
from zilzal.associate.bayes.contest import Contest, residuals
from zilzal.associate.bayes.model import FLOOR_S, FREEDOM, SOFTNESS, SUREST, Scene
from zilzal.associate.search import MODEL_ERROR
from zilzal.core.arrays import Array

SURE_ODDS, SURE_PICKS, SURE_SOURCES = 15.0, 8, 5
"""Sources to learn from have such log odds and so many picks; and there must be so many of them."""
MARKED_ODDS, MARKED_PICKS, FREE_PICKS = 5.0, 50, 20
PSEUDO = 10.0
"""Picks that each bin is thought to have had before."""
TERM_S = (0.2, 0.3)
"""Standard deviation of P and S terms over stations, before anything is known."""
DEAFNESS = 0.5
"""Standard deviation of stations' deafness, in units of magnitude, before anything is known."""
SHARES = (0.005, 0.0075, 0.01, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05)
_SHARE_SPREAD = 0.5


def learn(scene: Scene, contest: Contest) -> Beliefs:
    """Beliefs that the sources of a contest support; as before where they are too few."""
    beliefs = replace(scene.beliefs, marks=_marks(scene, contest))
    n_picks = np.bincount(contest.owner[contest.owner >= 0], minlength=len(contest.sources))
    sure = (n_picks >= SURE_PICKS) & (contest.sources.log_odds > SURE_ODDS)
    if sure.sum() < SURE_SOURCES:
        return beliefs
    residual_s, travel_s, pick = residuals(scene, contest)
    kept = sure[contest.owner[pick]]
    residual_s, travel_s, pick = residual_s[kept], travel_s[kept], pick[kept]
    term_s = _terms(scene, residual_s, travel_s, pick)
    # Four of a source's picks fix it: residuals are smaller than errors by that much.
    n = n_picks[contest.owner[pick]]
    error_s = (residual_s - term_s[scene.table.slot[pick]]) * np.sqrt(n / (n - 4))
    return replace(
        beliefs,
        term_s=term_s,
        share=_share(error_s, travel_s, scene.table.error_s[pick]),
        deafness=_deafness(scene, contest, sure),
    )


def _marks(scene: Scene, contest: Contest) -> Marks:
    """How much oftener arrivals than background have probabilities of each bin."""
    marks, table = scene.beliefs.marks, scene.table
    if len(contest.sources) == 0:
        return marks
    odds = contest.sources.log_odds[contest.owner]
    arrival, free = (contest.owner >= 0) & (odds > MARKED_ODDS), contest.owner < 0
    bins, told = marks.bins(table), list(marks.log_odds)
    for phase in range(2):
        mine = table.slot % 2 == phase
        hits, others = (
            np.bincount(bins[mine & each], minlength=N_BINS) for each in (arrival, free)
        )
        if hits.sum() < MARKED_PICKS or others.sum() < FREE_PICKS:
            continue
        shares = [(n + PSEUDO) / (n.sum() + PSEUDO * N_BINS) for n in (hits, others)]
        told[phase] = tuple(np.log(shares[0] / shares[1]).tolist())
    return replace(marks, log_odds=tuple(told))


def _terms(
    scene: Scene, residual_s: Array, travel_s: Array, pick: Array
) -> Float64[Array, " slot"]:
    """Mean residuals of slots, drawn to zero where they are few.

    The median of P is taken out: a constant is the same as a shift of all origin times.
    """
    slot, n_slots = scene.table.slot[pick], scene.table.n_slots
    scale_s = scene.scale_s(pick, travel_s)
    off = (residual_s - scene.beliefs.term_s[slot]) / scale_s
    weight = (FREEDOM + 1) / (FREEDOM + off**2) / scale_s**2
    total = np.bincount(slot, weights=weight, minlength=n_slots)
    prior = 1 / np.tile(TERM_S, n_slots // 2) ** 2
    term_s = np.bincount(slot, weights=weight * residual_s, minlength=n_slots) / (total + prior)
    known = total > 0
    of_p = known & (np.arange(n_slots) % 2 == 0)
    middle_s = float(np.median(term_s[of_p if of_p.any() else known]))
    return np.where(known, term_s - middle_s, 0.0)


def _share(
    error_s: Float64[Array, " pick"],
    travel_s: Float64[Array, " pick"],
    pick_error_s: Float64[Array, " pick"],
) -> float:
    """The earth's share of the errors, most probable of `SHARES`."""

    def log_likelihood(share: float) -> float:
        scale_s = np.sqrt(pick_error_s**2 + FLOOR_S**2 + (share * travel_s) ** 2)
        spread = -np.log(scale_s) - (FREEDOM + 1) / 2 * np.log1p((error_s / scale_s) ** 2 / FREEDOM)
        return float(spread.sum()) - 0.5 * (np.log(share / MODEL_ERROR) / _SHARE_SPREAD) ** 2

    return max(SHARES, key=log_likelihood)


def _deafness(
    scene: Scene, contest: Contest, sure: Bool[Array, " source"]
) -> Float64[Array, " slot"]:
    """By which slots hear less than others, from what they heard of certain sources."""
    heard = np.zeros((len(contest.sources), scene.table.n_slots), bool)
    mine = np.flatnonzero(contest.owner >= 0)
    heard[contest.owner[mine], scene.table.slot[mine]] = True
    sources, heard = contest.sources.of(sure), heard[sure]
    distance_m = scene.network.distances_m(sources.place_m)
    deafness = scene.beliefs.deafness
    bare = scene.hardness(distance_m, sources.place_m[:, 2], sources.time_s) - deafness
    for _ in range(3):
        rise = 1 / (
            1 + np.exp(np.minimum((bare + deafness - sources.size[:, None]) / SOFTNESS, 50))
        )
        chance = SUREST * rise
        pull = np.where(heard, rise - 1, chance * (1 - rise) / (1 - chance)) / SOFTNESS
        gradient = pull.sum(0) - deafness / DEAFNESS**2
        curvature = (chance * (1 - rise) ** 2 / (1 - chance)).sum(0) / SOFTNESS**2
        step = np.clip(gradient / (curvature + 1 / DEAFNESS**2), -0.5, 0.5)
        deafness = deafness + step * scene.beliefs.works
    return deafness
