"""Law 1: a monitor ends with the picks and events of a run over the files."""

from pathlib import Path

import pytest

from tests.live.network import Played, make_short, play, run, settings
from zilzal.app.synthetic import Synthetic


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Synthetic:
    return make_short(tmp_path_factory.mktemp("live-short"))


@pytest.fixture(scope="session")
def ran(made: Synthetic, tmp_path_factory: pytest.TempPathFactory) -> Played:
    return run(made, tmp_path_factory.mktemp("live-run") / "out", settings())


def test_run_finds_both_events(ran):
    assert ran.tables["catalogue.csv"].count("\n") == 3


@pytest.mark.parametrize("name", ["picks.csv", "catalogue.csv", "arrivals.csv", "coverage.csv"])
def test_playback_gives_the_tables_of_a_run(made, ran, tmp_path, name):
    assert play(made, tmp_path, settings()).tables[name] == ran.tables[name]
