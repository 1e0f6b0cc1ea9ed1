"""Trained networks and checkpoints as .npz files: arrays and a JSON text, never a pickle.

The same content gives the same bytes, whenever it is written.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from zilzal.core.arrays import Array
from zilzal.core.errors import FormatError
from zilzal.learn.descent import Position
from zilzal.learn.layers import ACTIVATIONS, Activation, Convolution, Dense, Part
from zilzal.learn.losses import HEADS
from zilzal.learn.network import Network, Parameters
from zilzal.learn.training import Progress

SPEC = "spec"
_MODEL, _CHECKPOINT = "zilzal.learn.model/1", "zilzal.learn.checkpoint/1"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Model:
    """A trained network, ready to predict with NumPy alone.

    Args:
        network: the architecture.
        parameters: of it.
        head: from its outputs to what is predicted, one of `losses.HEADS`.
        notes: anything that JSON holds: labels, preparation, training data, seed, licence.
    """

    network: Network
    parameters: Parameters
    head: str = "sigmoid"
    notes: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def __post_init__(self) -> None:
        if self.head not in HEADS:
            raise ValueError(f"unknown head {self.head!r}; choose one of {sorted(HEADS)}")
        if self.parameters.shape != (self.network.size,):
            raise ValueError(
                f"parameters are {self.parameters.shape}; the network has {self.network.size}"
            )

    def predict(self, x: Float[Array, "sample feature"]) -> Float[Array, "sample output"]:
        """The head of the network's outputs: probabilities, for a classifier."""
        return HEADS[self.head](self.network.forward(self.parameters, x))


def save_model(path: Path, model: Model) -> None:
    """Write a model: weights as W1, b1, W2, …, and the architecture as JSON."""
    spec = {"format": _MODEL, "parts": _describe(model.network), "head": model.head}
    arrays: dict[str, Array] = {}
    for k, (weights, bias) in enumerate(model.network.split(model.parameters), start=1):
        arrays[f"W{k}"], arrays[f"b{k}"] = weights, bias
    _write(path, spec | {"notes": dict(model.notes)}, arrays)


def load_model(path: Path) -> Model:
    """Read a model.

    Raises:
        FormatError: not such a file, or its arrays contradict its architecture.
    """
    spec, arrays = _read(path, _MODEL)
    try:
        network = Network(tuple(_part(part) for part in spec["parts"]))
        theta = np.empty(network.size, arrays["W1"].dtype)
        for k, views in enumerate(network.split(theta), start=1):
            for name, view in zip((f"W{k}", f"b{k}"), views, strict=True):
                if arrays[name].shape != view.shape:
                    raise ValueError(f"{name} is {arrays[name].shape}, expected {view.shape}")
                view[:] = arrays[name]
        return Model(network=network, parameters=theta, head=spec["head"], notes=spec["notes"])
    except (KeyError, TypeError, ValueError) as error:
        raise FormatError(f"{path}: the model contradicts itself ({error!r})") from error


def save_checkpoint(path: Path, progress: Progress) -> None:
    """Write a training between two epochs, so that it goes on bit by bit as it would have."""
    position = progress.position
    arrays = {"parameters": position.parameters, "best": progress.best[0]}
    numbers: dict[str, int] = {}
    for prefix, state in (("rule.", position.state), ("average.", progress.average)):
        for name, value in state.items():
            if isinstance(value, int):
                numbers[prefix + name] = value
            else:
                arrays[prefix + name] = value
    lowest = progress.best[1]
    spec = {
        "format": _CHECKPOINT,
        "numbers": numbers,
        "iteration": position.iteration,
        "epoch": progress.epoch,
        "waited": progress.waited,
        "stopped": progress.stopped,
        "best_loss": lowest if math.isfinite(lowest) else None,
        "generator": progress.generator.bit_generator.state,
    }
    _write(path, spec, arrays)


def load_checkpoint(path: Path) -> Progress:
    """Read a training; give it to `Training.run` of the same training.

    Raises:
        FormatError: not such a file, or a part of it is missing.
    """
    spec, arrays = _read(path, _CHECKPOINT)
    try:
        entries: dict[str, Any] = arrays | spec["numbers"]
        generator = np.random.default_rng()
        generator.bit_generator.state = spec["generator"]
        position = Position(
            parameters=arrays["parameters"],
            state=_under("rule.", entries),
            iteration=spec["iteration"],
        )
        lowest = spec["best_loss"]
        return Progress(
            position=position,
            generator=generator,
            epoch=spec["epoch"],
            best=(arrays["best"], math.inf if lowest is None else lowest),
            waited=spec["waited"],
            average=_under("average.", entries),
            stopped=spec["stopped"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise FormatError(f"{path}: the checkpoint is incomplete ({error!r})") from error


def _under(prefix: str, entries: Mapping[str, Any]) -> dict[str, Any]:
    return {k.removeprefix(prefix): v for k, v in entries.items() if k.startswith(prefix)}


def _describe(network: Network) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = []
    for part in network.parts:
        if isinstance(part, Dense):
            parts.append({"part": "dense", "inputs": part.inputs, "outputs": part.outputs})
        elif isinstance(part, Convolution):
            parts.append({"part": "convolution", **asdict(part)})
        elif isinstance(part, Activation) and ACTIVATIONS.get(part.name) == part:
            parts.append({"part": part.name})
        else:
            raise ValueError(
                f"{part} cannot be saved; only Dense, Convolution and {sorted(ACTIVATIONS)} can"
            )
    return parts


def _part(entry: Mapping[str, Any]) -> Part:
    if entry["part"] == "dense":
        return Dense(int(entry["inputs"]), int(entry["outputs"]))
    if entry["part"] == "convolution":
        return Convolution(**{name: int(n) for name, n in entry.items() if name != "part"})
    return ACTIVATIONS[entry["part"]]


def _write(path: Path, spec: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
    """An .npz whose bytes depend on nothing but its content, in place at once or not at all."""
    text = json.dumps(spec, sort_keys=True, allow_nan=False)
    partial = path.with_name(path.name + ".partial")
    with zipfile.ZipFile(partial, "w") as archive:
        for name, array in {SPEC: np.array(text), **arrays}.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, np.asarray(array, order="C"), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(name + ".npy"), content.getvalue())
    partial.replace(path)


def _read(path: Path, form: str) -> tuple[dict[str, Any], dict[str, Array]]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        spec: dict[str, Any] = json.loads(str(arrays.pop(SPEC)))
    except (KeyError, ValueError, TypeError, EOFError, zipfile.BadZipFile, AttributeError) as error:
        raise FormatError(f"{path}: not a file of zilzal.learn ({error!r})") from error
    if spec.get("format") != form:
        raise FormatError(f"{path}: its format is {spec.get('format')!r}, expected {form!r}")
    return spec, arrays
