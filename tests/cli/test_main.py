"""The command itself: its version, its help, its errors."""

import subprocess
import sys

import pytest

import zilzal

COMMANDS = ("demo", "run", "pick", "plot", "explain", "synth", "evaluate", "learn", "models")


def test_version(call):
    assert call("--version") == f"zilzal {zilzal.__version__}\n"


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_lists_every_command(call, flag):
    said = call(flag)
    assert [name for name in COMMANDS if name not in said] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(call, command):
    assert "Usage: " in call(command, "--help")


def test_unknown_command_is_refused(refuse):
    assert "No such command 'dance'" in refuse("dance")


def test_unknown_option_is_refused(refuse):
    assert "No such option: --loud" in refuse("run", "x", "-i", "y", "-o", "z", "--loud")


def test_missing_option_is_named(refuse):
    assert "--inventory" in refuse("run", "x", "-o", "y")


def test_unknown_log_level_is_refused(refuse, monkeypatch):
    monkeypatch.setenv("ZILZAL_LOG_LEVEL", "LOUD")
    said = refuse("models", "list")
    assert "ConfigError: ZILZAL_LOG_LEVEL is 'LOUD'" in said
    assert "DEBUG, INFO, WARNING, ERROR" in said


def zilzal_process(*arguments: str) -> subprocess.CompletedProcess[str]:
    code = "from zilzal.cli.main import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_error_of_ours_ends_in_a_message_and_status_2(tmp_path):
    done = zilzal_process("explain", str(tmp_path), "XX.A", "yesterday", "-i", str(tmp_path))
    assert done.returncode == 2
    assert done.stdout == ""
    assert "FormatError: not a UTC time: 'yesterday'" in done.stderr
    assert "Traceback" not in done.stderr


def test_file_that_is_not_there_ends_in_a_message_and_status_2(tmp_path):
    absent = tmp_path / "absent.xml"
    done = zilzal_process("run", str(tmp_path), "-i", str(absent), "-o", str(tmp_path / "out"))
    assert done.returncode == 2
    assert f"{absent}: no such file or folder" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()
