"""Pools of training windows, drawn ahead by other processes and kept on disk."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float16, UInt8

from zilzal.core.arrays import Array
from zilzal.core.errors import ConfigError
from zilzal.infer.engine import Model
from zilzal.signal.prepare import Preparation, prepare_record
from zilzal.train.augment import Cut
from zilzal.train.labels import LABELS
from zilzal.train.mixture import Materials, Mixing, draw_cut, gather, labelled
from zilzal.train.shared import read_training_records
from zilzal.train.teachers import TAUGHT, load_teachers, taught_curves

if TYPE_CHECKING:
    from zilzal.train.options import PickerTraining

_BATCH = 64
"""Windows that teachers see at once."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pool:
    """Windows in compact form: float16 samples, curves in steps of 1/255.

    Args:
        samples: prepared.
        targets: curves wanted, of `LABELS`.
        weights: how much each sample of a curve counts.
        taught: P and S of each teacher; none without teachers.
        sources: of each window, the sets that had a part in it, joined by blanks.
    """

    samples: Float16[Array, "window component sample"]
    targets: UInt8[Array, "window label sample"]
    weights: UInt8[Array, "window label sample"]
    taught: UInt8[Array, "window curve sample"]
    sources: Array

    def __len__(self) -> int:
        return len(self.samples)

    def without(self, sets: Sequence[str]) -> Pool:
        """The windows in which none of these sets had a part."""
        if not sets:
            return self
        kept = untouched(self.sources, sets)
        return replace(self, **{part.name: getattr(self, part.name)[kept] for part in fields(self)})

    def write(self, path: Path) -> None:
        """Write the pool whole or not at all."""
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            np.savez(
                file, samples=self.samples, targets=self.targets, weights=self.weights,
                taught=self.taught, sources=self.sources,
            )  # fmt: skip
        part.replace(path)

    @classmethod
    def read(cls, path: Path) -> Pool:
        """What `write` wrote."""
        with np.load(path) as arrays:
            return cls(**{part.name: arrays[part.name] for part in fields(cls)})


def untouched(sources: Array, sets: Sequence[str]) -> Bool[Array, " window"]:
    """Of windows with these `sources`, which have nothing of some sets."""
    return np.array([not set(sets) & set(text.split()) for text in sources], bool)


def draw_pool(
    materials: Materials,
    mixing: Mixing,
    preparation: Preparation,
    rng: np.random.Generator,
    *,
    count: int,
    teachers: Sequence[Model] = (),
) -> Pool:
    """Many windows, with the curves wanted of them and what teachers say."""
    pool = Pool(
        samples=np.empty((count, 3, mixing.length), np.float16),
        targets=np.empty((count, len(LABELS), mixing.length), np.uint8),
        weights=np.empty((count, len(LABELS), mixing.length), np.uint8),
        taught=np.empty((count, len(TAUGHT) * len(teachers), mixing.length), np.uint8),
        sources=np.empty(count, "U256"),
    )
    raw = np.empty((_BATCH, 3, mixing.length), np.float32)
    present = np.empty(raw.shape, bool)
    for number in range(count):
        cut = draw_cut(materials, mixing, rng)
        place = number % _BATCH
        raw[place], present[place] = cut.samples, cut.present
        _fill(pool, number, cut, mixing, preparation)
        pool.sources[number] = " ".join(sorted(cut.sources))
        if place == _BATCH - 1 or number == count - 1:
            told = taught_curves(teachers, raw[: place + 1], present[: place + 1])
            pool.taught[number - place : number + 1] = np.rint(told * 255)
    return pool


def _fill(pool: Pool, number: int, cut: Cut, mixing: Mixing, preparation: Preparation) -> None:
    """In place, into a pool that is being made."""
    wanted, weight = labelled(cut, mixing)
    pool.samples[number] = prepare_record(
        preparation, cut.samples, cut.present, mixing.sampling_rate
    )
    pool.targets[number] = np.rint(wanted * 255)
    pool.weights[number] = np.rint(weight * 255)


Take = Callable[[int], Pool]
"""Gives the pool of a number, waiting for it where it is still being drawn."""


@contextmanager
def pools_of(training: PickerTraining) -> Iterator[Take]:
    """All pools of a training, drawn in its `pools` folder where they are not there yet.

    Each is drawn with a generator of its own (seed, number), in as many processes as the
    training says, ahead of its use.
    """
    folder = training.pools_folder
    _claim(folder, training)
    paths = [folder / f"{number:04d}.npz" for number in range(training.pools)]
    with ProcessPoolExecutor(
        training.drawers, get_context("spawn"), initializer=_begin, initargs=(training,)
    ) as others:
        waiting: dict[int, Future[None]] = {
            number: others.submit(_draw, number, path)
            for number, path in enumerate(paths)
            if not path.is_file()
        }

        def take(number: int) -> Pool:
            if number in waiting:
                waiting.pop(number).result()
            return Pool.read(paths[number])

        try:
            yield take
        finally:
            others.shutdown(cancel_futures=True)


def _claim(folder: Path, training: PickerTraining) -> None:
    """Refuse a folder whose windows were drawn otherwise."""
    folder.mkdir(parents=True, exist_ok=True)
    path, wanted = folder / "drawing.json", training.drawing()
    if path.is_file() and (found := json.loads(path.read_text(encoding="utf-8"))) != wanted:
        unlike = sorted(name for name in wanted if found.get(name) != wanted[name])
        raise ConfigError(
            f"{folder} holds windows that were drawn with other {', '.join(unlike)}; "
            "give another folder, or the options in its drawing.json"
        )
    path.write_text(json.dumps(wanted, indent=1) + "\n", encoding="utf-8")


_drawing: dict[str, Any] = {}
"""What a drawing process reads once."""


def _begin(training: PickerTraining) -> None:
    _drawing["training"] = training
    _drawing["materials"] = gather(read_training_records(training.shared, sets=training.sets))
    _drawing["teachers"] = load_teachers(training.teachers)


def _draw(number: int, path: Path) -> None:
    training: PickerTraining = _drawing["training"]
    draw_pool(
        _drawing["materials"], training.mixing, training.preparation,
        np.random.default_rng((training.seed, number)),
        count=training.windows, teachers=_drawing["teachers"],
    ).write(path)  # fmt: skip
