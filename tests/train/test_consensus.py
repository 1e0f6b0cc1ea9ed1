"""Machine labels on archives and beside analysts' labels."""

import csv
from itertools import pairwise

import numpy as np
import pytest

from zilzal.core.pick import Phase
from zilzal.train.consensus import read_archive, read_consensus, with_peer_picks
from zilzal.train.dataset import Onset, Record

MESETAS = "mesetas_2019-12-24"


@pytest.fixture(scope="module")
def mesetas(shared):
    return read_archive(shared / "data/continuous" / MESETAS, shared / "peers/consensus")


def test_each_station_of_an_archive_is_a_record_with_its_picks(mesetas, shared):
    with (shared / f"peers/consensus/{MESETAS}.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {r.name.split(".")[1] for r in mesetas} == {row["station"] for row in rows}
    assert sum(len(r.onsets) for r in mesetas) == len(rows)


def test_picks_of_an_archive_lie_at_the_onsets_of_its_samples(mesetas):
    """An AIC-like check: the second after a sure P is louder than the one before."""
    louder = [
        np.abs(np.diff(r.samples[0, int(o.sample) : int(o.sample) + 100])).mean()
        / np.abs(np.diff(r.samples[0, int(o.sample) - 110 : int(o.sample) - 10])).mean()
        for r in mesetas
        for o in r.onsets
        if o.phase is Phase.P and o.weight == 1 and 200 < o.sample < r.length - 200
    ]
    assert len(louder) > 20
    assert np.median(louder) > 3


def test_times_become_samples_of_the_record(mesetas, shared):
    said = read_consensus(shared / "peers/consensus", MESETAS)
    record = mesetas[0]
    network, station, group = record.name.split(".")
    times = sorted(time for _, time, _ in said[network, station, group].picks)
    seen = np.array([onset.sample for onset in record.onsets])
    assert np.diff(seen) == pytest.approx([100 * (b - a) for a, b in pairwise(times)], abs=1e-3)


def made(folder, picks, *, weight=1.0):
    folder.mkdir()
    with (folder / "windows_used.csv").open("w") as file:
        file.write("set,trace_name,window_start_sample_100hz\nmade,x,-500\n")
    with (folder / "made__consensus.csv").open("w") as file:
        file.write("trace_name,phase,window_sample,n_families,probability\n")
        file.writelines(f"x,{phase},{sample},{n},0.9\n" for phase, sample, n in picks)
    samples = np.ones((3, 3000), np.float32)
    record = Record(
        name="x", source="made", event="x", split="train", kind="earthquake", sampling_rate=100.0,
        samples=samples, present=samples > 0,
        onsets=(Onset(phase=Phase.P, sample=1000, weight=weight),),
    )  # fmt: skip
    return with_peer_picks([record], folder)[0]


def test_an_analysts_label_is_kept_as_it_is(tmp_path):
    record = made(tmp_path / "a", [("P", 1510, 6)])
    assert [(o.sample, o.weight) for o in record.onsets] == [(1000, 1.0)]
    assert not record.unknown


def test_a_weak_label_gives_way_to_the_consensus_beside_it(tmp_path):
    record = made(tmp_path / "a", [("P", 1510, 6)], weight=0.2)
    assert [(o.sample, o.weight) for o in record.onsets] == [(1010, 1.0)]


def test_four_families_make_a_label_where_there_is_none(tmp_path):
    record = made(tmp_path / "a", [("S", 1900, 4)])
    assert [(o.phase, o.sample) for o in record.onsets] == [(Phase.P, 1000), (Phase.S, 1400)]


def test_two_families_make_it_unknown(tmp_path):
    record = made(tmp_path / "a", [("S", 1900, 2)])
    assert len(record.onsets) == 1
    assert [(u.phase, u.first, u.last) for u in record.unknown] == [(Phase.S, 1350, 1450)]


def test_clean_spans_serve_as_noise(mesetas):
    record = next(r for r in mesetas if r.quiet)
    assert all(0 <= first < last <= record.length for first, last in record.quiet)
