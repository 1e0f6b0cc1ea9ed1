"""`zilzal evaluate picks`: from labelled sets to tables, files and figures."""

import csv
import json
import re

import pytest

from tests.train.made_sets import made_set
from zilzal.cli.cells import best_of, interval, signed
from zilzal.evaluate.interval import Estimate
from zilzal.train.candidates import LOWEST, find_candidates
from zilzal.train.pick_results import PICK_COLUMNS, SCORE_COLUMNS

pytest.importorskip("h5py")

QUICK = ("--draws", 50)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return made_set(tmp_path_factory.mktemp("sets") / "made")


def rows(said, title):
    """Cells of the table with a title, by the picker."""
    lines = said.splitlines()
    start = next(k for k, line in enumerate(lines) if line.startswith(title))
    end = next((k for k in range(start + 3, len(lines)) if not lines[k].strip()), len(lines))
    body = [line for line in lines[start + 2 : end] if not set(line.strip()) <= set("─")]
    return {cells[0]: cells[1:] for line in body if (cells := line.split())}


def own_thresholds():
    (candidate,) = find_candidates(["zilzal"])
    return candidate.thresholds


def read_csv(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def compared(folder, tmp_path_factory):
    """The defaults, once: what was printed, and the folder."""
    from typer.testing import CliRunner

    from zilzal.cli.main import app

    output = tmp_path_factory.mktemp("out") / "compared"
    arguments = ["evaluate", "picks", folder, "-o", output, *QUICK]
    environment = {"COLUMNS": "300", "NO_COLOR": "1"}
    done = CliRunner().invoke(app, list(map(str, arguments)), env=environment)
    assert done.exit_code == 0, done.output
    return done.stdout, output


def test_network_and_classical_picker_stand_side_by_side(compared):
    said, _ = compared
    for title in ("P: 6 labels", "S: "):
        assert set(rows(said, title)) >= {"zilzal", "stalta"}
    assert "zilzal minus the others" in said
    assert "F1 by signal to noise" in said
    assert float(rows(said, "P: 6 labels")["stalta"][0]) == 0.3


def test_json_holds_all_that_was_measured(compared):
    told = json.loads((compared[1] / "scores.json").read_text(), parse_constant=pytest.fail)
    assert told["sets"]["made"] == {
        "windows": 8, "noise_windows": 2, "events": 6, "P labels": 6,
        "S labels": told["sets"]["made"]["S labels"],
    }  # fmt: skip
    assert set(told["pickers"]) == {"zilzal", "stalta"}
    p = told["pickers"]["stalta"]["phases"]["P"]
    assert set(p["pooled"]["by_tolerance"]) == {"0.1", "0.2", "0.5"}
    assert p["pooled"]["by_tolerance"]["0.2"]["recall"]["value"] == 1.0
    assert p["mean"]["0.2"]["n_sets"] == 1
    assert len(told["pickers"]["zilzal"]["about"]["sha256"]) == 64
    assert {(d["first"], d["second"], d["phase"]) for d in told["differences"]} == {
        ("zilzal", "stalta", "P"), ("zilzal", "stalta", "S"),
    }  # fmt: skip


def test_table_of_scores_agrees_with_the_json(compared):
    told = json.loads((compared[1] / "scores.json").read_text())
    table = read_csv(compared[1] / "scores.csv")
    assert tuple(table[0]) == SCORE_COLUMNS
    (row,) = [
        r for r in table
        if (r["picker"], r["phase"], r["set"], r["trait"], r["tolerance_s"])
        == ("zilzal", "P", "pooled", "", "0.2")
    ]  # fmt: skip
    score = told["pickers"]["zilzal"]["phases"]["P"]["pooled"]["by_tolerance"]["0.2"]
    for column, name in (("f1", "f1"), ("precision", "precision"), ("recall", "recall")):
        assert float(row[column]) == pytest.approx(score[name]["value"], abs=1e-4)
        assert float(row[f"{column}_high"]) == pytest.approx(score[name]["high"], abs=1e-4)
    assert int(row["n_labels"]) == 6
    assert {r["set"] for r in table} == {"pooled", "made", "mean over sets"}
    assert {r["trait"] for r in table} >= {"snr_db", "distance_km", "s_minus_p_s"}


def test_picks_and_windows_are_written_for_others(compared):
    windows = read_csv(compared[1] / "windows.csv")
    assert len(windows) == 8
    picks = read_csv(compared[1] / "picks" / "zilzal.csv")
    assert tuple(picks[0]) == PICK_COLUMNS
    assert {row["trace_name"] for row in picks} <= {row["trace_name"] for row in windows}
    assert min(float(row["score"]) for row in picks) < 0.3
    assert all(float(row["score"]) >= LOWEST - 1e-4 for row in picks)
    labels = {row["trace_name"]: row["p_sample"] for row in windows}
    for row in picks:
        if row["phase"] == "P" and row["residual_s"]:
            late = (float(row["window_sample"]) - float(labels[row["trace_name"]])) / 100
            assert float(row["residual_s"]) == pytest.approx(late, abs=2e-4)
            assert row["time"].startswith("2020-01-01T00:0")


def test_figures_are_drawn(compared):
    drawn = {path.stem for path in compared[1].glob("*.png")}
    assert drawn == {"precision-recall", "residuals", "reliability", "f1-by-snr",
                     "f1-by-distance", "f1-by-s-minus-p", "noise"}  # fmt: skip
    assert all(path.stat().st_size > 10_000 for path in compared[1].glob("*.png"))


def test_the_same_command_again_takes_the_kept_picks(call, folder, tmp_path):
    asked = ("evaluate", "picks", folder, "-m", "stalta", "-o", tmp_path, "--no-figures", *QUICK)
    first = call(*asked)
    (kept,) = (tmp_path / "kept").glob("stalta-*.npz")
    written = kept.stat().st_mtime_ns
    assert call(*asked) == first
    assert kept.stat().st_mtime_ns == written
    assert call(*asked, "--fresh") == first
    (again,) = (tmp_path / "kept").glob("*.npz")
    assert again.stat().st_mtime_ns > written


def test_another_run_s_windows_and_picks_compare(call, compared, folder, tmp_path):
    out = compared[1]
    own = ",".join(f"{phase}:{value}" for phase, value in own_thresholds().items())
    said = call(
        "evaluate", "picks", folder, "--windows", out / "windows.csv", "-m", "stalta",
        "--picks", f"network={out / 'picks' / 'zilzal.csv'}", "--threshold", f"network={own}",
        "-o", tmp_path, "--no-figures", *QUICK,
    )  # fmt: skip
    before, now = (rows(text, "P: 6 labels") for text in (compared[0], said))
    assert now["network"][:2] == before["zilzal"][:2]
    assert now["stalta"][1] == before["stalta"][1]


def test_several_positions_are_compared(call, folder, tmp_path):
    said = call(
        "evaluate", "picks", folder, "-m", "stalta", "--protocol", "several", "--shifts", 3,
        "-o", tmp_path, "--no-figures", *QUICK,
    )  # fmt: skip
    assert re.search(r"P: 6 onsets, each at several positions", said)
    assert len(read_csv(tmp_path / "windows.csv")) == 24


def test_thresholds_are_chosen_elsewhere(call, folder, tmp_path):
    other = made_set(tmp_path / "other", first=50, seed=3)
    call(
        "evaluate", "picks", folder, "--tune-on", other, "--noise-limit-per-day", 24,
        "-o", tmp_path / "out", "--no-figures", *QUICK,
    )  # fmt: skip
    told = json.loads((tmp_path / "out" / "scores.json").read_text())
    assert told["protocol"]["thresholds_chosen_on"]["false_per_noise_hour_at_most"] == 1.0
    for picker in told["pickers"].values():
        assert picker["origin"] == "tuned"
        assert picker["phases"]["P"]["pooled"]["by_tolerance"]["0.2"]["n_noise_picks"] == 0
    assert told["pickers"]["zilzal"]["phases"]["P"]["threshold"] != own_thresholds()["P"]


def test_what_cannot_be_done_is_refused(refuse, folder, tmp_path):
    def said(*options):
        return refuse("evaluate", "picks", folder, "-o", tmp_path, *options)

    assert "--allow-overlap" in said("--tune-on", folder)
    assert "not both" in said(
        "--tune-on", folder, "--noise-limit", 1, "--noise-limit-per-day", 24
    )  # fmt: skip
    assert "--tune-on" in said("--noise-limit", 1)
    assert "none of random, several, fixed" in said("--protocol", "often")
    assert "NAME=P:0.3,S:0.2" in said("--threshold", "zilzal=Q:0.3")
    assert "NAME=P:0.3,S:0.2" in said("--threshold", "zilzal=high")
    assert "NAME=FILE" in said("--picks", "nothing")
    assert "there are dev: 8" in said("--split", "test")
    assert "no network" in said("-m", "nothing")
    assert "no data set" in refuse("evaluate", "picks", tmp_path, "-o", tmp_path / "out")
    assert not list(tmp_path.rglob("scores.json"))


def test_the_best_is_the_largest_the_smallest_or_the_nearest():
    values = [0.5, float("nan"), 0.7, 0.7, 0.2]
    assert best_of(values, "largest") == {2, 3}
    assert best_of(values, "smallest") == {4}
    assert best_of(values, 0.45) == {0}
    assert best_of(values, None) == set()
    assert best_of([0.5, 0.5], "largest") == set()


def test_differences_are_coloured_where_they_are_more_than_chance():
    better, doubtful = Estimate(0.1, 0.02, 0.2), Estimate(0.1, -0.02, 0.2)
    assert signed(better, favour=1) == "[green]+0.100 (+0.020 to +0.200)[/]"
    assert signed(better, favour=-1) == "[red]+0.100 (+0.020 to +0.200)[/]"
    assert signed(doubtful, favour=1) == "+0.100 (-0.020 to +0.200)"
    alone = Estimate(0.1, float("nan"), float("nan"))
    assert signed(alone, favour=1) == "+0.100"
    assert interval(alone) == "0.100"
    assert interval(Estimate(*[float("nan")] * 3)) == "-"
