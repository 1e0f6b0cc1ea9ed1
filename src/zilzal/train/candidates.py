"""Pickers to be compared, and how they are run on windows: as in operation."""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import zilzal
from zilzal.core.errors import ConfigError
from zilzal.core.ids import SensorId
from zilzal.core.pick import Phase, Pick
from zilzal.core.probability import Probabilities
from zilzal.core.stage import Picker
from zilzal.core.time import NS_PER_S, Time
from zilzal.core.waveform import Window
from zilzal.infer.engine import load_model
from zilzal.infer.packaged import find_model
from zilzal.pick.motion import network_folder
from zilzal.pick.neural import NeuralPicker
from zilzal.pick.stalta import StaLtaPicker
from zilzal.train.answers import Answers, sign_of
from zilzal.train.case import Case
from zilzal.train.windows import SAMPLING_RATE

LOWEST = 0.05
"""Threshold at which networks run, so that higher ones can be tried on their picks."""

CLASSICAL = "stalta"
"""Name of the picker that needs no network."""

_NAME = re.compile(r"[\w.+-]+")
_DECIDING_ROOMS = ("core", "signal", "infer", "detect", "pick")
_DAYS = 15_000
"""Windows are put at times within so many days of 1970-01-01."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A picker that can be run.

    Args:
        name: by which it is told from others.
        picker: set to give all picks that any threshold may let through.
        thresholds: its own, by phase.
        fingerprint: of all that decides its picks but the windows.
        detects: whether it also detects events.
        about: of its network: hash, version, training data; empty of the classical picker.
    """

    name: str
    picker: Picker
    thresholds: Mapping[Phase, float]
    fingerprint: str
    detects: bool = True
    about: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def lowest(self, phase: Phase) -> float:
        """The lowest threshold for which its picks are known."""
        own = self.thresholds[phase]
        return min(LOWEST, own) if isinstance(self.picker, NeuralPicker) else own


def find_candidates(texts: Iterable[str]) -> list[Candidate]:
    """Candidates by "stalta", a packaged network's name, a file, or NAME=one of these.

    Raises:
        ConfigError: a name is used twice or cannot be a file's name.
        ModelError: there is no such network, or it cannot be used.
    """
    found = [_find(text) for text in texts]
    check_names([candidate.name for candidate in found])
    return found


def check_names(names: Sequence[str]) -> None:
    """Raise ConfigError where names are not distinct, or no names of files."""
    for name in names:
        if not _NAME.fullmatch(name):
            raise ConfigError(
                f"picker's name {name!r} may hold letters, digits and . _ + - only; "
                "give another as NAME=FILE"
            )
        if names.count(name) > 1:
            raise ConfigError(f"two pickers are named {name!r}; tell them apart as NAME=FILE")


def _find(text: str) -> Candidate:
    name, _, place = text.rpartition("=")
    if place == CLASSICAL:
        return _classical(name or CLASSICAL)
    path = find_model(place)
    return _network(name or path.stem, path)


def _classical(name: str) -> Candidate:
    picker = StaLtaPicker()
    return Candidate(
        name=name,
        picker=picker,
        thresholds=dict.fromkeys(Phase, picker.minimum_score),
        fingerprint=_fingerprint(repr(picker)),
    )


def _network(name: str, path: Path) -> Candidate:
    NeuralPicker(model=str(path)).start()  # refuses networks that cannot pick
    model = load_model(path)
    phases = [phase for phase in Phase if phase.value in model.spec.labels]
    thresholds = {phase: model.spec.thresholds[phase.value] for phase in phases}
    lowest = {phase.value: min(LOWEST, own) for phase, own in thresholds.items()}
    return Candidate(
        name=name,
        picker=NeuralPicker(model=str(path), thresholds=lowest, with_probabilities=True),
        thresholds=thresholds,
        detects="detection" in model.spec.labels,
        fingerprint=_fingerprint(model.sha256, str(sorted(lowest.items()))),
        about={
            "sha256": model.sha256,
            "version": model.spec.version,
            "commit": model.spec.commit,
            "training_data": model.spec.training_data,
        },
    )


def _fingerprint(*parts: str) -> str:
    text = "\x1f".join([zilzal.__version__, _code_hash(), *parts])
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def _code_hash() -> str:
    """Hash of what makes picks: kept ones must not outlive a change of it."""
    digest = hashlib.sha256()
    package = Path(zilzal.__file__).parent
    for room in _DECIDING_ROOMS:
        for path in sorted((package / room).glob("*.py")):
            digest.update(path.read_bytes())
    for path in sorted(network_folder().glob("*.npz")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def windows_hash(cases: Sequence[Case]) -> str:
    """Hash of windows: their samples and what puts them on the time axis."""
    digest = hashlib.sha256()
    for case in cases:
        digest.update(str(case.key).encode())
        digest.update(np.ascontiguousarray(case.trial.samples).tobytes())
    return digest.hexdigest()


def pick_cases(candidate: Candidate, cases: Sequence[Case]) -> Answers:
    """Run a picker on windows, each a sensor of its own, recorded at a time of its own."""
    windows = [_window(number, case) for number, case in enumerate(cases)]
    state, begun = candidate.picker.step(candidate.picker.start(), windows)
    rest = candidate.picker.finish(state)
    place = {window.sensor_id: number for number, window in enumerate(windows)}
    curves: dict[SensorId, list[Probabilities]] = {}
    for curve in (*begun.probabilities, *rest.probabilities):
        curves.setdefault(curve.sensor_id, []).append(curve)

    def row(pick: Pick) -> tuple[Any, ...]:
        sensor = pick.channel_id.sensor_id
        number = place[sensor]
        output = _output(pick, curves.get(sensor, ()))
        return (
            number, pick.phase.value, pick.time - windows[number].start, output,
            pick.probability, pick.uncertainty_s, sign_of(pick.polarity),
        )  # fmt: skip

    detections = [
        (n := place[each.sensor_id], each.start - windows[n].start, each.end - windows[n].start)
        for each in (*begun.detections, *rest.detections)
    ]
    return Answers.of_rows(
        [row(pick) for pick in (*begun.picks, *rest.picks)],
        detections if candidate.detects else None,
    )


def _window(number: int, case: Case) -> Window:
    """A window at a time drawn from its name: a network's grid is anchored at the epoch."""
    rng = np.random.default_rng(zlib.crc32(repr(case.key).encode()))
    ticks = int(rng.integers(round(_DAYS * 86_400 * SAMPLING_RATE)))
    return Window(
        sensor_id=SensorId("XX", f"W{number}", "", "HH"),
        start=Time(ticks * round(NS_PER_S / SAMPLING_RATE)),
        sampling_rate=SAMPLING_RATE,
        samples=case.trial.samples,
        present=case.trial.present,
    )


def _output(pick: Pick, curves: Iterable[Probabilities]) -> float:
    """What thresholds act on: a network's output at the pick, before it is calibrated."""
    for curve in curves:
        at = round((pick.time - curve.start) * curve.sampling_rate)
        row = curve.labels.index(pick.phase.value)
        if 0 <= at < curve.values.shape[1]:
            return float(np.nanmax(curve.values[row, max(0, at - 1) : at + 2]))
    return pick.probability
