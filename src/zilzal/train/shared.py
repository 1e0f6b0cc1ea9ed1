"""The project's shared training material: which folders are what."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from zilzal.train.consensus import read_archive, with_peer_picks
from zilzal.train.dataset import Record, read_seisbench
from zilzal.train.labels import with_codas
from zilzal.train.skill import Trial, random_trials

ARCHIVES = ("ridgecrest_2019-07-07", "mesetas_2019-12-24", "anza_1998-01-01")
"""Continuous data with consensus picks."""


def read_training_records(
    shared: Path | None,
    *,
    sets: Sequence[Path] = (),
    splits: Sequence[str] = ("train",),
    without: Sequence[str] = (),
) -> list[Record]:
    """Records to learn from, with intervals of events.

    Args:
        shared: the project's folder with labelled sets, windows and archives; None for none.
        sets: further folders in SeisBench's format.
        splits: of the records.
        without: names of sets left out.
    """
    records = [
        record
        for folder in sets
        if folder.name not in without
        for record in read_seisbench(folder, splits=splits)
    ]
    if shared is not None:
        records += _shared_records(shared, splits, without)
    return list(map(with_codas, records))


def _shared_records(shared: Path, splits: Sequence[str], without: Sequence[str]) -> list[Record]:
    records: list[Record] = []
    for folder in sorted((shared / "data" / "picks").iterdir()):
        if folder.name not in without:
            of_set = read_seisbench(folder, splits=splits)
            records += with_peer_picks(of_set, shared / "peers" / "picks")
    for folder in sorted((shared / "peers" / "windows").iterdir()):
        if folder.name not in without:
            records += read_seisbench(folder, splits=splits)
    if "train" in splits:
        for name in ARCHIVES:
            if name not in without:
                folder = shared / "data" / "continuous" / name
                records += read_archive(folder, shared / "peers" / "consensus")
    return records


def read_development_records(
    shared: Path | None, *, sets: Sequence[Path] = (), without: Sequence[str] = ()
) -> list[Record]:
    """Development records of the sets with labels that are not a consensus.

    Of the others their noise: there is little of it, and thresholds hang on it.
    """
    labelled, machine = list(sets), list[Path]()
    if shared is not None:
        labelled += sorted((shared / "data" / "picks").iterdir())
        machine += sorted((shared / "peers" / "windows").iterdir())
    return [
        with_codas(record)
        for folder in (*labelled, *machine)
        if folder.name not in without
        for record in read_seisbench(folder, splits=("dev",))
        if folder not in machine or record.kind == "noise"
    ]


def development_trials(records: Sequence[Record], *, seed: int = 0, shifts: int = 1) -> list[Trial]:
    """Windows of each record, shifted at random."""
    rng = np.random.default_rng(seed)
    return [trial for _ in range(shifts) for trial in random_trials(records, rng)]
