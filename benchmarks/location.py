"""Location on synthetic picks: time per event, errors, coverage; synthetic throughout.

    python benchmarks/location.py [events] > location.json

Sources lie within and around a network of 22 stations at 0 to 1.8 km of elevation; picks have
errors of the locator's own scales, drawn from Student's t or from the normal distribution, or
with 30 % of them replaced by wild ones. Computed times are right but for those errors, and the
locator is told so, except where stations near each other share errors of the earth model.
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import scipy

import zilzal
from zilzal.core.event import Association, Origin
from zilzal.core.geo import displace, distance_m
from zilzal.core.ids import ChannelId, StationId
from zilzal.core.pick import Phase, Pick, Provenance
from zilzal.core.station import Station
from zilzal.core.time import Time
from zilzal.locate import GridLocator
from zilzal.locate.shared import SharedError
from zilzal.travel import TravelTimeTables, built_in, first_arrivals

SEED = 20190707
RESULTS = Path(__file__).parent / "results" / "location.json"
CENTRE = (35.7, -117.5)
START = Time.parse("2019-07-07T08:00:00Z")
MAKER = Provenance(method="synthetic", version=zilzal.__version__)
PICK_S = 0.05


@dataclass(frozen=True)
class Case:
    """One kind of events: errors, wild picks, where the sources lie."""

    name: str
    degrees_of_freedom: float | None = 4.0
    wild_share: float = 0.0
    ring_m: tuple[float, float] = (0.0, 45e3)
    s_share: float = 0.7
    is_earth_wrong: bool = False

    def locator(self) -> GridLocator:
        """The default one, for this earth."""
        own = GridLocator(earth_model="hadley-kanamori")
        return own if self.is_earth_wrong else replace(own, shared_error_share=0.0)


CASES = (
    Case("model correct (Student's t)"),
    Case("normal errors", degrees_of_freedom=None),
    Case("30 % wild picks", wild_share=0.3),
    Case("outside the network", ring_m=(80e3, 130e3)),
    Case("P only", s_share=0.0),
    Case("errors shared by neighbouring stations", is_earth_wrong=True),
)


def make_stations(generator: np.random.Generator) -> list[Station]:
    stations = []
    for number in range(22):
        away_m, angle = 60e3 * np.sqrt(generator.uniform(0.01, 1)), generator.uniform(0, 2 * np.pi)
        place = displace(*CENTRE, away_m * np.sin(angle), away_m * np.cos(angle))
        name = StationId("XX", f"S{number:02d}")
        stations.append(Station(name, *place, float(generator.uniform(0, 1_800))))
    return stations


def make_association(case: Case, stations, locator: GridLocator, generator) -> tuple:
    """Truth as latitude, longitude, depth, and the picks of it."""
    low, high = case.ring_m
    away_m = np.sqrt(generator.uniform(low**2, high**2))
    angle = generator.uniform(0, 2 * np.pi)
    place = displace(*CENTRE, away_m * np.sin(angle), away_m * np.cos(angle))
    depth_m = float(generator.uniform(2e3, 15e3))
    at = np.array([(s.latitude, s.longitude, s.elevation_m) for s in stations]).T
    away_m = distance_m(*place, at[0], at[1])
    times_s = {
        phase: first_arrivals(
            built_in(locator.earth_model), phase, elevation_m=at[2], distance_m=away_m,
            depth_m=np.full(len(stations), depth_m),
        ).time_s
        for phase in Phase
    }  # fmt: skip
    wrong_s = errors_of_the_earth(locator, at, np.concatenate(list(times_s.values())), generator)
    picks = []
    for phase, off_s in zip(Phase, wrong_s, strict=True):
        for station, time_s, earth_s in zip(stations, times_s[phase], off_s, strict=True):
            if phase is Phase.S and generator.uniform() > case.s_share:
                continue
            nu = case.degrees_of_freedom
            deviate = generator.standard_t(nu) if nu else generator.standard_normal()
            model_s = np.hypot(locator.model_error_s, locator.model_error_share * time_s)
            error_s = deviate * np.hypot(PICK_S, model_s) + earth_s
            if generator.uniform() < case.wild_share:
                error_s = generator.uniform(-10, 10)
            code = station.station_id
            picks.append(
                Pick(
                    channel_id=ChannelId(code.network, code.station, "", f"HH{'ZN'[phase == 'S']}"),
                    phase=phase,
                    time=START + float(time_s + error_s),
                    probability=0.9,
                    uncertainty_s=PICK_S,
                    provenance=MAKER,
                )
            )
    association = Association(
        picks=tuple(sorted(picks, key=lambda p: p.time)), time=START, latitude=place[0],
        longitude=place[1], depth_m=depth_m, provenance=MAKER,
    )  # fmt: skip
    return (*place, depth_m), association


def errors_of_the_earth(locator: GridLocator, at, times_s, generator):
    """What the earth model has wrong, P and S by station, as the locator believes."""
    shape = (len(Phase), at.shape[1])
    if not locator.shared_error_share:
        return np.zeros(shape)
    shared = SharedError(share=locator.shared_error_share, length_m=locator.shared_error_length_m)
    latitude, longitude = np.tile(at[:2], len(Phase))
    apart_m = distance_m(latitude, longitude, latitude[:, None], longitude[:, None])
    covariance = shared.covariance_s2(times_s, apart_m)
    drawn = generator.multivariate_normal(np.zeros(len(times_s)), covariance, method="eigh")
    return drawn.reshape(shape)


def run_case(case: Case, stations, count: int) -> dict:
    locator, generator = case.locator(), np.random.default_rng(SEED)
    offsets, squares, took_s, cpu_s, n_unlocated = [], [], [], [], 0
    for _ in range(count):
        truth, association = make_association(case, stations, locator, generator)
        begun, begun_cpu = time.perf_counter(), time.process_time()
        origin = locator.locate(association, stations)
        took_s.append(time.perf_counter() - begun)
        cpu_s.append(time.process_time() - begun_cpu)
        if not isinstance(origin, Origin):
            n_unlocated += 1
            continue
        radius_m = 6_371e3 * np.radians(1)
        error = np.array([
            (origin.longitude - truth[1]) * radius_m * np.cos(np.radians(truth[0])),
            (origin.latitude - truth[0]) * radius_m,
            origin.depth_m - truth[2],
        ])  # fmt: skip
        offsets.append([np.hypot(*error[:2]), abs(error[2]), abs(origin.time - START)])
        squares.append([
            error[:n] @ np.linalg.solve(origin.covariance[:n, :n], error[:n]) for n in (2, 3)
        ])  # fmt: skip
    medians, worst = np.median(offsets, axis=0), np.quantile(offsets, 0.95, axis=0)
    two, three = np.array(squares).T
    return {
        "case": case.name,
        "events": count,
        "unlocated": n_unlocated,
        "ms_per_event": {
            "median": round(1e3 * float(np.median(took_s)), 1),
            "p95": round(1e3 * float(np.quantile(took_s, 0.95)), 1),
            "median_cpu": round(1e3 * float(np.median(cpu_s)), 1),
        },
        "error": {
            name: {"median": round(float(m), 3), "p95": round(float(w), 3)}
            for name, m, w in zip(("epicentre_m", "depth_m", "time_s"), medians, worst, strict=True)
        },
        "coverage": {
            "ellipse_68": float(np.mean(two < 2.2789)),
            "ellipse_90": float(np.mean(two < 4.6052)),
            "ellipsoid_68": float(np.mean(three < 3.5059)),
            "ellipsoid_90": float(np.mean(three < 6.2514)),
        },
    }


def measure_tables() -> list[dict]:
    """Error and cost of interpolated travel times against exact rays."""
    rows = []
    for name in ("hadley-kanamori", "ak135"):
        tables = TravelTimeTables(model=built_in(name))
        for phase in Phase:
            generator = np.random.default_rng(SEED)
            elevation_m = generator.uniform(-300, 2_500, 10)
            away_m = generator.uniform(0, 1, (10, 5_000)) ** 2 * tables.max_distance_m
            depth_m = generator.uniform(-1_000, 45_000, 5_000)
            begun = time.perf_counter()
            tables.times_at_s(phase, elevation_m, away_m, depth_m)
            filled = time.perf_counter()
            times_s = tables.times_at_s(phase, elevation_m, away_m, depth_m)
            looked = time.perf_counter()
            exact = first_arrivals(
                tables.model, phase, elevation_m=elevation_m[:, None], distance_m=away_m,
                depth_m=depth_m,
            )  # fmt: skip
            error_ms = 1e3 * np.abs(times_s - exact.time_s)
            quantiles = np.quantile(error_ms, [0.5, 0.99, 0.999, 1.0])
            rows.append({
                "model": name, "phase": str(phase),
                "error_ms": dict(zip(("median", "p99", "p99.9", "max"),
                                     np.round(quantiles, 3).tolist(), strict=True)),
                "ms_per_table": round(1e3 * (filled - begun) / 10, 1),
                "ns_per_time": round(1e9 * (looked - filled) / times_s.size, 1),
            })  # fmt: skip
    return rows


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    locator = GridLocator(earth_model="hadley-kanamori")
    stations = make_stations(np.random.default_rng(SEED))
    for _ in range(3):
        _, association = make_association(CASES[0], stations, locator, np.random.default_rng(0))
        locator.locate(association, stations)
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    result = {
        "what": "location of synthetic picks",
        "command": f"benchmarks/location.py {count}",
        "commit": commit.stdout.strip(),
        "machine": platform.processor() or platform.machine(),
        "versions": {"python": platform.python_version(), "numpy": np.__version__,
                     "scipy": scipy.__version__, "zilzal": zilzal.__version__},
        "seed": SEED,
        "stations": len(stations),
        "earth_model": locator.earth_model,
        "travel_times": measure_tables(),
        "location": [run_case(case, stations, count) for case in CASES],
    }  # fmt: skip
    text = json.dumps(result, indent=2)
    print(text)
    RESULTS.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
