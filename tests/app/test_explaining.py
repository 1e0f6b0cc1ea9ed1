"""Why a pick is, or is not, part of an event: from a finished run."""

import shutil

import pytest

from zilzal.app.explaining import explain_near
from zilzal.core.errors import ConfigError, StoreError
from zilzal.core.time import Time
from zilzal.io.inventory import read_inventory


@pytest.fixture(scope="module")
def inventory(short):
    return read_inventory(short.inventory)


def test_member_of_an_event_is_told_as_such(short_run, inventory):
    event = short_run.events[0]
    pick = event.picks[0]
    told = explain_near(short_run.output, str(pick.channel_id.station_id), pick.time, inventory)
    assert told.pick.id == pick.id
    nearest = min(told.trials, key=lambda trial: abs(trial.residual_s))
    assert abs(nearest.time - event.time) < 0.01
    assert abs(nearest.residual_s) < 0.3


def test_nearest_pick_is_meant(short_run, inventory):
    mine = [p for p in short_run.picks if p.channel_id.station == "S01"]
    told = explain_near(short_run.output, "SY.S01", mine[1].time + 0.2, inventory)
    assert told.pick.id == mine[1].id


@pytest.mark.parametrize("station", ["S01", "SY.S01..HHZ", ""])
def test_code_that_is_no_station_is_refused(short_run, inventory, station):
    with pytest.raises(ConfigError, match="not a station"):
        explain_near(short_run.output, station, short_run.picks[0].time, inventory)


def test_time_without_picks_is_told(short_run, inventory):
    with pytest.raises(ConfigError, match=r"SY\.S01 has no pick within 30 s"):
        explain_near(short_run.output, "SY.S01", Time.parse("2024-03-05T15:00:00Z"), inventory)


def test_folder_without_a_run_is_told(tmp_path, inventory):
    with pytest.raises(ConfigError, match=r"cannot read .*zilzal\.toml"):
        explain_near(tmp_path, "SY.S01", Time(0), inventory)


def test_run_without_its_store_is_told(short_run, tmp_path, inventory):
    shutil.copy(short_run.output / "zilzal.toml", tmp_path)
    with pytest.raises(StoreError, match="no store"):
        explain_near(tmp_path, "SY.S01", Time(0), inventory)
