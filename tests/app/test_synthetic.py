"""Synthetic archives on disk, and explanations and parts around a run."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.app.short import SCENARIO
from zilzal.app.synthetic import make_synthetic, read_scenario
from zilzal.core.errors import ConfigError
from zilzal.io.archive import Archive
from zilzal.io.inventory import read_inventory
from zilzal.io.tables import read_catalogue
from zilzal.synth.scenario import parse_scenario


def snapshot(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_archive_inventory_and_truth_agree(short):
    stations = {s.sensor_id.station_id for s in short.network.stations}
    assert {sensor.station_id for sensor in Archive.open(short.waveforms).sensors()} == stations
    assert {s.station_id for s in read_inventory(short.inventory).stations()} == stations
    rows = read_catalogue(short.catalogue)
    assert [(str(r.time), r.magnitude) for r in rows] == [
        ("2024-03-05T11:58:50.000000Z", 2.2),
        ("2024-03-05T11:59:58.000000Z", 2.6),
    ]


def test_same_scenario_is_used_again(short, tmp_path):
    scenario = replace(short.network.scenario, duration_s=20.0)
    made = make_synthetic(scenario, tmp_path)
    before = snapshot(tmp_path)
    (probe,) = made.waveforms.rglob("SY.S01..HHZ*")
    written = probe.stat().st_mtime_ns
    make_synthetic(scenario, tmp_path)
    assert snapshot(tmp_path) == before
    assert probe.stat().st_mtime_ns == written


def test_other_scenario_does_not_mix_with_what_is_there(short, tmp_path):
    scenario = replace(short.network.scenario, duration_s=20.0)
    make_synthetic(scenario, tmp_path)
    before = snapshot(tmp_path)
    with pytest.raises(ConfigError, match="holds other waveforms"):
        make_synthetic(replace(scenario, seed=12), tmp_path)
    assert snapshot(tmp_path) == before


def test_interrupted_writing_begins_anew(short, tmp_path):
    scenario = replace(short.network.scenario, duration_s=20.0)
    (tmp_path / "waveforms.unfinished").mkdir()
    (tmp_path / "waveforms.unfinished" / "half").write_bytes(b"half")
    made = make_synthetic(scenario, tmp_path)
    assert not list(made.waveforms.rglob("half"))
    assert not (tmp_path / "waveforms.unfinished").exists()


def test_scenario_is_read_from_a_file(tmp_path):
    path = tmp_path / "scenario.toml"
    path.write_text(SCENARIO, encoding="utf-8")
    assert read_scenario(path) == parse_scenario(SCENARIO)


def test_packaged_scenario_is_the_default():
    assert read_scenario(None).name == "demo"


def test_scenario_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"cannot read the scenario .*none\.toml"):
        read_scenario(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (SCENARIO.replace("n_stations", "n_station"), "no key 'n_station'"),
        (SCENARIO.replace("2024-03-05T11:58:00Z", "yesterday"), "start"),
        (SCENARIO.replace("duration_s = 200", "duration_s = 'long'"), "duration_s"),
        (SCENARIO.replace("duration_s = 200", "duration_s = -5"), "duration_s is -5; .* above 0"),
        (SCENARIO.replace("sampling_rate = 50", "sampling_rate = 0"), "sampling_rate is 0"),
        (SCENARIO.replace("latitude = 47.75", "latitude = 147.75"), "latitude is 147.75"),
        (SCENARIO.replace("depth_m = 7_000", "depth_m = 'deep'"), r"events\.0\.depth_m"),
        ("seed = [", "not TOML"),
    ],
    ids=["key", "start", "type", "duration", "rate", "latitude", "nested", "syntax"],
)
def test_scenario_that_is_wrong_is_told_before_any_work(tmp_path, text, words):
    path = tmp_path / "scenario.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=words):
        make_synthetic(read_scenario(path), tmp_path / "made")
    assert not (tmp_path / "made").exists()
