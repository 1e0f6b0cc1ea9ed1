"""A classifier's file: a network of `zilzal.learn` with classes, features and calibration."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import numpy as np
from jaxtyping import Float, Float32

from zilzal.classify.features import Features
from zilzal.core.arrays import Array
from zilzal.core.errors import FormatError, ModelError, SpecError
from zilzal.core.event import EventType
from zilzal.learn.files import Model, load_model


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassModel:
    """What a classifier's file holds.

    Args:
        name: of the model.
        network: with its parameters; takes features as they come.
        features: its input.
        classes: in the order of the probabilities.
        types: QuakeML's word for each class; "not existing" marks noise.
        correlation: of records of one event, see `fusion.fuse`.
        sha256: of the file.
    """

    name: str
    network: Model
    features: Features
    classes: tuple[str, ...]
    types: tuple[EventType, ...]
    correlation: float
    sha256: str = ""

    @property
    def noise(self) -> int | None:
        """Which class is noise; None where the model knows none."""
        found = [n for n, kind in enumerate(self.types) if kind is EventType.NOT_EXISTING]
        return found[0] if found else None

    def probabilities(self, x: Float32[Array, "record feature"]) -> Float[Array, "record class"]:
        """Calibrated probabilities of each record, one column a class."""
        told = self.network.predict(x).astype(np.float64)
        return np.hstack([1 - told, told]) if told.shape[1] == 1 else told


def read_class_model(path: Path) -> ClassModel:
    """Read a classifier's file.

    Raises:
        ModelError: there is no such file.
        SpecError: it is not a classifier, or its parts contradict each other.
    """
    if not path.is_file():
        raise ModelError(f"no classifier at {path}")
    try:
        model = load_model(path)
        notes = model.notes
        classes = tuple(str(name) for name in notes["classes"])
        told = ClassModel(
            name=str(notes["name"]),
            network=model,
            features=Features.from_notes(notes["features"]),
            classes=classes,
            types=tuple(EventType(notes["event_types"][name]) for name in classes),
            correlation=float(notes["correlation"]),
            sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        )
    except (FormatError, KeyError, TypeError, ValueError) as error:
        raise SpecError(f"{path} is not a classifier: {error!r}") from error
    outputs = model.network.outputs
    if len(classes) < 2 or outputs != (1 if len(classes) == 2 else len(classes)):
        raise SpecError(f"{path}: {outputs} outputs do not fit the classes {classes}")
    if model.head != ("sigmoid" if outputs == 1 else "softmax"):
        raise SpecError(f"{path}: the head {model.head!r} gives no probabilities of {classes}")
    if not 0 <= told.correlation <= 1:
        raise SpecError(f"{path}: the correlation must be 0 to 1, not {told.correlation}")
    return told


def network_folder() -> Path:
    """Where the package keeps its classifiers."""
    return Path(str(files("zilzal.classify"))) / "networks"


def packaged_classifiers() -> list[str]:
    """Names of the packaged classifiers, in order."""
    return sorted(path.stem for path in network_folder().glob("*.npz"))


def find_class_model(name_or_path: str) -> ClassModel:
    """A classifier given its path or the name of a packaged one; read once.

    Raises:
        ModelError: it is neither.
        SpecError: the file is not a classifier.
    """
    path = Path(name_or_path)
    if not path.is_file() and name_or_path in packaged_classifiers():
        path = network_folder() / f"{name_or_path}.npz"
    if not path.is_file():
        raise ModelError(
            f"no classifier {name_or_path!r}: neither a file nor one of the packaged "
            f"{packaged_classifiers()}"
        )
    return _read_once(path.resolve(), path.stat().st_mtime_ns)


@lru_cache(maxsize=16)
def _read_once(path: Path, changed_ns: int) -> ClassModel:  # noqa: ARG001 - part of the key
    return read_class_model(path)
