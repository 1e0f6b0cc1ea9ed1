"""Fixtures that every test may use."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# Machines that test are shared and slow: time tells nothing. CI draws the same cases every time.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


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
