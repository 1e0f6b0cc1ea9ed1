"""`zilzal synth`."""

from tests.app.short import SCENARIO
from zilzal.io.archive import Archive
from zilzal.io.tables import read_catalogue


def test_network_is_written(call, tmp_path):
    scenario = tmp_path / "scenario.toml"
    scenario.write_text(SCENARIO.replace("duration_s = 200", "duration_s = 30"))
    said = call("synth", "-o", tmp_path / "made", "-s", scenario)
    assert "6 stations, 2 events" in said
    assert f"true arrivals: {tmp_path / 'made' / 'truth-arrivals.csv'}" in said
    assert len(Archive.open(tmp_path / "made" / "waveforms").sensors()) == 6
    assert len(read_catalogue(tmp_path / "made" / "truth-catalogue.csv")) == 2


def test_wrong_scenario_is_refused(refuse, tmp_path):
    scenario = tmp_path / "scenario.toml"
    scenario.write_text(SCENARIO.replace("latitude = 47.75", "latitude = 'north'"))
    said = refuse("synth", "-o", tmp_path / "made", "-s", scenario)
    assert "ConfigError: " in said
    assert "latitude is 'north'" in said


def test_missing_scenario_is_refused(refuse, tmp_path):
    said = refuse("synth", "-o", tmp_path / "made", "-s", tmp_path / "none.toml")
    assert "ConfigError: cannot read the scenario" in said


def test_what_a_scenario_lacks_is_named(refuse, tmp_path):
    scenario = tmp_path / "scenario.toml"
    scenario.write_text("seed = 1\nduration_s = 30\nlatitude = 0.0\nlongitude = 0.0\n")
    said = refuse("synth", "-o", tmp_path / "made", "-s", scenario)
    assert said.strip() == "ConfigError: the scenario lacks name, start"
