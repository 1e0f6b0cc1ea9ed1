"""`zilzal dataset`: from an archive and a catalogue to a set that is divided, judged and drawn."""

import csv

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.train.sets.made import small_set
from zilzal.cli.main import app
from zilzal.io.tables import read_arrivals, read_picks
from zilzal.train.dataset import read_metadata, read_seisbench

pytest.importorskip("h5py")


@pytest.fixture(scope="module")
def built(short, short_run, tmp_path_factory):
    """A set of what a run picked and located, and what was printed."""
    folder = tmp_path_factory.mktemp("dataset") / "set"
    arguments = [
        "dataset", "build", short.waveforms, "-c", short_run.output / "picks.csv",
        "-c", short_run.output / "catalogue.csv", "-i", short.inventory, "-o", folder,
        "--length", 30, "--noise-after", 20, "--licence", "CC0", "--seed", 5,
    ]  # fmt: skip
    done = CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return folder, done.stdout


def test_a_run_s_own_picks_become_a_set(built, short_run):
    folder, said = built
    records = read_seisbench(folder)
    picks = [pick for pick, event_id in read_picks(short_run.output / "picks.csv") if event_id]
    arrivals = list(read_arrivals(short_run.output / "arrivals.csv"))
    assert len(picks) >= len(arrivals) > 0
    pairs = {(event_id, a.station_id) for event_id, a in arrivals}
    events = [record for record in records if record.kind == "earthquake"]
    assert len(events) >= len(pairs)
    assert f"{len(records)} traces" in said
    # Machine picks: the network that learns from them must not trust them fully.
    assert all(0 < onset.weight <= 0.2 for r in events for onset in r.onsets)


def test_the_set_is_described(call, built):
    said = " ".join(call("dataset", "info", built[0]).split())
    for words in (
        "traces 13, 1 of them noise",
        "licence CC0",
        "int32, counts",
        "50 Hz",
        "none",
        "automatic",
    ):
        assert words in said, words
    assert "int32" not in call("dataset", "info", built[0], "--quick")


def test_the_set_is_drawn(call, built, tmp_path):
    call("dataset", "plot", built[0], "-o", tmp_path / "figures", "--number", 4)
    for name in ("examples.png", "distributions.png"):
        assert (tmp_path / "figures" / name).stat().st_size > 20_000
    call("dataset", "plot", built[0], "-o", tmp_path / "page.svg", "--number", 2)
    assert (tmp_path / "page.svg").read_text().startswith("<?xml")


def test_a_build_that_is_stopped_says_so(short, tmp_path, monkeypatch):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("zilzal.train.sets.build.build_set", interrupted)
    arguments = ["dataset", "build", short.waveforms, "-c", short.arrivals, "-i", short.inventory,
                 "-o", tmp_path / "set"]  # fmt: skip
    done = CliRunner().invoke(app, list(map(str, arguments)))
    assert done.exit_code == 130
    assert "the same command goes on" in done.stderr


def events(number, stations=2):
    """Rows of events ten minutes apart, each at each station."""
    return [
        {
            "trace_start_time": f"2024-03-0{1 + e // 100}T{e // 6 % 24:02d}:{10 * (e % 6):02d}:00Z",
            "source_origin_time": f"2024-03-0{1 + e // 100}T{e // 6 % 24:02d}:{10 * (e % 6):02d}:05Z",
            "station_network_code": "XX", "station_code": f"S{s}", "source_id": f"e{e}",
            "trace_p_arrival_sample": "100",
        }
        for e in range(number)
        for s in range(stations)
    ]  # fmt: skip


def splits_of(folder):
    return [line.text("split") for line in read_metadata(folder)]


def test_splits_are_written_and_hold(call, refuse, tmp_path):
    folder = small_set(tmp_path / "set", events(40))
    assert "no trace has a split" in refuse("dataset", "check", folder)
    said = call("dataset", "split", folder, "--train", 0.7, "--dev", 0.3, "--test", 0)
    assert "dev" in said
    assert "test" not in said
    found = splits_of(folder)
    assert {found.count("train"), found.count("dev")} == {56, 24}
    assert all(found[2 * e] == found[2 * e + 1] for e in range(40))
    assert "no leakage in 80 traces (dev 24, train 56)" in call("dataset", "check", folder)
    assert len(read_seisbench(folder, splits=("dev",))) == 24


def test_leakage_ends_in_a_list_and_status_1(tmp_path):
    rows = [{**row, "split": ("train", "dev")[n % 2]} for n, row in enumerate(events(3))]
    folder = small_set(tmp_path / "set", rows)
    done = CliRunner().invoke(app, ["dataset", "check", str(folder)])
    assert done.exit_code == 1
    assert "leakage in 6 traces (dev 3, train 3): 3 cases" in done.stdout
    assert "same event" in done.stdout
    assert "train and dev" in done.stdout


def test_several_sets_are_divided_and_checked_as_one(call, tmp_path):
    one = small_set(tmp_path / "one", events(30))
    other = small_set(
        tmp_path / "other",
        [
            {**row, "trace_name": f"o{n}", "source_id": f"other{n}"}
            for n, row in enumerate(events(30))
        ],
        length=310,
    )
    call("dataset", "split", one, other)
    assert splits_of(one) == splits_of(other)
    assert "no leakage in 120 traces" in call("dataset", "check", one, other)


def test_a_split_that_did_not_come_out_is_told(call, tmp_path):
    folder = small_set(tmp_path / "set", events(1, stations=10))
    said = call("dataset", "split", folder)
    assert "did not come out as asked" in said
    assert set(splits_of(folder)) == {"train"}


def test_sets_are_merged_and_a_leak_between_them_is_told(call, tmp_path):
    one = small_set(tmp_path / "one", [{**row, "split": "train"} for row in events(2)])
    rows = [{**row, "split": "dev", "trace_name": f"o{n}"} for n, row in enumerate(events(2))]
    other = small_set(tmp_path / "other", rows, length=310)
    said = call("dataset", "merge", one, other, "-o", tmp_path / "new")
    assert "8 traces (one 4, other 4)" in said
    assert "leak into each other" in said
    with (tmp_path / "new" / "metadata.csv").open(newline="") as file:
        assert [row["trace_set"] for row in csv.DictReader(file)] == ["one"] * 4 + ["other"] * 4


def test_the_course_s_file_goes_in_and_comes_out(call, tmp_path):
    data = np.random.default_rng(0).normal(size=(2, 6_000))
    times = {name: np.array([value, 0]) for name, value in (("P", 900), ("S", 1_400), ("E", 2_000))}
    np.savez(tmp_path / "course.npz", data=data, label=np.array([1, 0]), **times)
    said = call("dataset", "convert", tmp_path / "course.npz", "-o", tmp_path / "set")
    assert "2 traces from the course's .npz" in said
    call("dataset", "convert", tmp_path / "set", "-o", tmp_path / "again.npz", "--to", "npz")
    with np.load(tmp_path / "again.npz") as again:
        np.testing.assert_array_equal(again["data"], data)
        assert {name: again[name].tolist() for name in times} == {
            name: values.tolist() for name, values in times.items()
        }


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["split", "{set}", "--train", "0.9"], "add up to 1"),
        (["split", "{set}", "--by", "window"], "event or time"),
        (["convert", "{set}", "-o", "{new}", "--to", "zarr"], "give seisbench or npz"),
        (["merge", "{set}", "-o", "{set}"], "holds a data set"),
        (["info", "{new}"], "is missing; a SeisBench set is"),
        (["convert", "{new}", "-o", "{set}"], "no such file or folder"),
    ],
)
def test_what_cannot_be_done_is_refused(refuse, tmp_path, arguments, words):
    folder = small_set(tmp_path / "set", events(2))
    places = {"set": folder, "new": tmp_path / "new"}
    assert words in refuse("dataset", *(a.format(**places) for a in arguments))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--status", "reviewed"], "manual, automatic, unknown"),
        (["--edge", 40], "below half the length"),
        (["--earth-model", "flat"], "no earth model named 'flat'"),
        (["--status", "manual"], "automatic pick, not asked for"),
    ],
)
def test_builds_that_cannot_be_are_refused(refuse, short, short_run, tmp_path, options, words):
    said = refuse(
        "dataset", "build", short.waveforms, "-c", short_run.output / "picks.csv",
        "-i", short.inventory, "-o", tmp_path / "set", *options,
    )  # fmt: skip
    assert words in said
    assert not (tmp_path / "set" / "metadata.csv").exists()


def test_without_the_extra_it_is_said(refuse, tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert 'pip install "zilzal[train]"' in refuse("dataset", "info", tmp_path)
