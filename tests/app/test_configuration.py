"""One TOML file: what it may say, what it may not, and what its hashes depend on."""

from pathlib import Path

import pytest

from tests.app.short import settings
from zilzal.app.configuration import read_configuration
from zilzal.associate.bayes.associator import BayesAssociator
from zilzal.core.errors import ConfigError
from zilzal.locate.grid import GridLocator
from zilzal.pick.stalta import StaLtaPicker


def written(folder: Path, text: str) -> Path:
    path = folder / "settings.toml"
    path.write_text(text, encoding="utf-8")
    return path


def complaint(folder: Path, text: str, changes: dict | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        read_configuration(written(folder, text), changes)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[locater]\nuse = 'grid'\n", ["table [locater]", "did you mean 'locator'?"]),
        ("[locator]\nmin_station = 3\n", ["[locator] min_station", "did you mean 'min_stations'?"]),
        (
            "[run]\nquokka = 3\n",
            ["[run] quokka", "known are attempts, chunk_h, cluster, timeout_s, workers"],
        ),
        ("[run]\nworkers = 'many'\n", ["[run] workers = 'many'", "valid integer"]),
        ("[run]\nworkers = 2.5\n", ["[run] workers = 2.5", "valid integer"]),
        ("[sensors]\npreference = 3\n", ["[sensors] preference = 3", "valid tuple"]),
        ("[run]\nworkers = -1\n", ["[run] workers is -1", "0 or more"]),
        ("[run]\nchunk_h = 0\n", ["[run] chunk_h is 0", "above 0, at most 240"]),
        ("[run]\nchunk_h = nan\n", ["[run] chunk_h is nan"]),
        ("[associator]\nmin_picks = 2\n", ["[associator] min_picks is 2", "at least 5"]),
        ("[picker]\nuse = 'phasenett'\n", ["[picker] use", "'phasenett'", "neural, stalta"]),
        ("[picker]\nuse = 7\n", ["[picker] use = 7", "string"]),
        ("[picker]\nuse = ['neural']\n", ["[picker] use = ['neural']", "string"]),
        ("[earth]\nmodel = 'ak153'\n", ["[earth] no earth model", "'ak153'", "ak135"]),
        ("[earth]\nmodel = 'nowhere.toml'\n", ["[earth] cannot read", "nowhere.toml"]),
        ("picker = 'stalta'\n", ["picker is not a table", "write [picker]"]),
        ("[picker\n", ["is not TOML"]),
    ],
    ids=lambda value: value.replace("\n", " ") if isinstance(value, str) else "",
)
def test_complaint_names_the_setting_and_what_would_be_right(tmp_path, text, words):
    said = complaint(tmp_path, text)
    assert [word for word in words if word not in said] == []


def test_all_problems_are_told_at_once(tmp_path):
    said = complaint(
        tmp_path,
        "[gap]\nshortest_s = 1\n[run]\nworkers = -2\n[picker]\nuse = 'none'\n"
        "[locator]\nmin_stations = 'x'\nmax_rms = 1\n",
    )
    assert said.startswith("5 problem(s) in the configuration")
    assert said.count("\n  - ") == 5


def test_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"cannot read the configuration .*absent\.toml: No such"):
        read_configuration(tmp_path / "absent.toml")


def test_bytes_that_are_not_text_are_refused(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_bytes(b"[run]\nworkers = \xff\n")
    with pytest.raises(ConfigError, match="is not TOML"):
        read_configuration(path)


def test_change_to_what_is_not_a_table_is_a_complaint(tmp_path):
    said = complaint(tmp_path, "picker = 'neural'\n", {"picker": {"use": "stalta"}})
    assert "picker is not a table" in said


def test_command_line_overrides_the_file_key_by_key(tmp_path):
    path = written(tmp_path, "[run]\nworkers = 3\nchunk_h = 6\n")
    read = read_configuration(path, {"run": {"workers": 1}})
    assert (read.run.workers, read.run.chunk_h) == (1, 6.0)


def test_part_takes_its_options_from_its_table(tmp_path):
    path = written(tmp_path, "[picker]\nuse = 'stalta'\non = 9.0\n[picker.sta_lta]\nsta_s = 0.4\n")
    picker = read_configuration(path).picker
    assert isinstance(picker, StaLtaPicker)
    assert (picker.on, picker.sta_lta.sta_s, picker.sta_lta.lta_s) == (9.0, 0.4, 5.0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[picker]\nuse = 'stalta'\n[run]\nworkers = 3\n",
        "[earth]\nmodel = 'hadley-kanamori'\n[associator]\nmin_picks = 9\n",
        "[locator]\nearth_model = 'hadley-kanamori'\n[sensors]\npreference = ['HN', 'HH']\n"
        "[[locator.corrections]]\nstation = 'CI.CCC'\nphase = 'P'\ncorrection_s = 0.1\n",
    ],
)
def test_effective_configuration_reads_back_as_itself(tmp_path, text):
    first = read_configuration(written(tmp_path, text))
    again = read_configuration(written(tmp_path, first.to_toml()))
    assert again == first
    assert again.to_toml() == first.to_toml()
    assert (again.sha256, again.picking_sha256) == (first.sha256, first.picking_sha256)


def test_how_a_run_is_done_changes_no_hash():
    plain, other = settings(), settings(run={"workers": 4, "chunk_h": 0.5})
    assert (plain.sha256, plain.picking_sha256) == (other.sha256, other.picking_sha256)


@pytest.mark.parametrize(
    "change",
    [
        {"associator": {"min_picks": 8}},
        {"locator": {"max_rms_s": 2.0}},
        {"magnitude": {"minimum_snr": 2.0}},
        {"classifier": {"noise_probability": 0.9}},
        {"earth": {"model": "hadley-kanamori"}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_comes_after_picking_keeps_the_picks_hash(change):
    plain, other = settings(), settings(**change)
    assert other.picking_sha256 == plain.picking_sha256
    assert other.sha256 != plain.sha256


@pytest.mark.parametrize(
    "change",
    [
        {"picker": {"on": 7.0}},
        {"picker": {"use": "neural"}},
        {"gaps": {"shortest_s": 2.0}},
        {"sensors": {"preference": ["BH"]}},
    ],
    ids=str,
)
def test_what_can_change_a_pick_changes_both_hashes(change):
    plain, other = settings(), settings(**change)
    assert other.picking_sha256 != plain.picking_sha256
    assert other.sha256 != plain.sha256


def earth_models(configuration) -> tuple[str, str]:
    associator, locator = configuration.associator, configuration.locator
    assert isinstance(associator, BayesAssociator)
    assert isinstance(locator, GridLocator)
    return associator.earth_model, locator.earth_model


def test_earth_said_once_reaches_associator_and_locator():
    assert earth_models(settings(earth={"model": "hadley-kanamori"})) == ("hadley-kanamori",) * 2


def test_part_may_name_its_own_earth():
    read = settings(locator={"earth_model": "hadley-kanamori"})
    assert earth_models(read) == ("ak135", "hadley-kanamori")


def test_earth_changes_on_top_of_an_effective_configuration(tmp_path):
    path = written(tmp_path, settings().to_toml())
    read = read_configuration(path, {"earth": {"model": "hadley-kanamori"}})
    assert earth_models(read) == ("hadley-kanamori",) * 2


def test_earth_model_may_be_a_file(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(
        "top_m,p_speed_m_per_s,s_speed_m_per_s\n0,5000,2900\n10000,6500,3700\n", encoding="utf-8"
    )
    assert earth_models(settings(earth={"model": str(path)})) == (str(path),) * 2
