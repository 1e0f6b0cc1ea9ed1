"""`zilzal learn …`: what the tables say, and that figures are written."""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from typer.testing import CliRunner

from zilzal.cli.learn.words import numbers, whole_numbers
from zilzal.cli.main import app
from zilzal.core.errors import ConfigError

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "tutorials" / "the-lecture-run.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ (zilzal .*)$", PAGE, re.MULTILINE)

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def learn(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words: object) -> str:
        done = CliRunner().invoke(app, ["learn", *map(str, words)], catch_exceptions=True)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == 0, done.output
        return done.output

    return run


def row(output: str, begins: str) -> list[str]:
    """Cells of the first row whose first cell begins so."""
    for line in output.splitlines():
        cells = [cell.strip() for cell in line.split("│")]
        if len(cells) > 2 and cells[1].startswith(begins):
            return cells[1:-1]
    raise AssertionError(f"no row {begins!r} in\n{output}")


def test_gradcheck_shows_the_worked_example(learn, tmp_path):
    output = learn("gradcheck", "-o", tmp_path / "check.png")
    assert row(output, "z1")[2] == "-0.250000  +1.000000"
    assert row(output, "a2")[2] == "+0.495069"
    assert row(output, "dz2")[2] == "-0.504931"
    # After a step, 0.1 - 0.1 (-0.0621403) = 0.106214.
    assert row(output, "W1[1,1]")[-1] == "+0.106214"
    error = float(re.search(r"relative error (\S+) at h = 1e-05", output)[1])
    assert error < 1e-9
    assert (tmp_path / "check.png").read_bytes().startswith(PNG)


def test_gradcheck_takes_other_networks_samples_and_labels(learn):
    output = learn("gradcheck", "--layers", "3,4,2", "--hidden", "tanh", "-x", "1,0,-1", "-y", 0)
    assert row(output, "x")[2] == "+1.000000  +0.000000  -1.000000"
    assert "26 parameters" in output
    # One label for both outputs, and so the loss is that of zeros.
    assert row(output, "y")[2] == "+0.000000  +0.000000"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["gradcheck", "--layers", "2"], "2 to 8"),
        (["gradcheck", "--layers", "2,x,1"], "joined by commas"),
        (["gradcheck", "-x", "1"], "takes 2"),
        (["gradcheck", "--hidden", "step"], "unknown activation"),
        (["gradcheck", "--step", "0"], "step is 0.0"),
        (["initialise", "--hidden", "step"], "unknown activation"),
        (["initialise", "--rate", "-1"], "rate is -1.0"),
        (["descend", "-s", "volcano"], "unknown surface"),
        (["descend", "-r", "luck"], "unknown rule"),
        (["descend", "-l", "long"], "unknown length"),
        (["descend", "--start", "1"], "takes 2 numbers"),
        (["descend", "--start", "1,nan"], "within ±100"),
        (["descend", "--rate", "-1"], "rate is -1.0"),
        (["descend", "-s", "saddle", "--dimension", "1"], "2 dimensions"),
        (["descend", "--clip-norm", "1", "--clip-value", "1"], "choose one"),
        (["descend", *["-r", "adam"] * 1, *[w for k in range(13) for w in ("--rate", str(k + 1))]],
         "too many"),
        (["landscape", "--input", "smell"], "unknown input"),
        (["landscape", "--window-s", "0"], "window-s is 0.0"),
        (["landscape", "-d", "nowhere"], "metadata.csv is missing"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(learn, words, says):
    with pytest.raises(ConfigError, match=says):
        learn(*words)


def test_figure_that_cannot_be_written_is_an_error_of_ours(learn, tmp_path):
    with pytest.raises(ConfigError, match="cannot write the figure"):
        learn("gradcheck", "-o", tmp_path / "check.abc")


def test_initialise_shows_that_equal_units_stay_equal_for_ever(learn, tmp_path):
    output = learn(
        "initialise", "--depth", 6, "--width", 32, "--steps", 150, "-o", tmp_path / "i.png"
    )
    assert row(output, "all weights")[1:3] == ["0", "0"]
    assert float(row(output, "Xavier")[2]) > 1
    # He keeps the spread of ReLU; weights that are too small lose it, too large ones blow it up.
    first, last = map(float, row(output, "He")[1:3])
    assert 0.3 < last / first < 3
    first, last = map(float, row(output, "N(0, 0.0001)")[1:3])
    assert last < 1e-3 * first
    first, last = map(float, row(output, "N(0, 0.5)")[1:3])
    assert last > 30 * first
    assert float(row(output, "He")[-1]) < 0.3 < float(row(output, "N(0, 0.0001)")[-1])
    assert (tmp_path / "i.png").read_bytes().startswith(PNG)


def test_descend_names_the_condition_number_and_the_limit_of_the_rate(learn):
    output = learn("descend", "--condition", 50)
    assert "condition number 50" in output
    assert "diverges there above α = 0.04" in output


def test_descend_diverges_just_above_that_limit_and_not_below(learn):
    words = ["descend", "--condition", 50, "-r", "gradient_descent", "--steps", 3000]
    output = learn(*words, "--rate", 0.0401, "--rate", 0.0399)
    assert row(output, "gradient descent, α 0.0401")[2] == "diverged"
    assert row(output, "gradient descent, α 0.0399")[2] == "arrived"


def test_options_given_twice_race_each_with_each(learn, tmp_path):
    output = learn(
        "descend", "-r", "gradient_descent", "-r", "momentum", "-l", "constant", "-l", "exact",
        "--momentum", 0.5, "--momentum", 0.8, "-o", tmp_path / "d.png",
    )  # fmt: skip
    # Plain descent has no momentum, so it runs once for each length.
    assert len([line for line in output.splitlines() if "-1.8, 0.6" in line]) == 6
    assert (tmp_path / "d.png").read_bytes().startswith(PNG)


def test_double_well_in_one_dimension_ends_where_the_start_says(learn, tmp_path):
    output = learn(
        "descend", "-s", "double_well", "--dimension", 1, "-r", "gradient_descent",
        "--start", "1.8", "--start", "-1.8", "-o", tmp_path / "d.png",
    )  # fmt: skip
    endings = [line for line in output.splitlines() if "gradient descent" in line]
    assert "from no. 2" in endings[0]
    assert "from no. 1" in endings[1]
    assert (tmp_path / "d.png").read_bytes().startswith(PNG)


def test_same_seed_gives_the_same_table(learn):
    words = ["descend", "--noise", 1, "--seed"]
    assert learn(*words, 4) == learn(*words, 4) != learn(*words, 5)


def test_lists_of_numbers_are_read():
    assert numbers("1,-2.5e3", "x") == [1.0, -2500.0]
    assert whole_numbers("16,32", "x") == [16, 32]
    for text in ("", "1,,2", "0,1", "1.5"):
        with pytest.raises(ConfigError):
            whole_numbers(text, "x")


@pytest.mark.slow
def test_landscape_learns_synthetic_windows_and_lies_in_a_valley(learn, tmp_path):
    output = learn("landscape", "--points", 15, "--windows", 40, "-o", tmp_path / "l.png")
    assert float(row(output, "held out")[-1]) > 0.9
    here, lowest, highest = map(
        float, re.search(r"loss (\S+) at .*?; (\S+) to (\S+) on", output).groups()
    )
    assert here < lowest < highest
    permuted = float(re.search(r"permuted (\S+),", output)[1])
    assert permuted == pytest.approx(here, abs=1e-4)
    assert (tmp_path / "l.png").read_bytes().startswith(PNG)


@pytest.mark.slow
def test_landscape_reads_seisbench_folders(learn, shared, tmp_path):
    picks = shared / "data" / "picks"
    output = learn(
        "landscape", "-d", picks / "ncedc_phasenet", "-d", picks / "anza_noise", "--window-s", 10,
        "--directions", "path", "--points", 11, "--epochs", 20, "-o", tmp_path / "l.png",
    )  # fmt: skip
    assert float(row(output, "learnt from")[-1]) > 0.8
    assert (tmp_path / "l.png").read_bytes().startswith(PNG)


def test_folder_without_noise_is_said(learn, shared):
    with pytest.raises(ConfigError, match="of noise"):
        learn("landscape", "-d", shared / "data" / "picks" / "stead_ta109c", "--window-s", 30)


@pytest.mark.slow
def test_lab_serves_until_it_is_told_to_stop():
    command = [sys.executable, "-c", "from zilzal.cli.main import main; main()"]
    running = subprocess.Popen(
        [*command, "learn", "lab", "--no-browser", "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    try:
        address = re.search(r"http://\S+", running.stdout.readline())[0]
        with urllib.request.urlopen(address, timeout=20) as response:
            assert b"descent lab" in response.read()
        running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=20) == 0
    finally:
        running.kill()
        running.communicate()


@pytest.mark.slow
@pytest.mark.parametrize("line", [line for line in COMMANDS if not line.endswith(" lab")])
def test_command_of_the_tutorial_runs_and_draws_its_figure(learn, line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = shlex.split(line)
    assert words[:2] == ["zilzal", "learn"]
    assert "│" in learn(*words[2:])
    written = [Path(words[words.index("-o") + 1])] if "-o" in words else []
    assert [path for path in Path().iterdir() if path.suffix == ".png"] == written
    for path in written:
        assert path.read_bytes().startswith(PNG)
        assert f"(../images/learn-{path.name})" in PAGE


def test_figures_of_the_tutorial_are_small_and_all_shown():
    images = sorted((DOCS / "images").glob("learn-*.png"))
    assert [image.name for image in images] == sorted(
        re.findall(r"images/(learn-[\w-]+\.png)", PAGE)
    )
    for image in images:
        assert image.read_bytes().startswith(PNG)
        assert image.stat().st_size < 150_000, image.name


@pytest.mark.slow
def test_numbers_that_the_tutorial_quotes_are_those_of_its_commands(learn):
    assert row(learn("gradcheck"), "L")[2].startswith("+0.703")
    saddle = learn("descend", "--surface", "saddle")
    assert [row(saddle, name)[3] for name in ("gradient descent", "Delta-Bar-Delta")] == [
        "90", "44",
    ]  # fmt: skip
    words = ["descend", "--condition", 60, "--rule", "delta_bar_delta", "--rule", "jacobs"]
    ours, jacobs = (
        row(learn(*words), "Delta-Bar-Delta, α"),
        row(learn(*words), "Delta-Bar-Delta, J"),
    )
    assert ours[1:] == jacobs[1:]
    waveform = row(learn("landscape", "--input", "waveform", "--points", 5), "held out")
    assert 0.4 < float(waveform[3]) < 0.7
