"""`zilzal demo`."""

import pytest

from tests.app.short import SCENARIO


@pytest.mark.slow
@pytest.mark.pipeline
def test_demo_tells_what_was_found_and_draws_it(call, tmp_path):
    scenario = tmp_path / "scenario.toml"
    scenario.write_text(SCENARIO)
    said = call("demo", "-o", tmp_path / "demo", "-s", scenario, "--picker", "stalta")
    assert "2 of 2 found, 0 missed, 0 false" in said
    assert "P picks: precision" in said
    assert "picks of a real event of 2010" in said
    drawn = {path.name for path in (tmp_path / "demo" / "figures").iterdir()}
    assert {"catalogue-map.png", "event-map.png", "record-section.png", "sensor.png"} < drawn
    assert {f"real-BW.UH{n}..SH.png" for n in (1, 2, 3)} < drawn


def test_wrong_scenario_is_refused_before_any_work(refuse, tmp_path):
    scenario = tmp_path / "scenario.toml"
    scenario.write_text("name = 'x'\n")
    assert "ConfigError: " in refuse("demo", "-o", tmp_path / "demo", "-s", scenario)
    assert not (tmp_path / "demo").exists()
