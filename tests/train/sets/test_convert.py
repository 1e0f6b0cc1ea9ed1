"""Other formats to a set and back: the course's file, recordings with phase files, sets."""

import numpy as np
import pytest

from tests.io.test_phases import OBSERVATIONS
from tests.train.sets.made import START, counts, inventory, small_set, trace
from zilzal.core.errors import ConfigError, FormatError
from zilzal.core.pick import Phase
from zilzal.core.time import Time
from zilzal.io.sds_writer import write_sds
from zilzal.io.table_file import write_table
from zilzal.train.dataset import read_course_npz, read_metadata, read_seisbench
from zilzal.train.seisbench_format import read_stored
from zilzal.train.sets.arrivals import Taking
from zilzal.train.sets.build import Choices
from zilzal.train.sets.convert import Kind, convert, kind_of
from zilzal.train.sets.course import to_course
from zilzal.train.sets.expected import Expectation
from zilzal.train.sets.plan import Cutting
from zilzal.travel import built_in

pytest.importorskip("h5py")

CHOICES = Choices(
    cutting=Cutting(), taking=Taking(), expectation=Expectation(model=built_in("half-space"))
)


def course_file(path, kind=np.float64):
    rng = np.random.default_rng(0)
    data = (1_000 * rng.normal(size=(4, 6_000))).astype(kind)
    arrays = {"label": np.array([1, 0, 1, 1]), "P": np.array([1_000.0, 0, 800.25, 2_000])}
    arrays |= {
        "S": np.array([1_500.0, 0, np.nan, 2_200]),
        "E": np.array([3_000.0, 0, 2_000, 5_999]),
    }
    np.savez(path, data=data, **arrays)
    return data, arrays


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.int32])
def test_the_course_s_file_comes_back_bit_by_bit(tmp_path, kind):
    data, arrays = course_file(tmp_path / "course.npz", kind)
    done = convert(tmp_path / "course.npz", tmp_path / "set", CHOICES)
    assert (done.kind, done.n_traces) == (Kind.COURSE, 4)
    n_windows, tally = to_course(tmp_path / "set", tmp_path / "again.npz")
    assert (n_windows, tally.counts) == (4, {})
    with np.load(tmp_path / "again.npz") as again:
        assert again["data"].dtype == kind
        np.testing.assert_array_equal(again["data"], data)
        for name, values in arrays.items():
            np.testing.assert_array_equal(again[name], values)


def test_a_set_of_the_course_s_windows_gives_the_same_records(tmp_path):
    course_file(tmp_path / "course.npz")
    convert(tmp_path / "course.npz", tmp_path / "set", CHOICES)
    for one, other in zip(
        read_course_npz(tmp_path / "course.npz"), read_seisbench(tmp_path / "set"), strict=True
    ):
        np.testing.assert_allclose(one.samples, other.samples, atol=1e-3)
        np.testing.assert_array_equal(one.present, other.present)
        assert [(o.phase, o.sample) for o in one.onsets] == [
            (o.phase, o.sample) for o in other.onsets
        ]
        assert [(c.first, c.last) for c in one.codas] == [(c.first, c.last) for c in other.codas]
        assert one.quiet == other.quiet


def test_long_traces_are_cut_with_their_arrivals_at_random_places(tmp_path):
    rows = [
        {"trace_name": f"t{n}", "trace_p_arrival_sample": "10000", "trace_s_arrival_sample": "10500",
         "trace_coda_end_sample": "11000"}
        for n in range(40)
    ]  # fmt: skip
    folder = small_set(tmp_path / "set", rows, length=20_000)
    to_course(folder, tmp_path / "a.npz", seed=1)
    stored = list(read_stored(folder, read_metadata(folder)))
    with np.load(tmp_path / "a.npz") as made:
        p_samples = made["P"]
        np.testing.assert_array_equal(made["S"] - made["P"], 500)
        for window, p, whole in zip(made["data"], p_samples, stored, strict=True):
            first = 10_000 - int(p)
            np.testing.assert_array_equal(window, whole.samples[0, first : first + 6_000])
    assert p_samples.min() >= 300
    assert p_samples.max() <= 6_000 - 300 - 500
    assert np.ptp(p_samples) > 3_000
    to_course(folder, tmp_path / "b.npz", seed=1)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_other_rates_are_resampled_and_codas_measured(tmp_path):
    time = np.arange(7_000) / 200.0
    burst = np.where(time > 10, np.exp(-(time - 10)), 0) * np.sin(2 * np.pi * 8 * time)
    rows = [{"trace_name": "x", "trace_sampling_rate_hz": "100.0",
             "trace_p_arrival_sample": "2000", "trace_s_arrival_sample": "2300"}]  # fmt: skip
    samples = counts(3 * 7_000, largest=5).reshape(3, -1) + (1e4 * burst).astype(np.int32)
    folder = small_set(tmp_path / "set", rows, samples={"x": samples})
    to_course(folder, tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as made:
        assert 2_300 < made["E"][0] + 2_000 - made["P"][0] < 3_500
    rows[0]["trace_sampling_rate_hz"] = "50.0"
    folder = small_set(tmp_path / "slow", rows, samples={"x": samples})
    to_course(folder, tmp_path / "b.npz")
    with np.load(tmp_path / "b.npz") as made:
        assert made["data"].shape == (1, 6_000)
        assert made["S"][0] - made["P"][0] == 600


def test_traces_that_cannot_be_the_course_s_are_counted(tmp_path):
    p = {"trace_p_arrival_sample": "100"}
    rows = [
        {"trace_name": "short", **p}, {"trace_name": "unlabelled"},
        {"trace_name": "two", "trace_p_arrival_samples": "10;20"},
        {"trace_name": "deaf", **p, "trace_dead_components": "Z"},
    ]  # fmt: skip
    folder = small_set(tmp_path / "set", rows)
    with pytest.raises(ConfigError, match=r"1 × shorter than 60 s; 1 × neither noise nor"):
        to_course(folder, tmp_path / "a.npz")
    assert not (tmp_path / "a.npz").exists()


def recordings(folder):
    """Two events' files of one station, a stray one, and a table of picks."""
    for number, first in enumerate((0.0, 1_000.0, 5_000.0)):
        for place, component in enumerate("ZNE"):
            samples = counts(3_000, seed=3 * number + place)
            write_sds([trace(samples, component, start=START + first)], folder / f"event{number}")
    rows = [
        ("XX", "ALFA", "P", str(START + 10.0), "one"), ("XX", "ALFA", "S", str(START + 14.5), "one"),
        ("XX", "ALFA", "P", str(START + 1_005.0), "two"),
    ]  # fmt: skip
    write_table(folder / "picks.csv", ("network", "station", "phase", "time", "event_id"), rows)


def test_recordings_are_taken_whole_with_the_labels_of_their_phase_files(tmp_path):
    recordings(tmp_path / "source")
    done = convert(tmp_path / "source", tmp_path / "set", CHOICES, inventory=inventory())
    assert (done.kind, done.n_traces) == (Kind.RECORDINGS, 2)
    assert done.tally.counts == {"recording without a label": 1}
    first, second = read_stored(tmp_path / "set", read_metadata(tmp_path / "set"))
    np.testing.assert_array_equal(first.samples, [counts(3_000, seed=n) for n in range(3)])
    assert first.samples.dtype == np.int32
    assert first.line.time("trace_start_time") == START
    assert first.line.numbers("trace_p_arrival_samples") == [1_000.0]
    assert first.line.number("trace_s_arrival_sample") == 1_450.0
    assert first.line.text("source_id") == "one"
    assert second.line.text("trace_s_labelled") == "False"
    assert second.line.text("station_latitude_deg") == "47.7"


def test_recordings_without_an_inventory_lack_only_places(tmp_path):
    recordings(tmp_path / "source")
    done = convert(tmp_path / "source", tmp_path / "set", CHOICES)
    assert done.tally.counts["station without coordinates"] == 1
    assert [len(r.onsets) for r in read_seisbench(tmp_path / "set")] == [2, 1]


def test_archives_are_not_taken_for_recordings(tmp_path):
    recordings(tmp_path / "source")
    with pytest.raises(ConfigError, match="3 × recording longer than 5 s: take zilzal dataset"):
        convert(tmp_path / "source", tmp_path / "set", CHOICES, longest_s=5.0)
    assert not (tmp_path / "set" / "metadata.csv").exists()


def test_a_set_converted_is_the_set(tmp_path):
    folder = small_set(tmp_path / "a", [{"trace_p_arrival_sample": "7"}, {"my_own": "cell"}])
    done = convert(folder, tmp_path / "b", CHOICES)
    assert (done.kind, done.n_traces) == (Kind.SEISBENCH, 2)
    for one, other in zip(
        read_stored(folder, read_metadata(folder)),
        read_stored(tmp_path / "b", read_metadata(tmp_path / "b")),
        strict=True,
    ):
        np.testing.assert_array_equal(one.samples, other.samples)
        kept = {k: v for k, v in one.line.columns.items() if v}
        assert kept.items() <= other.line.columns.items()


def test_kinds_are_told_by_what_lies_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        kind_of(tmp_path / "absent")
    assert kind_of(tmp_path) is Kind.RECORDINGS
    np.savez(tmp_path / "a.npz", data=np.zeros((1, 10)))
    assert kind_of(tmp_path / "a.npz") is kind_of(tmp_path) is Kind.COURSE
    np.savez(small_set(tmp_path / "a-set", [{}]) / "more.npz", data=np.zeros(1))
    assert kind_of(tmp_path / "a-set") is Kind.SEISBENCH
    with pytest.raises(FormatError, match="lacks the arrays"):
        convert(tmp_path, tmp_path / "set", CHOICES)
    (tmp_path / "empty").mkdir()
    with pytest.raises(FormatError, match="no waveforms"):
        convert(tmp_path / "empty", tmp_path / "set", CHOICES)


def test_observations_beside_their_recordings_are_read(tmp_path, caplog):
    samples = counts(9_000)
    start = Time.parse("2024-03-05T11:57:50Z")
    write_sds([trace(samples, start=start)], tmp_path / "source")
    (tmp_path / "source" / "event.obs").write_text(OBSERVATIONS)
    with caplog.at_level("WARNING"):
        done = convert(tmp_path / "source", tmp_path / "set", CHOICES, inventory=inventory())
    # The phase file is not taken for a broken waveform.
    assert not caplog.records
    assert not [reason for reason in done.tally.counts if "cannot be read" in reason]
    (record,) = read_seisbench(tmp_path / "set")
    assert [(o.phase, o.sample, o.weight) for o in record.onsets] == [(Phase.P, 950.0, 0.0)]
