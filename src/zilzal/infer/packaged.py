"""The networks at hand: those that come with the package, and the user's own."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path

from zilzal.core.errors import ModelError
from zilzal.infer.folders import user_model_folder


@cache
def model_folder() -> Path:
    """Where the package keeps its networks."""
    return Path(str(files("zilzal.infer"))) / "networks"


def packaged_models() -> list[str]:
    """Names of the packaged networks, in order."""
    return models_in(model_folder())


def models_in(folder: Path) -> list[str]:
    """Names of a folder's networks, in order; none where there is no folder."""
    return sorted(path.stem for path in folder.glob("*.onnx"))


def find_model(name_or_path: str | Path) -> Path:
    """The file of a network: its path, the name of a packaged one, or of one of the user's.

    Raises:
        ModelError: it is none of these.
    """
    path = Path(name_or_path)
    if path.is_file():
        return path
    for folder in (model_folder, user_model_folder):
        named = folder() / f"{name_or_path}.onnx"
        if path.name == str(name_or_path) and named.is_file():
            return named
    user = user_model_folder()
    own = f", nor one of your own {models_in(user)} in {user}" if models_in(user) else ""
    raise ModelError(
        f"no network {str(name_or_path)!r}: neither a file nor one of the packaged "
        f"{packaged_models()}{own}"
    )
