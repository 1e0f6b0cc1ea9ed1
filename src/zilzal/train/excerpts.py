"""Labelled excerpts of records for classifiers: noise or event, and kinds of events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
from jaxtyping import Bool, Float32, Int

from zilzal.classify.features import Features, compute_features
from zilzal.core.arrays import Array
from zilzal.core.errors import GapError
from zilzal.train.consensus import read_archive
from zilzal.train.dataset import Record, read_metadata, read_seisbench

NOISE, EVENT = "noise", "event"

LEAST_S = 22.0
"""Shorter spans are not used."""

MOST_MINUTES = 450
"""Of a station's archive that are taken as noise, evenly spread."""

_WHOLE = 0.4
"""Share of random windows that are not cut short."""
_BEFORE_P_S = 2.0
"""Noise before an event ends so long before its P: labels scatter, and filters look ahead."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Excerpt:
    """A span of a record with its class.

    Args:
        samples: raw, 0 where absent.
        present: which were recorded.
        sampling_rate: of them.
        label: the class.
        event: what a split must not divide.
        station: network and station code; neither may be divided in a split by station.
        source: name of the set.
        split: "train" or "dev".
        onset: sample of the P; None where there is none or nobody knows.
    """

    samples: Float32[Array, "component sample"]
    present: Bool[Array, "component sample"]
    sampling_rate: float
    label: str
    event: str
    station: str
    source: str
    split: str
    onset: float | None = None

    @property
    def length_s(self) -> float:
        """Of the span."""
        return self.samples.shape[1] / self.sampling_rate


def stations_of(folder: Path) -> dict[str, str]:
    """Network and station code of each trace of a SeisBench folder."""
    return {
        line.text("trace_name"): ".".join(
            (line.text("station_network_code"), line.text("station_code"))
        )
        for line in read_metadata(folder)
    }


def read_noise_and_events(
    shared: Path, *, archives: Mapping[str, Sequence[str]] = MappingProxyType({})
) -> list[Excerpt]:
    """All excerpts of the labelled sets, of the peers' windows and of archives' clean spans.

    Noise is what a set calls noise and what an analyst's set recorded before P. Left out are
    records shorter than `LEAST_S` (all of toc2me).

    Args:
        shared: the project's folder of data.
        archives: continuous sets whose clean spans are noise to train on, with the stations
            that may be used, as "AZ.FRD"; none named means all.
    """
    folders = sorted((shared / "data" / "picks").iterdir())
    folders += sorted((shared / "peers" / "windows").iterdir())
    excerpts = read_sets(folders)
    for name, allowed in archives.items():
        folder = shared / "data" / "continuous" / name
        for record in read_archive(folder, shared / "peers" / "consensus"):
            if not allowed or _station_of(record) in allowed:
                minutes = list(_clean_spans(record))
                excerpts += minutes[:: 1 + len(minutes) // MOST_MINUTES]
    return excerpts


def read_sets(folders: Iterable[Path]) -> list[Excerpt]:
    """Noise and events of sets in SeisBench's format, see `read_noise_and_events`."""
    excerpts: list[Excerpt] = []
    for folder in folders:
        stations = stations_of(folder)
        for record in read_seisbench(folder, splits=("train", "dev")):
            excerpts += _of_record(record, stations[record.name])
    return excerpts


def _of_record(record: Record, station: str) -> Iterator[Excerpt]:
    recorded = np.flatnonzero(record.present.any(axis=0))
    if not len(recorded):
        return
    first, end = int(recorded[0]), int(recorded[-1]) + 1
    if record.kind == "noise":
        yield from _long_enough([_excerpt(record, station, NOISE, first, end)])
    elif record.onsets:
        onset = record.onsets[0].sample
        event = _excerpt(record, station, EVENT, first, end)
        yield from _long_enough([replace(event, onset=onset - first)])
        if record.source.startswith("ncedc"):
            before = int(onset - _BEFORE_P_S * record.sampling_rate)
            yield from _long_enough([_excerpt(record, station, NOISE, first, before)])


def _excerpt(record: Record, station: str, label: str, first: int, end: int) -> Excerpt:
    first, end = max(0, first), max(0, end)
    return Excerpt(
        samples=record.samples[:, first:end],
        present=record.present[:, first:end],
        sampling_rate=record.sampling_rate,
        label=label,
        event=record.event,
        station=station,
        source=record.source,
        split=record.split,
    )


def _long_enough(excerpts: Iterable[Excerpt]) -> Iterator[Excerpt]:
    return (excerpt for excerpt in excerpts if excerpt.length_s >= LEAST_S)


def _clean_spans(record: Record, *, length_s: float = 60.0) -> Iterator[Excerpt]:
    """Clean spans of an archive's station, cut into minutes; their hour is their event."""
    length = round(length_s * record.sampling_rate)
    for first, last in record.quiet:
        for start in range(first, last - length + 1, length):
            hour = int(start / record.sampling_rate / 3600)
            excerpt = _excerpt(record, _station_of(record), NOISE, start, start + length)
            yield replace(excerpt, event=f"{record.source} hour {hour}")


def _station_of(record: Record) -> str:
    """Network and station of an archive's record."""
    return ".".join(record.name.split(".")[:2])


def read_kinds(folder: Path, *, sampling_rate: float) -> list[Excerpt]:
    """Whole records of a set whose class stands in `source_type`.

    `event` is the set's `source_group` where it has one, since members of a swarm resemble each
    other, and the event's own id follows it after a blank: "group id".
    """
    excerpts: list[Excerpt] = []
    lines = {line.text("trace_name"): line for line in read_metadata(folder)}
    stations = stations_of(folder)
    for record in read_seisbench(folder, sampling_rate=sampling_rate, splits=("train", "dev")):
        line = lines[record.name]
        label = line.text("source_type")
        whole = _excerpt(record, stations[record.name], label, 0, record.length)
        group = line.text("source_group", record.event)
        excerpts.append(replace(whole, event=f"{group} {record.event}"))
    return excerpts


def draw_window(
    excerpt: Excerpt, features: Features, rng: np.random.Generator, *, shortens: bool = True
) -> tuple[Float32[Array, "component sample"], Bool[Array, "component sample"]]:
    """A window of an excerpt at a random place, often cut short as gaps and late starts cut it.

    The P, where there is one, lies 5 s or more after the window's start and 8 s or more before
    the end of what is present. With `shortens`, both classes are cut short alike, since records
    of one class are shorter than those of the other, and that must not tell them apart.
    """
    rate = excerpt.sampling_rate
    length = round(features.window_s * rate)
    is_whole = rng.random() < _WHOLE or not shortens
    span = length if is_whole else round(rng.uniform(LEAST_S, features.window_s) * rate)
    recorded = excerpt.samples.shape[1]
    span = min(span, recorded)
    lowest, highest = 0, recorded - span
    if excerpt.onset is not None:
        lowest = max(0, min(highest, round(excerpt.onset + 8 * rate) - span))
        highest = max(lowest, min(highest, round(excerpt.onset - 5 * rate)))
    start = int(rng.integers(lowest, highest + 1))
    place = int(rng.integers(0, length - span + 1))
    samples = np.zeros((len(excerpt.samples), length), np.float32)
    present = np.zeros(samples.shape, bool)
    samples[:, place : place + span] = excerpt.samples[:, start : start + span]
    present[:, place : place + span] = excerpt.present[:, start : start + span]
    return samples, present


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """Features of excerpts, row by row.

    Args:
        x: features.
        labels: class of each row.
        number: of the excerpt each row was taken from.
        excerpts: all of them.
    """

    x: Float32[Array, "sample feature"]
    labels: Array
    number: Int[Array, " sample"]
    excerpts: tuple[Excerpt, ...]

    def take(self, chosen: Array) -> Table:
        """Some rows, by number or mask."""
        return replace(
            self, x=self.x[chosen], labels=self.labels[chosen], number=self.number[chosen]
        )

    def column(self, name: str) -> Array:
        """A text of the excerpt of each row: "event", "station", "source" or "split"."""
        texts = np.array([getattr(excerpt, name) for excerpt in self.excerpts])
        return texts[self.number]


def random_table(
    features: Features,
    excerpts: Sequence[Excerpt],
    rng: np.random.Generator,
    *,
    draws: int = 1,
    shortens: bool = True,
) -> Table:
    """Features of random windows, `draws` of each excerpt; too dead ones are left out."""
    rows, numbers = [], []
    for number, excerpt in enumerate(excerpts):
        for _ in range(draws):
            samples, present = draw_window(excerpt, features, rng, shortens=shortens)
            try:
                row = compute_features(features, samples, present, excerpt.sampling_rate)
            except GapError:
                continue
            rows.append(row)
            numbers.append(number)
    return _table(rows, numbers, excerpts)


def whole_table(features: Features, excerpts: Sequence[Excerpt]) -> Table:
    """Features of each excerpt from its start; too dead ones are left out."""
    rows, numbers = [], []
    for number, excerpt in enumerate(excerpts):
        try:
            rows.append(
                compute_features(features, excerpt.samples, excerpt.present, excerpt.sampling_rate)
            )
        except GapError:
            continue
        numbers.append(number)
    return _table(rows, numbers, excerpts)


def _table(rows: Sequence[Array], numbers: Sequence[int], excerpts: Sequence[Excerpt]) -> Table:
    number = np.array(numbers, int)
    labels = np.array([excerpt.label for excerpt in excerpts])
    return Table(x=np.stack(rows), labels=labels[number], number=number, excerpts=tuple(excerpts))
