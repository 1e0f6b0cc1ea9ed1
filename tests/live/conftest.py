"""One small network, and what a run over its files makes of it."""

from pathlib import Path

import pytest

from tests.live.network import Played, make_short, run, settings
from zilzal.app.synthetic import Synthetic


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("live-short")


@pytest.fixture(scope="session")
def made(folder: Path) -> Synthetic:
    return make_short(folder)


@pytest.fixture(scope="session")
def ran(made: Synthetic, tmp_path_factory: pytest.TempPathFactory) -> Played:
    return run(made, tmp_path_factory.mktemp("live-run") / "out", settings())
