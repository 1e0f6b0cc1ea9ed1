"""The demonstration: a synthetic network against its truth, and a real event."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np

from zilzal.app.archive import Summary, catalogue_of, pick_archive, run_archive
from zilzal.app.configuration import read_configuration
from zilzal.app.progress import Report
from zilzal.app.synthetic import Synthetic, make_synthetic
from zilzal.core.catalogue import Catalogue
from zilzal.core.event import Event, Origin
from zilzal.core.geo import distance_m
from zilzal.core.pick import Phase, Pick
from zilzal.core.units import km
from zilzal.evaluate.catalogue import Hypocentres, match_catalogues
from zilzal.evaluate.picks import PickScore, score_picks
from zilzal.io.archive import Archive
from zilzal.io.inventory import read_inventory
from zilzal.io.store import Store
from zilzal.synth.scenario import Scenario
from zilzal.synth.scoring import picks_and_labels, true_hypocentres
from zilzal.synth.truth import TrueEvent
from zilzal.synth.visibility import visible_arrivals


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the demonstration found.

    Args:
        made: the synthetic network.
        summary: of the run.
        catalogue: found.
        rows: of the table, one for each true event.
        found: true events that were found.
        missed: true events that were not.
        false: events that are not true.
        picks: scores by phase.
    """

    made: Synthetic
    summary: Summary
    catalogue: Catalogue
    rows: tuple[tuple[str, ...], ...]
    found: int
    missed: int
    false: int
    picks: Mapping[Phase, PickScore]


@dataclass(frozen=True, slots=True, kw_only=True)
class RealEvent:
    """A real event's records, its picks, and the table of them."""

    archive: Archive
    picks: tuple[Pick, ...]
    table: Path


def run_demo(scenario: Scenario, output: Path, picker: str, report: Report) -> Shown:
    """Make the network, work it through, and hold the result against the truth."""
    report("synthesise", 0, 1, scenario.name)
    made = make_synthetic(scenario, output)
    report("synthesise", 1, 1, f"{len(made.network.events)} events")
    settings = read_configuration(
        changes={
            "picker": {"use": picker},
            "earth": {"model": scenario.earth_model},
            "run": {"workers": 1},
        }
    )
    inventory = read_inventory([made.inventory])
    summary = run_archive([made.waveforms], inventory, output, settings, report)
    with Store.open(output / "zilzal.db") as store:
        catalogue = catalogue_of(store.events().events)
        picks = store.picks(configuration=settings.picking_sha256)
    pairs = match_catalogues(true_hypocentres(made.network.events), Hypocentres.of(catalogue))
    matched = {int(true): catalogue.events[int(ours)] for true, ours in pairs}
    visible = visible_arrivals(made.network)
    scores = {
        phase: score_picks(
            *picks_and_labels(made.network, visible, picks, phase), np.random.default_rng(0)
        )
        for phase in Phase
    }
    return Shown(
        made=made,
        summary=summary,
        catalogue=catalogue,
        rows=tuple(_row(t, matched.get(i)) for i, t in enumerate(made.network.events)),
        found=len(pairs),
        missed=len(made.network.events) - len(pairs),
        false=len(catalogue) - len(pairs),
        picks=scores,
    )


def _row(true: TrueEvent, ours: Event | None) -> tuple[str, ...]:
    head = (str(true.time)[11:19], f"{true.magnitude:.1f}", str(true.event_type))
    if ours is None or not isinstance(ours.origin, Origin):
        return (*head, "missed", "", "", "")
    truth, found = true_hypocentres([true]), Hypocentres.of([ours])
    away = float(
        distance_m(true.latitude, true.longitude, ours.origin.latitude, ours.origin.longitude)
    )
    size = ours.magnitude
    return (
        *head,
        f"{km(away):.1f} km",
        f"{km(float(found.depth_m[0] - truth.depth_m[0])):+.1f} km",
        f"{ours.origin.time - true.time:+.2f} s",
        "none" if size is None or size.magnitude is None
        else f"{size.type} {size.magnitude - true.magnitude:+.2f}",
    )  # fmt: skip


def pick_real_event(output: Path, picker: str) -> RealEvent:
    """Pick the recordings of 27 May 2010 at BW.UH1 to UH4 that ObsPy's wheel carries.

    The stations belong to the Bavarian network (doi:10.7914/SN/BW).
    """
    folder = Path(str(files("obspy"))) / "signal" / "tests" / "data"
    sources = [
        _unpack(path, output / "real")
        for path in sorted(folder.glob("BW.UH?._.*.D.2010.147.cut.slist.gz"))
    ]
    settings = read_configuration(changes={"picker": {"use": picker}, "run": {"workers": 1}})
    table = output / "real-picks.csv"
    pick_archive(sources, None, table, settings)
    with Store.open(table.with_suffix(".db")) as store:
        picks = store.picks(configuration=settings.picking_sha256)
    return RealEvent(archive=Archive.open(sources), picks=tuple(picks), table=table)


def _unpack(packed: Path, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / packed.stem
    path.write_bytes(gzip.decompress(packed.read_bytes()))
    return path
