"""Association by partition of space and time (PyOcto), with settings that derive themselves."""

# PyOcto and pandas carry no types.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import logging
import struct
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import zilzal
from zilzal.associate.null import NullTest, busiest, run_null_test
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
from zilzal.core.units import km, metres
from zilzal.travel import TravelTimeTables, load_model

if TYPE_CHECKING:
    import pandas as pd
    import pyocto

logger = logging.getLogger(__name__)

TABLE_SPACING_M = 1_000.0
CAUTIOUS_PICKS = 8
"""That make an event before a null test can be made."""
BUSY_PICKS = 800
"""The null test looks at the busiest stretch of so many picks; more would only take longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OctreeAssociator:
    """PyOcto's partition of space and time, in a layered earth.

    Args:
        earth_model: name of a built-in model, or path of a file.
        min_picks: that make an event; None chooses them by the null test.
        false_share: share of false events that the null test allows, in (0, 1).
        tolerance_s: largest misfit of a pick; None derives it.
        max_depth_km: of the deepest event that is looked for.
        seed: of the null test's shifts.
        threads: that search; the result is the same.

    Source:
        Münchmeyer (2024), PyOcto: a high-throughput seismic phase associator,
        doi:10.26443/seismica.v3i1.1130.
    """

    earth_model: str = "ak135"
    min_picks: int | None = None
    false_share: float = 0.05
    tolerance_s: float | None = None
    max_depth_km: float = 40.0
    seed: int = 0
    threads: int = 1

    def __post_init__(self) -> None:
        check_strictness(self.min_picks, self.false_share)

    def associate(self, picks: Sequence[Pick], stations: Sequence[Station]) -> list[Association]:
        """Associations in order of time; the order of the picks does not matter."""
        known = {station.station_id for station in stations}
        usable = sorted(
            (pick for pick in picks if pick.channel_id.station_id in known),
            key=lambda pick: (pick.time, pick.id),
        )
        if len(usable) < len(picks):
            logger.warning(
                "%d of %d picks are at stations without coordinates and were left out",
                len(picks) - len(usable),
                len(picks),
            )
        seen = {pick.channel_id.station_id for pick in usable}
        if len(usable) < LEAST_PICKS or len(seen) < LEAST_STATIONS:
            return []
        min_picks = self.min_picks or self.null_test(usable, stations).chosen
        search = replace(self.plan(usable, stations), least_picks=min_picks)
        found = self._search(usable, stations, search)
        return sorted(found, key=lambda association: association.time)

    @property
    def is_settled(self) -> bool:
        """Whether the number of picks that make an event is given."""
        return self.min_picks is not None

    def settled(self, picks: Sequence[Pick], stations: Sequence[Station]) -> OctreeAssociator:
        """The same with the least number of picks that the null test chooses on these picks.

        Too few picks for a test choose the least that a location can be wrong with.
        """
        known = {station.station_id for station in stations}
        usable = [pick for pick in picks if pick.channel_id.station_id in known]
        seen = {pick.channel_id.station_id for pick in usable}
        enough = len(usable) >= LEAST_PICKS and len(seen) >= LEAST_STATIONS
        chosen = self.null_test(usable, stations).chosen if enough else LEAST_PICKS
        return replace(self, min_picks=self.min_picks or chosen)

    def to_text(self) -> str:
        """The number of picks that make an event."""
        return str(self.min_picks)

    def terms_s(self) -> Mapping[tuple[str, Phase], float]:
        """None: it does not learn any."""
        return {}

    def remembering(self, text: str) -> OctreeAssociator:
        """The same with a number of picks from `to_text`.

        Raises:
            FormatError: it is no such number.
        """
        try:
            return replace(self, min_picks=int(text))
        except ValueError as error:
            raise FormatError(f"not a number of picks that make an event: {error}") from error

    def cautious(self) -> OctreeAssociator:
        """The same before there are picks to test on."""
        return replace(self, min_picks=CAUTIOUS_PICKS)

    def plan(self, picks: Sequence[Pick], stations: Sequence[Station]) -> Search:
        """The volume, tolerance and kinds of picks that are searched with."""
        return plan_search(
            picks,
            stations,
            max_depth_m=metres(self.max_depth_km),
            s_speed_m_per_s=_surface_s_speed(self.earth_model),
            tolerance_s=self.tolerance_s,
        )

    def null_test(self, picks: Sequence[Pick], stations: Sequence[Station]) -> NullTest:
        """How many events of each size are found, and how many of them chance would make."""
        sample = busiest(picks, BUSY_PICKS)
        search = self.plan(picks, stations)
        test = run_null_test(
            sample,
            lambda among, size: [
                a.picks for a in self._search(among, stations, replace(search, least_picks=size))
            ],
            largest_false_share=self.false_share,
            apart_s=2 * search.reach_m / _surface_s_speed(self.earth_model),
            least=search.least_picks,
            generator=np.random.default_rng(self.seed),
        )
        logger.info(
            "null test: events need %d picks; false share about %.3f",
            test.chosen,
            test.false_share,
        )
        return test

    def _search(
        self, picks: Sequence[Pick], stations: Sequence[Station], search: Search
    ) -> list[Association]:
        import pandas as pd

        if not picks:
            return []
        picks = sorted(picks, key=lambda pick: (pick.time, pick.id))
        reference = picks[0].time
        frame = pd.DataFrame(
            {
                "station": [str(pick.channel_id.station_id) for pick in picks],
                "time": [pick.time - reference for pick in picks],
                "phase": [str(pick.phase) for pick in picks],
            }
        )
        with _octree(search, self.earth_model, threads=self.threads) as associator:
            events, members = associator.associate(frame, _station_frame(stations, search))
        if events.empty:
            return []
        groups = members.groupby("event_idx")["pick_idx"].apply(list)
        provenance = Provenance(method="pyocto", version=zilzal.__version__, model=self.earth_model)
        associations: list[Association] = []
        for row in events.to_dict("records"):
            latitude, longitude = search.plane.to_place(metres(row["x"]), metres(row["y"]))
            chosen: list[Pick] = [picks[i] for i in sorted(groups[row["idx"]])]
            associations.append(
                Association(
                    picks=tuple(chosen),
                    time=reference + float(row["time"]),
                    latitude=latitude,
                    longitude=longitude,
                    depth_m=metres(float(row["z"])),
                    provenance=provenance,
                )
            )
        return associations


def _station_frame(stations: Sequence[Station], search: Search) -> pd.DataFrame:
    import pandas as pd

    places = [search.plane.to_xy_m(s.latitude, s.longitude) for s in stations]
    return pd.DataFrame(
        {
            "id": [str(station.station_id) for station in stations],
            "x": [km(x) for x, _ in places],
            "y": [km(y) for _, y in places],
            "z": [-km(station.elevation_m) for station in stations],
        }
    )


@contextmanager
def _octree(search: Search, earth_model: str, *, threads: int) -> Generator[pyocto.OctoAssociator]:
    """PyOcto's associator with our travel times; its table lives in a file while it works."""
    import pyocto

    surface = load_model(earth_model).layers[0]
    with tempfile.TemporaryDirectory(prefix="zilzal-") as folder:
        path = Path(folder) / "travel-times.bin"
        _write_table(path, earth_model, search)
        speeds: dict[str, Any] = {
            "surface_p_velocity": km(surface.p_speed_m_per_s),
            "surface_s_velocity": km(surface.s_speed_m_per_s),
        }
        table = pyocto.VelocityModel1D(path, tolerance=search.tolerance_s, **speeds)
        slowest_s = search.reach_m / surface.s_speed_m_per_s
        yield pyocto.OctoAssociator(
            xlim=(km(search.x_limits_m[0]), km(search.x_limits_m[1])),
            ylim=(km(search.y_limits_m[0]), km(search.y_limits_m[1])),
            zlim=(0.0, km(search.max_depth_m)),
            velocity_model=table,
            time_before=slowest_s,
            min_node_size=km(search.node_m),
            # PyOcto says int and means float.
            min_node_size_location=km(search.node_m) / 6,  # pyright: ignore[reportArgumentType]
            pick_match_tolerance=search.tolerance_s,
            # One level coarser than PyOcto's default: the locator does not rely on the place, and
            # what is searched takes half the time.
            location_split_depth=5,
            location_split_return=3,
            min_interevent_time=max(1.0, 2 * search.tolerance_s),
            n_picks=search.least_picks,
            n_p_picks=search.least_p,
            n_s_picks=search.least_s,
            n_p_and_s_picks=search.least_both,
            time_slicing=max(1_200.0, 4 * slowest_s),
            n_threads=threads,
        )


def _write_table(path: Path, earth_model: str, search: Search) -> None:
    """Travel times as PyOcto reads them: nx, nz, spacing [km], then P and S, distance-major."""
    reach_m = search.reach_m + 2 * TABLE_SPACING_M
    times = TravelTimeTables(model=load_model(earth_model), max_distance_m=reach_m)
    tables = [
        times.table(
            phase,
            max_distance_m=reach_m,
            max_depth_m=search.max_depth_m + 2 * TABLE_SPACING_M,
            spacing_m=TABLE_SPACING_M,
        ).time_s
        for phase in (Phase.P, Phase.S)
    ]
    with path.open("wb") as file:
        file.write(struct.pack("iid", *tables[0].shape, km(TABLE_SPACING_M)))
        for table in tables:
            file.write(np.ascontiguousarray(table, float).tobytes())


def _surface_s_speed(earth_model: str) -> float:
    return load_model(earth_model).layers[0].s_speed_m_per_s
