"""`zilzal monitor` and `zilzal status`."""

from __future__ import annotations

import socket

import pytest
from rich.console import Console
from typer.testing import CliRunner

from tests.app.short import table
from zilzal.app.live.status import StationStatus, Status
from zilzal.cli.main import app
from zilzal.cli.monitor import status_table
from zilzal.core.time import Time


@pytest.fixture
def settings(tmp_path):
    """A file with the classical picker and a set strictness."""
    path = tmp_path / "zilzal.toml"
    path.write_text('[picker]\nuse = "stalta"\n[associator]\nmin_picks = 6\n[live]\ntick_s = 0.0\n')
    return path


def test_playback_leaves_the_picks_of_a_run_and_a_status(
    call, short, short_run, settings, tmp_path
):
    out = tmp_path / "out"
    said = call(
        "monitor", "-c", settings, "-i", short.inventory, "-o", out, "--playback", short.waveforms
    )
    assert said.startswith("monitoring 6 stations from ")
    assert f"results in {out}; " in said
    times = [line.split(",")[:6] for line in (out / "picks.csv").read_text().splitlines()]
    assert times == [line.split(",")[:6] for line in table(short_run, "picks.csv").splitlines()]
    shown = call("status", out)
    assert "SY.S06" in shown
    assert "0 packets wait" in shown


def test_check_names_the_source_that_cannot_be_reached(short, settings, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        server = f"127.0.0.1:{taken.getsockname()[1]}"
        settings.write_text(f'{settings.read_text()}[[sources]]\nserver = "{server}"\n')
        arguments = ["monitor", "-c", settings, "-i", short.inventory, "-o", tmp_path, "--check"]
        done = CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)
    assert done.exit_code == 2
    assert "picker: good" in done.stdout
    assert any(server in line and "good" not in line for line in done.stdout.splitlines())


def test_monitor_without_inventory_or_sources_says_what_to_set(refuse, short, settings):
    assert "[live] inventory" in refuse("monitor", "-c", settings)
    assert "[[sources]]" in refuse("monitor", "-c", settings, "-i", short.inventory)


def test_status_of_a_store_without_a_monitor_says_so(short_run):
    done = CliRunner().invoke(app, ["status", str(short_run.output)], catch_exceptions=False)
    assert done.exit_code == 1
    assert "no monitor has written" in done.stdout


def station_status(name: str, trouble: str = "") -> StationStatus:
    return StationStatus(
        station=name, data_end=None, data_age_s=None, silent_s=None, behind_s=None, packets=0,
        picks=0, noise_db=(None, None), gap_share=(None, None), picks_per_hour=(None, None),
        clock="", trouble=trouble, silence="",
    )  # fmt: skip


def test_status_of_many_stations_fits_the_terminal_with_those_in_trouble_first(capsys):
    stations = [station_status(f"XX.S{n:03}", "silent" if n > 197 else "") for n in range(200)]
    found = Status(
        told=Time(0), is_running=True, waiting_packets=0, trouble="disk [full]", latencies=(),
        stations=tuple(stations), lesson="", events="",
    )  # fmt: skip
    Console(width=120).print(status_table(found, rows=5))
    said = capsys.readouterr().out.splitlines()
    assert said[0].strip() == "running; 200 stations, 2 in trouble; 0 packets wait"
    assert "refused: disk [full]" in said[2]
    shown = [line.split()[1] for line in said if "XX.S" in line]
    assert shown == ["XX.S198", "XX.S199", "XX.S000", "XX.S001", "XX.S002"]
    assert said[-1].strip() == "… and 195 stations more"
