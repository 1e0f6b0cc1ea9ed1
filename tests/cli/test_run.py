"""`zilzal run`."""

import pytest
from rich.console import Console
from typer.testing import CliRunner

from tests.app.short import table
from zilzal.app.archive import Summary
from zilzal.cli.main import app
from zilzal.cli.run import show_troubles


def test_archive_becomes_a_catalogue(call, short, short_run, tmp_path):
    said = call(
        "run", short.waveforms, "-i", short.inventory, "-o", tmp_path / "out",
        "--picker", "stalta", "-j", 1,
    )  # fmt: skip
    assert "2 in the catalogue" in said
    assert "6, 0.3 station-hours" in said
    names = ("picks.csv", "catalogue.csv", "arrivals.csv", "coverage.csv")
    for name in names:
        assert (tmp_path / "out" / name).read_text() == table(short_run, name)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        *names, "associator.json", "catalogue.xml", "zilzal.db", "zilzal.toml",
    }  # fmt: skip


@pytest.mark.slow
def test_cluster_of_this_machine_makes_the_same_catalogue(call, short, short_run, tmp_path):
    said = call(
        "run", short.waveforms, "-i", short.inventory, "-o", tmp_path / "out",
        "--picker", "stalta", "--cluster", "local", "-j", 2,
    )  # fmt: skip
    assert "2 in the catalogue" in said
    for name in ("picks.csv", "catalogue.csv", "arrivals.csv", "coverage.csv"):
        assert (tmp_path / "out" / name).read_text() == table(short_run, name)
    assert '\ncluster = "local"\n' in (tmp_path / "out" / "zilzal.toml").read_text()


def test_what_failed_is_told_with_how_to_try_again(call, short, tmp_path, monkeypatch):
    from zilzal.app.picking import Workshop

    def broken(workshop, job):
        raise OSError(5, "Input/output error")

    arguments = (
        "run", short.waveforms, "-i", short.inventory, "-o", tmp_path / "out",
        "--picker", "stalta", "-j", 1,
    )  # fmt: skip
    with monkeypatch.context() as patched:
        patched.setattr(Workshop, "_work", broken)
        said = call(*arguments)
    assert "failed: SY.S01..HH from 2024-03-05T11:58:00.000000Z: OSError: [Errno 5]" in said
    assert "--retry-failed tries again" in said
    assert "0 in the catalogue" in call(*arguments)
    assert "2 in the catalogue" in call(*arguments, "--retry-failed")


def test_settings_come_from_the_file_and_options_on_top(call, short, tmp_path):
    settings = tmp_path / "settings.toml"
    settings.write_text("[picker]\nuse = 'stalta'\non = 9.0\n[run]\nworkers = 2\n")
    call(
        "run", short.waveforms, "-i", short.inventory, "-o", tmp_path / "out", "-c", settings,
        "-j", 1, "--earth-model", "hadley-kanamori",
    )  # fmt: skip
    written = (tmp_path / "out" / "zilzal.toml").read_text()
    for line in ("on = 9.0", "workers = 1", 'model = "hadley-kanamori"'):
        assert f"\n{line}\n" in written
    assert ",hadley-kanamori," in (tmp_path / "out" / "catalogue.csv").read_text()


def test_effective_configuration_repeats_the_run(call, short, short_run, tmp_path):
    call(
        "run", short.waveforms, "-i", short.inventory, "-o", tmp_path / "out",
        "-c", short_run.output / "zilzal.toml",
    )  # fmt: skip
    assert (tmp_path / "out" / "catalogue.csv").read_text() == table(short_run, "catalogue.csv")


def test_damaged_file_is_told(call, short, tmp_path):
    bad = tmp_path / "bad [/s].mseed"  # as if it were a terminal's mark-up
    bad.parent.mkdir()
    bad.write_bytes(b"nothing")
    said = call(
        "run", short.waveforms, bad, "-i", short.inventory,
        "-o", tmp_path / "out", "--picker", "stalta", "-j", 1,
    )  # fmt: skip
    assert f"could not be read: {bad}: neither miniSEED nor" in said
    assert "2 in the catalogue" in said


def test_what_is_left_out_is_told_in_a_few_lines(capsys):
    left = [f"XX.S{n:02}..HH: not in the inventory" for n in range(22)]
    show_troubles(Console(width=100), Summary(unused=left))
    said = capsys.readouterr().out.splitlines()
    assert said == [*(f"  left out: {line}" for line in left[:5]), "  left out: … and 17 more"]


def test_interruption_says_that_the_same_command_goes_on(short, tmp_path, monkeypatch):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("zilzal.app.archive.run_archive", interrupted)
    arguments = ["run", short.waveforms, "-i", short.inventory, "-o", tmp_path / "out"]
    done = CliRunner().invoke(app, list(map(str, arguments)))
    assert done.exit_code == 130
    assert "the same command goes on" in done.stderr


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("[picker]\nuse = 'phasenett'\n", "'phasenett'"),
        ("[picker\n", "is not TOML"),
        ("[run]\nworker = 2\n", "did you mean 'workers'?"),
    ],
)
def test_wrong_settings_are_refused_before_any_work(refuse, short, tmp_path, settings, words):
    path = tmp_path / "settings.toml"
    path.write_text(settings)
    said = refuse("run", short.waveforms, "-i", short.inventory, "-o", tmp_path / "o", "-c", path)
    assert "ConfigError: " in said
    assert words in said
    assert not (tmp_path / "o").exists()


def test_empty_folder_is_refused(refuse, short, tmp_path):
    (tmp_path / "empty").mkdir()
    said = refuse("run", tmp_path / "empty", "-i", short.inventory, "-o", tmp_path / "out")
    assert f"SourceError: no waveforms in 0 files: in {tmp_path / 'empty'}" in said


def test_inventory_without_stations_is_refused(refuse, short, tmp_path):
    said = refuse("run", short.waveforms, "-i", tmp_path, "-o", tmp_path / "out")
    assert "InventoryError: no stations in" in said


def test_output_that_is_a_file_is_refused(refuse, short, tmp_path):
    (tmp_path / "out").write_text("mine")
    said = refuse("run", short.waveforms, "-i", short.inventory, "-o", tmp_path / "out")
    assert "StoreError: cannot write" in said
