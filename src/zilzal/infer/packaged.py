"""The networks that come with the package."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path

from zilzal.core.errors import ModelError


@cache
def model_folder() -> Path:
    """Where the package keeps its networks."""
    return Path(str(files("zilzal.infer"))) / "networks"


def packaged_models() -> list[str]:
    """Names of the packaged networks, in order."""
    return sorted(path.stem for path in model_folder().glob("*.onnx"))


def find_model(name_or_path: str | Path) -> Path:
    """The file of a network, given its path or the name of a packaged one.

    Raises:
        ModelError: it is neither.
    """
    path = Path(name_or_path)
    if path.is_file():
        return path
    packaged = model_folder() / f"{name_or_path}.onnx"
    if path.name == str(name_or_path) and packaged.is_file():
        return packaged
    raise ModelError(
        f"no network {str(name_or_path)!r}: neither a file nor one of the packaged "
        f"{packaged_models()}"
    )
