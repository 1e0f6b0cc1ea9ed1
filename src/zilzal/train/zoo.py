"""SeisBench's models from names and files. Nothing else here imports SeisBench, which is GPL-3."""

from __future__ import annotations

import pickle
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch

from zilzal.core.errors import ModelError

CLASSES = (
    "PhaseNet", "PhaseNetLight", "VariableLengthPhaseNet", "LFEDetect", "EQTransformer",
    "OBSTransformer", "EQTP", "EQCCTP", "EQCCTS", "GPD", "BasicPhaseAE", "Skynet",
)  # fmt: skip
"""Of SeisBench, whose way of working `train.seisbench` knows."""
_PAIR = re.compile(r"(?P<stem>.+)\.(?P<kind>json|pt)(?P<version>\.v[^/]+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A model with its weights.

    Args:
        model: an object of SeisBench's.
        name: for our file, as "phasenet-original".
        origin: where the weights came from.
    """

    model: Any
    name: str
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Construction:
    """How to make an object for weights that come without one.

    Args:
        kind: name of its class; "" where the source tells.
        arguments: of the class.
        unpickle: load a file that holds an object, running the code in it.
    """

    kind: str = ""
    arguments: Mapping[str, Any]
    unpickle: bool = False


def find_seisbench(source: str, how: Construction) -> Found:
    """A model by a name of SeisBench's, or from a file.

    Args:
        source: "PhaseNet/original", with a version as "PhaseNet/original@2"; or a path: of a pair
            .json and .pt as SeisBench writes it (either, their common stem, or a folder with
            one pair), of PyTorch's parameters (.pt, .pth, .ckpt), of arrays (.npz).
        how: what the source does not tell.

    Raises:
        ModelError: the extra `seisbench` is missing, there is no such thing, it cannot be
            downloaded, or the weights do not fit the class.
    """
    path = Path(source)
    pair = _pair(path)
    if pair is not None:
        return _from_pair(*pair, how)
    if path.is_file():
        return _from_parameters(path, how)
    if re.fullmatch(r"\w+/[\w.-]+(@[\w.-]+)?", source):
        return _pretrained(source)
    raise ModelError(f"{source} is neither a file nor a name of SeisBench's, as PhaseNet/original")


def _pretrained(source: str) -> Found:
    kind, _, rest = source.partition("/")
    weights, _, version = rest.partition("@")
    made = _class(kind)
    try:
        model = made.from_pretrained(weights, version_str=version or "latest")
    except (OSError, ValueError) as error:
        raise ModelError(
            f"SeisBench cannot give {source}: {error}. Weights that it has not kept yet are "
            "downloaded and need the network; on a machine without, bring the pair of files that "
            "it keeps (~/.seisbench/models/v3/<class>/<name>.json.v* and .pt.v*) and import those"
        ) from error
    return Found(
        model=model,
        name=f"{kind.lower()}-{weights}",
        origin=f"SeisBench's {kind}.from_pretrained({weights!r}), version {model.weights_version}",
    )


def _pair(path: Path) -> tuple[Path, Path] | None:
    """The files .json and .pt that a path stands for, if it does."""
    candidates = [path]
    if path.is_dir():
        candidates = sorted(path.iterdir())
    elif not path.is_file() and path.parent.is_dir():
        candidates = sorted(p for p in path.parent.iterdir() if p.name.startswith(f"{path.name}."))
    pairs = set[tuple[Path, Path]]()
    for candidate in candidates:
        if parts := _PAIR.fullmatch(candidate.name):
            version = parts["version"] or ""
            both = [
                candidate.with_name(f"{parts['stem']}.{kind}{version}") for kind in ("json", "pt")
            ]
            if all(each.is_file() for each in both):
                pairs.add((both[0], both[1]))
    if len(pairs) > 1:
        names = ", ".join(sorted(str(pair[0]) for pair in pairs))
        raise ModelError(f"{path} stands for several models; name one of {names}")
    return pairs.pop() if pairs else None


def _from_pair(described: Path, weights: Path, how: Construction) -> Found:
    parts = _PAIR.fullmatch(described.name)
    assert parts is not None
    kind = how.kind or {name.lower(): name for name in CLASSES}.get(described.parent.name, "")
    if not kind:
        raise ModelError(
            f"{described} does not say of which class it is; give it, one of {', '.join(CLASSES)}"
        )
    version = (parts["version"] or ".v")[2:] or None
    try:
        model = _class(kind).load(
            described.with_name(parts["stem"]), version_str=version, weights_only=True
        )
    except (ValueError, TypeError, KeyError, RuntimeError, pickle.UnpicklingError) as error:
        raise ModelError(f"{described} and {weights} are no {kind}: {error}") from error
    origin = f"files {described.name} and {weights.name} as SeisBench writes them, of {kind}"
    return Found(model=model, name=_named(kind, parts["stem"]), origin=origin)


def _from_parameters(path: Path, how: Construction) -> Found:
    content = _arrays(path) if path.suffix == ".npz" else _loaded(path, unpickle=how.unpickle)
    if isinstance(content, torch.nn.Module):
        kind = type(content).__name__
        origin = f"object in the file {path.name}"
        return Found(model=content, name=_named(kind, path.stem), origin=origin)
    if not how.kind:
        raise ModelError(
            f"{path} holds parameters without a class; give it, one of {', '.join(CLASSES)}"
        )
    try:
        model = _class(how.kind)(**how.arguments)
    except (TypeError, ValueError) as error:
        raise ModelError(
            f"{how.kind} cannot be made with {dict(how.arguments)}: {error}"
        ) from error
    _fill(model, content, path)
    kind = type(model).__name__
    origin = f"parameters in the file {path.name}, of {kind} with {dict(how.arguments)}"
    return Found(model=model, name=_named(kind, path.stem), origin=origin)


def _arrays(path: Path) -> dict[str, torch.Tensor]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {name: torch.from_numpy(arrays[name].copy()) for name in arrays.files}
    except (ValueError, OSError) as error:
        raise ModelError(f"{path} holds no arrays of parameters: {error}") from error


def _loaded(path: Path, *, unpickle: bool) -> Any:
    """What PyTorch saved: an object, or parameters by name."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=not unpickle)
    except (pickle.UnpicklingError, AttributeError, ImportError) as error:
        raise ModelError(
            f"{path} holds something else than parameters. A pickled object is code that runs "
            "when it is loaded, so it is refused; if you trust whoever made it, say unpickle "
            "(--unpickle), or load it yourself and use zilzal.train.seisbench.import_seisbench"
        ) from error
    except (RuntimeError, EOFError, ValueError, LookupError) as error:
        raise ModelError(f"{path} is no file of PyTorch's: {error}") from error
    if isinstance(content, Mapping) and "state_dict" in content:  # PyTorch Lightning
        content = content["state_dict"]
        content = {name.removeprefix("model."): value for name, value in content.items()}
    if not isinstance(content, Mapping | torch.nn.Module):
        raise ModelError(f"{path} holds a {type(content).__name__}, neither parameters nor a model")
    return content


def _named(kind: str, stem: str) -> str:
    """Of class and file, without saying the class twice."""
    stem = stem.lower()
    return stem if stem.startswith(kind.lower()) else f"{kind.lower()}-{stem}"


def _fill(model: torch.nn.Module, parameters: Mapping[str, torch.Tensor], path: Path) -> None:
    try:
        missing, unexpected = model.load_state_dict(parameters, strict=False)
    except RuntimeError as error:
        raise ModelError(f"the parameters of {path} do not fit: {error}") from error
    # Counters of training steps, which nothing needs.
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    if missing or unexpected:
        raise ModelError(
            f"the parameters of {path} are of another class, or of one made with other arguments: "
            f"{len(missing)} are missing, as {missing[:3]}, and {len(unexpected)} have no place, "
            f"as {unexpected[:3]}"
        )


def _class(name: str) -> Any:
    models = _seisbench_models()
    known = {kind.lower(): kind for kind in CLASSES}
    if name.lower() not in known:
        raise ModelError(f"{name} is none of SeisBench's {', '.join(CLASSES)}")
    try:
        return getattr(models, known[name.lower()])
    except AttributeError as error:
        raise ModelError(f"this version of SeisBench has no {name}; upgrade it") from error


def _seisbench_models() -> ModuleType:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the libraries below it
            import seisbench.models  # pyright: ignore[reportMissingImports]  extra seisbench
    except ImportError as error:
        raise ModelError(
            "networks of SeisBench's need it: `pip install zilzal[seisbench,train]`"
        ) from error
    return seisbench.models
