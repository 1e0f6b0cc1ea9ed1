"""Associators on picks of synthetic sequences, where it is known which event each pick is of.

Stations, sources and travel times come from `zilzal.synth`; picks are drawn from them: which
arrivals stand out of noise and of the codas of others, with errors of picks and of the earth (the
associators believe in another crust than the sources), and false picks. Each associator is run on
the same picks with its defaults. Writes benchmarks/results/association.json.

    python benchmarks/association.py [--seeds 5 6] [--scenes dense100 small]
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import zilzal
from zilzal.app.registry import load
from zilzal.core.ids import ChannelId
from zilzal.core.pick import Phase, Pick, Provenance
from zilzal.core.station import Station
from zilzal.core.time import Time
from zilzal.magnitude.attenuation import HUTTON_BOORE
from zilzal.synth.network import build_network
from zilzal.synth.scenario import NetworkPlan, Scenario, Seismicity

RESULTS = Path(__file__).parent / "results" / "association.json"
ASSOCIATORS = ("bayes", "pyocto")
LEAST_PICKS = 5
"""Of an event that can be found."""
START = Time.parse("2024-03-05T02:00:00Z")
MAKER = Provenance(method="simulated", version=zilzal.__version__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Hours, stations, their aperture, events per hour, their spread and their least magnitude."""

    hours: float
    stations: int
    aperture_m: float
    rate_per_hour: float
    radius_m: float
    smallest: float


SCENES = {
    "dense100": Scene(hours=1, stations=22, aperture_m=130e3, rate_per_hour=100, radius_m=30e3,
                      smallest=0.3),
    "dense300": Scene(hours=1, stations=22, aperture_m=130e3, rate_per_hour=300, radius_m=30e3,
                      smallest=0.3),
    "small": Scene(hours=6, stations=10, aperture_m=50e3, rate_per_hour=20, radius_m=20e3,
                   smallest=-0.2),
    "tiny": Scene(hours=24, stations=4, aperture_m=30e3, rate_per_hour=4, radius_m=15e3,
                  smallest=-0.2),
}  # fmt: skip

HEARD_AT = 1.6
"""Magnitude whose S at 100 km stands out of the noise by three."""
LATERAL = 0.012
"""Relative error of travel times that a station sees on all of its paths; half of it on each."""
FALSE_PER_HOUR = 12.0
"""Of each station, besides false S after every third of their P."""
OUTLIERS, MISTAKEN = 0.03, 0.015
"""Shares of picks that are up to a second off, and that are told as the other phase."""
APART_S = 0.5
"""Of two picks of a phase within this the likelier stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Picks, stations, and the event of each pick that has one."""

    picks: list[Pick]
    stations: list[Station]
    event_of: dict[str, int]


def simulate(scene: Scene, seed: int) -> Known:
    """Picks of a scene."""
    scenario = Scenario(
        name="association", seed=seed, start=START, duration_s=3_600 * scene.hours,
        latitude=35.7, longitude=-117.5, earth_model="hadley-kanamori",
        network=NetworkPlan(
            n_stations=scene.stations, aperture_m=scene.aperture_m, delay_spread_s=0.1
        ),
        seismicity=Seismicity(
            rate_per_hour=scene.rate_per_hour, smallest=scene.smallest, radius_m=scene.radius_m
        ),
    )  # fmt: skip
    network, rng = build_network(scenario), np.random.default_rng((seed, 777))
    n_stations, n_events = len(network.stations), len(network.events)
    shape = (n_events, n_stations, 2)
    time_s = np.array([a.stamped_time - START for a in network.arrivals]).reshape(shape)
    distance_m = np.array([a.distance_m for a in network.arrivals]).reshape(shape)[:, :, 0]
    origin_s = np.array([event.time - START for event in network.events])
    error = rng.normal(0, LATERAL, n_stations) + rng.normal(0, LATERAL / 2, shape[:2])
    time_s += error[:, :, None] * (time_s - origin_s[:, None, None])
    amplitude = _amplitudes(network.events, distance_m, rng)
    noise = 10 ** (HEARD_AT - 3.0 - np.log10(3) + rng.normal(0, 0.2, n_stations))
    drawn: list[tuple[float, int, int, float, float, int]] = []
    for station in range(n_stations):
        drawn += _heard(time_s[:, station], amplitude[:, station], noise[station], station, rng)
        drawn += _false(3_600 * scene.hours, station, rng)
    codes = [each.station for each in network.stations]
    picks, event_of = _without_near(drawn, codes, 3_600 * scene.hours)
    return Known(picks=picks, stations=codes, event_of=event_of)


def _amplitudes(events: Sequence, distance_m: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """In mm of a Wood-Anderson, of P and S at each station."""
    depth_m = np.array([event.depth_m for event in events])
    away_m = np.maximum(np.hypot(distance_m, depth_m[:, None]), 2e3)
    magnitude = np.array([event.magnitude for event in events])[:, None]
    log_mm = (magnitude - HUTTON_BOORE.minus_log_a0(away_m))[:, :, None] + np.array([-0.45, 0.0])
    shape = distance_m.shape
    return 10 ** (log_mm + rng.normal(0, 0.2, (*shape, 1)) + rng.normal(0, 0.2, (*shape, 2)))


def _heard(time_s, amplitude, noise: float, station: int, rng) -> list[tuple]:
    """Arrivals that stand out of noise and of the codas of all earlier waves."""
    rows = []
    for phase in range(2):
        level = np.full(len(time_s), noise)
        for other, decay_s in enumerate((2.5, 4.0)):
            after_s = time_s[:, phase, None] - time_s[None, :, other]
            coda = 0.35 * amplitude[None, :, other] * np.exp(-np.maximum(after_s, 0) / decay_s)
            level = level + np.where(after_s > 0.02, coda, 0.0).sum(1)
        ratio = amplitude[:, phase] / level
        chance = 0.97 / (1 + np.exp(-np.log10(ratio / 2.5) / 0.12))
        for event in np.flatnonzero(rng.random(len(ratio)) < chance).tolist():
            error_s = (0.03, 0.05)[phase] * (1 + 2.5 / max(ratio[event], 1.0))
            at_s = time_s[event, phase] + error_s * rng.standard_t(3)
            if rng.random() < OUTLIERS:
                at_s += rng.uniform(-1, 1)
            told = phase if rng.random() > MISTAKEN else 1 - phase
            log_odds = 3 * np.log10(ratio[event]) - 0.3 + rng.normal(0, 0.6)
            probability = float(np.clip(1 / (1 + np.exp(-log_odds)), 0.3, 1.0))
            rows.append((probability, station, told, float(at_s), 1.2 * error_s, event))
    return rows


def _false(span_s: float, station: int, rng: np.random.Generator) -> list[tuple]:
    rows = []
    for _ in range(rng.poisson(FALSE_PER_HOUR * span_s / 3_600)):
        at_s, phase = float(rng.uniform(0, span_s)), int(rng.random() < 0.5)
        rows.append((float(rng.beta(1.5, 2.5) * 0.7 + 0.3), station, phase, at_s, 0.12, -1))
        if phase == 0 and rng.random() < 0.3:
            later_s = at_s + float(rng.uniform(0.8, 5))
            rows.append((float(rng.beta(1.5, 2.5) * 0.7 + 0.3), station, 1, later_s, 0.15, -1))
    return rows


def _without_near(
    drawn: list[tuple], stations: Sequence[Station], span_s: float
) -> tuple[list[Pick], dict[str, int]]:
    kept: dict[tuple[int, int], list[float]] = {}
    picks, event_of = [], {}
    for probability, station, phase, at_s, error_s, event in sorted(drawn, reverse=True):
        times = kept.setdefault((station, phase), [])
        if not 0 <= at_s < span_s or any(abs(at_s - other) <= APART_S for other in times):
            continue
        times.append(at_s)
        code = stations[station].station_id
        pick = Pick(
            channel_id=ChannelId(code.network, code.station, "", ("HHZ", "HHN")[phase]),
            phase=tuple(Phase)[phase], time=START + at_s, probability=probability,
            uncertainty_s=error_s, provenance=MAKER,
        )  # fmt: skip
        picks.append(pick)
        if event >= 0:
            event_of[pick.id] = event
    return sorted(picks, key=lambda pick: (pick.time, pick.id)), event_of


def score(groups: Sequence[Sequence[Pick]], known: Known) -> dict[str, float]:
    """Events found, false groups, doubles, and how right their picks are.

    A group is of the event that more than half of its picks are of; of several groups of an event
    the largest counts.
    """
    heard = Counter(known.event_of.values())
    can_be_found = {event for event, n in heard.items() if n >= LEAST_PICKS}
    best: dict[int, tuple[int, int]] = {}
    false = doubles = 0
    for group in groups:
        counts = Counter(known.event_of.get(pick.id, -1) for pick in group)
        event, n = max(((e, n) for e, n in counts.items() if e >= 0), key=lambda x: x[1],
                       default=(-1, 0))  # fmt: skip
        if 2 * n <= len(group):
            false += 1
            continue
        doubles += event in best
        best[event] = max(best.get(event, (0, 0)), (n, len(group)))
    right, all_of = (sum(pair[k] for pair in best.values()) for k in (0, 1))
    return {
        "can_be_found": len(can_be_found),
        "found": len(best.keys() & can_be_found),
        "smaller": len(best.keys() - can_be_found),
        "false": false,
        "doubles": doubles,
        "right_picks": right / max(all_of, 1),
        "their_picks_found": right / max(sum(heard[event] for event in best), 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[5, 6])
    parser.add_argument("--scenes", nargs="+", default=list(SCENES))
    arguments = parser.parse_args()
    rows = []
    for name in arguments.scenes:
        for seed in arguments.seeds:
            known = simulate(SCENES[name], seed)
            for which in ASSOCIATORS:
                begun = time.process_time()
                associator = load("associators", which)()
                groups = [a.picks for a in associator.associate(known.picks, known.stations)]
                rows.append({
                    "scene": name, "seed": seed, "associator": which, "picks": len(known.picks),
                    **score(groups, known), "cpu_s": time.process_time() - begun,
                })  # fmt: skip
                print(json.dumps(rows[-1]), flush=True)
                told = {"version": zilzal.__version__, "results": rows}
                RESULTS.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
