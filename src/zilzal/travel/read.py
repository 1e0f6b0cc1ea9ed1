"""Earth models from files: ours from the package, a user's own as TOML or CSV."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from zilzal.core.errors import FormatError
from zilzal.travel.model import EarthModel, Layer

_LAYER_KEYS = tuple(field.name for field in fields(Layer))
_MODEL_KEYS = {"name": str, "source": str, "spherical": bool, "max_distance_m": float}


def built_in_names() -> tuple[str, ...]:
    """Names of the earth models that come with the package."""
    folder = files("zilzal.travel") / "models"
    return tuple(sorted(f.name.removesuffix(".toml") for f in folder.iterdir()))


@lru_cache(maxsize=16)
def built_in(name: str) -> EarthModel:
    """An earth model that comes with the package.

    Raises:
        FormatError: there is none of that name.
    """
    if name not in built_in_names():
        raise FormatError(
            f"no earth model named {name!r}; built in are {', '.join(built_in_names())}, "
            "or give the path of a .toml or .csv file"
        )
    return parse_toml((files("zilzal.travel") / "models" / f"{name}.toml").read_text("utf-8"), name)


def load_model(name_or_path: str | Path) -> EarthModel:
    """An earth model by its built-in name, or from a file ending in .toml or .csv.

    Raises:
        FormatError: no such model or file, or the file is not an earth model.
    """
    path = Path(name_or_path)
    readers = {".toml": parse_toml, ".csv": parse_csv}
    if path.suffix.lower() not in readers:
        return built_in(str(name_or_path))
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(f"cannot read earth model {path}: {error}") from error
    return readers[path.suffix.lower()](text, path.stem)


def parse_toml(text: str, name: str) -> EarthModel:
    """Read an earth model written as TOML.

    Keys: `name`, `source`, `spherical`, `max_distance_m` (all optional) and one table
    `[[layer]]` per layer with the fields of `Layer`.

    Args:
        text: the file.
        name: what it is called where it does not say.

    Raises:
        FormatError: it is not TOML, has an unknown key, or is not a possible model.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise FormatError(f"earth model {name!r} is not TOML: {error}") from error
    layers = content.pop("layer", [])
    options: dict[str, Any] = {"name": name, "source": "not given"}
    for key, value in content.items():
        if key not in _MODEL_KEYS:
            raise FormatError(f"earth model {name!r}: unknown key {key!r}; expected layer, "
                              f"{', '.join(_MODEL_KEYS)}")  # fmt: skip
        kind = _MODEL_KEYS[key]
        if not isinstance(value, (int, float) if kind is float else kind):
            raise FormatError(f"earth model {name!r}: {key} is {value!r}, expected {kind.__name__}")
        options[key] = value
    if not isinstance(layers, list) or not all(isinstance(row, dict) for row in layers):
        raise FormatError(f"earth model {name!r}: write each layer as a [[layer]] table")
    return _model(options, layers)


def parse_csv(text: str, name: str) -> EarthModel:
    """Read an earth model written as comma-separated values, a flat one.

    The first row names the columns, which are the fields of `Layer`; the two bottom speeds may
    be left out or empty. Rows starting with # are comments.

    Args:
        text: the file.
        name: what it is called.

    Raises:
        FormatError: a column is unknown or missing, a value no number, or the model impossible.
    """
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    reader = csv.DictReader(lines, skipinitialspace=True, strict=True)
    try:
        rows = [{k: v for k, v in row.items() if v not in (None, "")} for row in reader]
    except csv.Error as error:
        raise FormatError(f"earth model {name!r} is not CSV: {error}") from error
    return _model({"name": name, "source": "not given"}, rows)


def _model(options: dict[str, Any], rows: Sequence[Mapping[str, Any]]) -> EarthModel:
    name = options["name"]
    layers = tuple(_layer(row, f"earth model {name!r}, layer {n}") for n, row in enumerate(rows, 1))
    try:
        return EarthModel(layers=layers, **options)
    except ValueError as error:
        raise FormatError(str(error)) from error


def _layer(row: Mapping[str, Any], place: str) -> Layer:
    unknown = sorted(map(str, set(row) - set(_LAYER_KEYS)))
    missing = [key for key in _LAYER_KEYS[:3] if key not in row]
    if unknown or missing:
        raise FormatError(
            f"{place}: unknown {unknown}, missing {missing}; expected {', '.join(_LAYER_KEYS)}"
        )
    try:
        return Layer(**{key: float(value) for key, value in row.items()})
    except (TypeError, ValueError) as error:
        raise FormatError(f"{place}: {dict(row)} are not all numbers ({error})") from error
