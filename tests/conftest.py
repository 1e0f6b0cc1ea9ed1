"""Fixtures that every test may use."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared real data; missing means failure under CI, a skip elsewhere."""
    folder = Path(os.environ.get("ZILZAL_SHARED", Path(__file__).parents[1] / ".." / "shared"))
    if not (folder / "data" / "manifest.json").is_file():
        message = f"no shared data at {folder}; set ZILZAL_SHARED to their folder"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return folder.resolve()
