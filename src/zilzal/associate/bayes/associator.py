"""The associator: options, what it learns once, and how strict it then is."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

import zilzal
from zilzal.associate.bayes.beliefs import Beliefs, Seismicity
from zilzal.associate.bayes.contest import Contest, bear, compete, no_contest
from zilzal.associate.bayes.learn import learn
from zilzal.associate.bayes.model import Scene
from zilzal.associate.bayes.network import PHASES, Network, network_of, stations_of
from zilzal.associate.bayes.propose import SLOWEST_M_PER_S, Stack, stack_of
from zilzal.associate.bayes.table import PickTable
from zilzal.associate.null import busiest, shift_stations
from zilzal.associate.search import (
    LEAST_PICKS,
    LEAST_STATIONS,
    Search,
    check_strictness,
    plan_search,
)
from zilzal.core.errors import FormatError
from zilzal.core.event import Association
from zilzal.core.pick import Phase, Pick, Provenance
from zilzal.core.station import Station
from zilzal.core.time import Time
from zilzal.core.units import metres
from zilzal.travel import load_model

logger = logging.getLogger(__name__)

ROUNDS = 8
"""In which sources are looked for among what the earlier ones left."""
FEW = 0.01
"""A round that adds a smaller share of sources than this is the last."""
LAST_ROUNDS = 2
LARGEST_LESSON = 15_000
"""Picks that are learned from, the busiest stretch of them; more would only take longer."""
TRIALS = 2
"""Sets of shifted picks in the null test."""
CAUTIOUS_ODDS = 4.0
"""Log odds that a source must have before anything was learned: see the page on association."""
CERTAIN_ODDS = 10.0
"""Log odds that a source must have where the null test finds no event likely enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BayesAssociator:
    """Sources compete for picks by their odds; see `zilzal.associate.bayes`.

    Args:
        earth_model: name of a built-in model, or path of a file.
        min_picks: that make an event, at least 5; None learns how strict to be, and what the
            stations and the earth are like, from the picks themselves.
        false_share: share of events that chance may make by the null test, in (0, 1).
        max_depth_km: of the deepest event that is looked for.
        seed: of the null test's shifts.

    Source:
        Arora, Russell & Sudderth (2013), NET-VISA, doi:10.1785/0120120107, for the generative
        view; the search and the competition are ours.
    """

    earth_model: str = "ak135"
    min_picks: int | None = None
    false_share: float = 0.05
    max_depth_km: float = 40.0
    seed: int = 0

    def __post_init__(self) -> None:
        check_strictness(self.min_picks, self.false_share)
        if not 1 <= self.max_depth_km <= 700:
            raise ValueError(f"max_depth_km is {self.max_depth_km}; give 1 to 700")

    @property
    def is_settled(self) -> bool:
        """Whether nothing is left to be learned from picks."""
        return self.min_picks is not None

    def associate(self, picks: Sequence[Pick], stations: Sequence[Station]) -> list[Association]:
        """Associations in order of time; the order of the picks does not matter."""
        return self.settled(picks, stations).associate(picks, stations)

    def settled(self, picks: Sequence[Pick], stations: Sequence[Station]) -> SettledAssociator:
        """The same with what it learns from some picks; they should hold many events.

        Where `min_picks` is set nothing is learned. Too few picks teach nothing either.
        """
        plain = SettledAssociator(options=self)
        usable = None if self.is_settled else _usable(self, picks, stations)
        if usable is None:
            return plain
        network, known = usable
        table = PickTable.of(busiest(known, LARGEST_LESSON), network)
        scene, contest = _search(network, table, None, self._least_picks)
        beliefs = replace(
            scene.beliefs,
            known=Seismicity(
                east_m=contest.sources.place_m[:, 0],
                north_m=contest.sources.place_m[:, 1],
                span_s=table.span_s,
            ),
        )
        least_odds = self._null_test(network, table, contest, beliefs)
        return SettledAssociator(
            options=self, learned=beliefs.to_text(network), least_odds=least_odds
        )

    def cautious(self) -> SettledAssociator:
        """The same before it could learn anything: without the least certain events."""
        return SettledAssociator(options=self, least_odds=CAUTIOUS_ODDS)

    def remembering(self, text: str) -> SettledAssociator:
        """The same with what it learned before, from `SettledAssociator.to_text`.

        Raises:
            FormatError: it is not such a text.
        """
        try:
            told = json.loads(text)
            return SettledAssociator(
                options=self,
                learned=None if told["learned"] is None else json.dumps(told["learned"]),
                least_odds=float(told["least_odds"]),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise FormatError(f"not what an associator learned: {error}") from error

    def plan(self, picks: Sequence[Pick], stations: Sequence[Station]) -> Search:
        """The volume and the tolerance of the partition of space for these picks, to explain by.

        Here no pick is refused by a tolerance; but beyond it hardly any is believed.
        """
        return plan_search(
            picks, stations, max_depth_m=metres(self.max_depth_km),
            s_speed_m_per_s=load_model(self.earth_model).layers[0].s_speed_m_per_s,
        )  # fmt: skip

    @property
    def _least_picks(self) -> int:
        return self.min_picks or LEAST_PICKS

    def _null_test(
        self, network: Network, table: PickTable, contest: Contest, beliefs: Beliefs
    ) -> float:
        """Least log odds at which few enough events are false.

        False are those that are found after each station's picks were moved by a time of its own
        (`zilzal.associate.null`). All picks are moved, those of events as well: chance has less
        to work with in the picks as they are, so this counts rather too many.
        """
        generator = np.random.default_rng(self.seed)
        false: list[float] = []
        across_s = network.travel.max_distance_m / SLOWEST_M_PER_S[1]
        for _ in range(TRIALS):
            moved = shift_stations(table.picks, generator, apart_s=2 * across_s)
            _, chance = _search(network, PickTable.of(moved, network), beliefs, self._least_picks)
            false += chance.sources.log_odds.tolist()
        found = np.sort(contest.sources.log_odds)
        allowed = self.false_share * (len(found) - np.arange(len(found)))
        wrong = np.array([sum(odds >= least for odds in false) / TRIALS for least in found])
        # Strict enough from some event on: all that are likelier than it must be so as well.
        bad = np.flatnonzero(wrong > allowed)
        first = int(bad[-1]) + 1 if len(bad) else 0
        least = 0.0 if first == 0 else float(found[first]) if first < len(found) else CERTAIN_ODDS
        logger.info("null test: events need log odds of %.1f; %d of %d have them; false %.1f",
                    least, len(found) - first, len(found),
                    sum(odds >= least for odds in false) / TRIALS)  # fmt: skip
        return least


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledAssociator:
    """An associator that learns no more: what it makes of picks depends on nothing else.

    Args:
        options: that it was made with.
        learned: beliefs as text; None where it learned nothing.
        least_odds: log odds that make an event.
    """

    options: BayesAssociator
    learned: str | None = None
    least_odds: float = 0.0

    @property
    def is_settled(self) -> bool:
        """True."""
        return True

    @property
    def earth_model(self) -> str:
        """Name of its earth."""
        return self.options.earth_model

    def settled(self, picks: Sequence[Pick], stations: Sequence[Station]) -> SettledAssociator:  # noqa: ARG002
        """Itself."""
        return self

    def to_text(self) -> str:
        """What was learned, as JSON."""
        learned = None if self.learned is None else json.loads(self.learned)
        return json.dumps({"least_odds": self.least_odds, "learned": learned}, indent=1)

    def terms_s(self) -> Mapping[tuple[str, Phase], float]:
        """By how much picks of a station, as network.station, and phase are late in its earth."""
        stations: dict[str, Any] = json.loads(self.learned)["stations"] if self.learned else {}
        return {
            (station, phase): float(row["term_s"][number])
            for station, row in stations.items()
            for number, phase in enumerate(PHASES)
        }

    def associate(self, picks: Sequence[Pick], stations: Sequence[Station]) -> list[Association]:
        """Associations in order of time; the order of the picks does not matter."""
        return self._associate(picks, stations, None)

    def associate_since(
        self, picks: Sequence[Pick], stations: Sequence[Station], since: Time
    ) -> list[Association]:
        """The same of sources from an instant on, or shortly before it."""
        return self._associate(picks, stations, since)

    def _associate(
        self, picks: Sequence[Pick], stations: Sequence[Station], since: Time | None
    ) -> list[Association]:
        usable = _usable(self.options, picks, stations)
        if usable is None:
            return []
        network, known = usable
        table = PickTable.of(known, network)
        beliefs = Beliefs.first(table) if not self.learned else _recalled(self.learned, network)
        since_s = -np.inf if since is None else since - table.reference
        least_picks = self.options.min_picks or LEAST_PICKS
        _, contest = _search(network, table, beliefs, least_picks, since_s=since_s)
        return _associations(
            network, table, contest, least_odds=self.least_odds,
            earth_model=self.earth_model,
        )  # fmt: skip


@lru_cache(maxsize=4)
def _recalled(text: str, network: Network) -> Beliefs:
    """The same object for the same text and network, so that tables made with it are kept."""
    return Beliefs.from_text(text, network)


def _usable(
    options: BayesAssociator, picks: Sequence[Pick], stations: Sequence[Station]
) -> tuple[Network, list[Pick]] | None:
    """The network, and the picks at its stations; None where no event can be among them."""
    different = stations_of(stations)
    known = {station.station_id for station in different}
    usable = [pick for pick in picks if pick.channel_id.station_id in known]
    if len(usable) < len(picks):
        logger.warning(
            "%d of %d picks are at stations without coordinates and were left out",
            len(picks) - len(usable),
            len(picks),
        )
    seen = {pick.channel_id.station_id for pick in usable}
    if len(usable) < LEAST_PICKS or len(seen) < LEAST_STATIONS:
        return None
    return network_of(different, options.earth_model, metres(options.max_depth_km)), usable


def _search(
    network: Network,
    table: PickTable,
    beliefs: Beliefs | None,
    least_picks: int,
    *,
    since_s: float = -np.inf,
) -> tuple[Scene, Contest]:
    """All sources among some picks from a time on, and the scene with what they taught.

    With beliefs given, these stay.
    """
    scene = Scene.of(network, table, beliefs or Beliefs.first(table))
    contest = no_contest(len(table))

    def settle(contest: Contest, scene: Scene) -> tuple[Scene, Contest]:
        contest = compete(scene, contest, least_picks)
        scene = scene.seen(contest.sources, contest.owner)
        return (scene.believing(learn(scene, contest)) if beliefs is None else scene), contest

    stack: Stack | None = None
    for _ in range(ROUNDS):
        if stack is None or beliefs is None:
            stack = stack_of(network, scene.beliefs)
        born = bear(scene, stack, contest, least_picks, since_s=since_s)
        if len(born) == 0:
            break
        contest = replace(contest, sources=contest.sources.joined(born))
        scene, contest = settle(contest, scene)
        if len(born) < FEW * len(contest.sources):
            break
    for _ in range(LAST_ROUNDS if beliefs is None else 0):
        scene, contest = settle(contest, scene)
    return scene, compete(scene, contest, least_picks)


def _associations(
    network: Network, table: PickTable, contest: Contest, *, least_odds: float, earth_model: str
) -> list[Association]:
    provenance = Provenance(method="bayes", version=zilzal.__version__, model=earth_model)
    sources = contest.sources
    latitude, longitude = network.frame.place(sources.place_m[:, 0], sources.place_m[:, 1])
    found: list[Association] = []
    for number in np.flatnonzero(sources.log_odds >= least_odds).tolist():
        mine = [table.picks[n] for n in np.flatnonzero(contest.owner == number)]
        found.append(
            Association(
                picks=tuple(sorted(mine, key=lambda pick: (pick.time, pick.id))),
                time=table.reference + float(sources.time_s[number]),
                latitude=float(latitude[number]),
                longitude=float(longitude[number]),
                depth_m=float(sources.place_m[number, 2]),
                provenance=provenance,
            )
        )
    return sorted(found, key=lambda association: (association.time, association.picks[0].id))
