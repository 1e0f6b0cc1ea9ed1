"""A small network and a run of it, made once."""

import pytest

from tests.app.short import SCENARIO, Ran, run
from zilzal.app.synthetic import Synthetic, make_synthetic
from zilzal.synth.scenario import parse_scenario


@pytest.fixture(scope="session")
def short(tmp_path_factory: pytest.TempPathFactory) -> Synthetic:
    """Two events at six stations, three minutes."""
    return make_synthetic(parse_scenario(SCENARIO), tmp_path_factory.mktemp("short"))


@pytest.fixture(scope="session")
def short_run(short: Synthetic, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """The same worked through without any trouble; not to be written to."""
    return run(short, tmp_path_factory.mktemp("run") / "out")
