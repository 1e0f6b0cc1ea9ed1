"""What two processes must agree on to give the same results: code, models, plug-ins, archive."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import zilzal
from zilzal.app import registry
from zilzal.app.configuration import PARTS, Configuration
from zilzal.io.archive import Archive

_PACKAGE_DATA = (".py", ".onnx", ".npz", ".toml", ".csv")
_LIBRARIES = ("numpy", "scipy", "onnxruntime", "openvino", "pymseed", "pyocto")
_LOOKED_AT = 8
"""Files of the archive that a worker has to see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What one process has; another one checks whether it has the same.

    Args:
        version: of zilzal.
        package: hash of zilzal's code and packaged models.
        files: hashes of the files that settings name, as models and earth models of one's own.
        plugins: versions of the packages that other parts come from.
        archive: sizes of some files, by path.
        libraries: versions that may change the last digits.
    """

    version: str
    package: str
    files: Mapping[str, str]
    plugins: Mapping[str, str]
    archive: Mapping[str, int]
    libraries: Mapping[str, str]

    @classmethod
    def of(cls, configuration: Configuration, archive: Archive) -> Credentials:
        """Those of this process."""
        named = (value for table in configuration.tables.values() for value in _texts(table))
        return cls(
            version=zilzal.__version__,
            package=_package_hash(),
            files={name: _hash(Path(name)) for name in named if _is_file(name)},
            plugins={name: _version(name) for name in _plugins(configuration)},
            archive={str(path): path.stat().st_size for path in archive.samples(_LOOKED_AT)},
            libraries={name: _version(name) for name in _LIBRARIES},
        )

    def objections(self) -> list[str]:
        """Why this process cannot work for the one whose credentials these are; none if it can."""
        found: list[str] = []
        if (zilzal.__version__, _package_hash()) != (self.version, self.package):
            ours = f"{zilzal.__version__} ({_package_hash()[:8]})"
            theirs = f"{self.version} ({self.package[:8]})"
            found.append(f"it has zilzal {ours}, the run {theirs}: install the same here")
        for name, expected in self.files.items():
            if not _is_file(name):
                found.append(f"it has no file {name}; its folder is {Path.cwd()}")
            elif _hash(Path(name)) != expected:
                found.append(f"its file {name} is another one")
        for name, expected in self.plugins.items():
            if _version(name) != expected:
                found.append(f"it has {name} {_version(name)}, the run {expected}")
        missing = [path for path, size in self.archive.items() if _size(path) != size]
        if missing:
            found.append(
                f"it does not see {len(missing)} of {len(self.archive)} files of the archive as "
                f"the run does, such as {missing[0]}: mount it there under the same path"
            )
        return found

    def remarks(self) -> list[str]:
        """Differences that may change the last digits of results."""
        return [
            f"{name} is {_version(name)}, {expected} in the run"
            for name, expected in self.libraries.items()
            if _version(name) != expected
        ]


@lru_cache(maxsize=1)
def _package_hash() -> str:
    root = Path(zilzal.__file__).parent
    paths = sorted(path for path in root.rglob("*") if path.suffix in _PACKAGE_DATA)
    whole = hashlib.blake2b(digest_size=16)
    for path in paths:
        whole.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return whole.hexdigest()


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _is_file(name: str) -> bool:
    try:
        return bool(name) and Path(name).is_file()
    except (OSError, ValueError):
        return False


def _size(path: str) -> int | None:
    try:
        return Path(path).stat().st_size
    except OSError:
        return None


def _texts(value: Any) -> Iterator[str]:
    """All texts in a table of settings, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(inner)


def _plugins(configuration: Configuration) -> list[str]:
    """Packages other than ours that parts come from."""
    names: list[str] = []
    for table, (kind, _) in PARTS.items():
        point = registry.available(kind).get(str(configuration.tables[table].get("use")))
        if point is not None and point.dist is not None and point.dist.name != "zilzal":
            names.append(point.dist.name)
    return names


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"
