"""Joined sets: nothing lost, nothing twice, nothing mistaken for something else."""

import numpy as np
import pytest

from tests.train.sets.made import counts, small_set
from tests.train.test_dataset import row, write_set
from zilzal.core.errors import ConfigError
from zilzal.train.seisbench_format import read_metadata, read_stored
from zilzal.train.seisbench_writer import read_notes, write_notes
from zilzal.train.sets.merge import digest, digests_of, merge_sets

h5py = pytest.importorskip("h5py")


def stored(folder):
    return {t.line.text("trace_name"): t for t in read_stored(folder, read_metadata(folder))}


def test_traces_keep_samples_rate_and_labels_and_say_where_they_are_from(tmp_path):
    one = small_set(tmp_path / "one", [{"trace_name": "x", "trace_p_arrival_sample": "12.5"}])
    other = small_set(
        tmp_path / "other", [{"trace_name": "y", "trace_sampling_rate_hz": "500.0", "mine": "1"}],
        samples={"y": counts(300, seed=9).reshape(3, -1).astype(np.float64) / 7},
    )  # fmt: skip
    write_notes(other, {"licence": "CC BY 4.0"})
    merged = merge_sets([one, other], tmp_path / "new")
    assert merged.counts == {"one": 1, "other": 1}
    assert merged.tally.counts == {}
    new, before = stored(tmp_path / "new"), {**stored(one), **stored(other)}
    for name, trace in new.items():
        assert trace.samples.dtype == before[name].samples.dtype
        np.testing.assert_array_equal(trace.samples, before[name].samples)
    assert new["x"].line.text("trace_p_arrival_sample") == "12.5"
    assert new["y"].line.text("trace_sampling_rate_hz") == "500.0"
    assert [t.line.text("trace_set") for t in new.values()] == ["one", "other"]
    assert read_notes(tmp_path / "new")["sets"]["other"] == {"licence": "CC BY 4.0"}


def test_equal_waveforms_are_taken_once(tmp_path):
    samples = counts(300).reshape(3, -1)
    one = small_set(tmp_path / "one", [{"trace_name": "x"}], samples={"x": samples})
    other = small_set(
        tmp_path / "other", [{"trace_name": "y"}], samples={"y": samples.astype(np.float32)}
    )
    merged = merge_sets([one, other], tmp_path / "new")
    assert list(stored(tmp_path / "new")) == ["x"]
    assert merged.tally.examples == {"waveform that is there already": ["other: y as one: x"]}
    merge_sets([one, other], tmp_path / "again", keep_repeats=True)
    assert list(stored(tmp_path / "again")) == ["x", "y"]


def test_traces_without_signal_are_not_taken_for_equal(tmp_path):
    nothing = {name: np.zeros((3, 100), np.int32) for name in "xy"}
    folder = small_set(
        tmp_path / "one", [{"trace_name": "x"}, {"trace_name": "y"}], samples=nothing
    )
    assert sum(merge_sets([folder], tmp_path / "new").counts.values()) == 2
    assert digests_of(folder, read_metadata(folder)) == [b"", b""]


def test_clashing_names_are_told_apart(tmp_path):
    time = {"source_origin_time": "2020-01-01T00:00:00Z"}
    later = {"source_origin_time": "2021-01-01T00:00:00Z"}
    one = small_set(tmp_path / "one", [
        {"trace_name": "x", "source_id": "1", **time},
        {"trace_name": "z", "source_id": "2", **time},
    ])  # fmt: skip
    other = small_set(
        tmp_path / "other",
        [
            {"trace_name": "x", "source_id": "1", **later, "trace_p_source_ids": "1;2"},
            {"trace_name": "y", "source_id": "2", **time},
        ],
        samples={"x": counts(300, seed=8).reshape(3, -1), "y": counts(300, seed=9).reshape(3, -1)},
    )
    merged = merge_sets([one, other], tmp_path / "new")
    lines = {line.text("trace_name"): line for line in read_metadata(tmp_path / "new")}
    assert set(lines) == {"x", "z", "other_x", "y"}
    assert lines["x"].text("source_id") == "one:1"
    assert lines["other_x"].text("source_id") == "other:1"
    assert lines["other_x"].text("trace_p_source_ids") == "other:1;2"
    # The same name at the same time is the same event.
    assert lines["z"].text("source_id") == lines["y"].text("source_id") == "2"
    assert len(merged.tally.counts) == 2


def test_blocks_chunks_and_other_orders_become_plain(tmp_path):
    bucket = counts(2 * 3 * 120).reshape(2, 3, 120)
    rows = [
        row("bucket0$0,:3,:120", trace_name_original="first"),
        row("bucket0$1,:3,:100"),
    ]
    folder = write_set(tmp_path / "one", rows, {"bucket0": bucket}, order="ENZ")
    merge_sets([folder], tmp_path / "new")
    new = stored(tmp_path / "new")
    assert list(new) == ["first", "bucket0_1"]
    np.testing.assert_array_equal(new["first"].samples, bucket[0, ::-1])
    np.testing.assert_array_equal(new["bucket0_1"].samples, bucket[1, ::-1, :100])
    assert new["bucket0_1"].line.text("trace_component_order") == "ZNE"


def test_absent_components_are_named_dead(tmp_path):
    folder = write_set(
        tmp_path / "one", [row("x", trace_component_order="Z")], {"x": counts(50)[None]}
    )
    merge_sets([folder], tmp_path / "new")
    (trace,) = stored(tmp_path / "new").values()
    assert trace.line.text("trace_dead_components") == "NE"
    assert trace.samples.shape == (3, 50)


def test_a_missing_trace_stops_nothing(tmp_path):
    folder = write_set(tmp_path / "one", [row("x"), row("y")], {"y": counts(300).reshape(3, -1)})
    merged = merge_sets([folder], tmp_path / "new")
    assert list(stored(tmp_path / "new")) == ["y"]
    assert merged.tally.counts == {"trace that cannot be read": 1}


def test_sets_called_alike_keep_apart(tmp_path):
    folders = [small_set(tmp_path / n / "set", [{"trace_name": n}],
                         samples={n: counts(300, seed=s).reshape(3, -1)})
               for s, n in enumerate("ab")]  # fmt: skip
    assert list(merge_sets(folders, tmp_path / "new").counts) == ["set", "set_2"]


def test_a_set_is_not_written_over(tmp_path):
    folder = small_set(tmp_path / "one", [{"trace_name": "x"}])
    with pytest.raises(ConfigError, match="holds a data set"):
        merge_sets([folder], folder)


def test_digests_do_not_depend_on_the_type_but_on_the_numbers():
    whole = counts(30).reshape(3, -1)
    assert digest(whole) == digest(whole.astype(np.float64))
    assert digest(whole) != digest(whole[::-1])
    assert digest(np.array([[0.0]])) == digest(np.array([[-0.0]]))
