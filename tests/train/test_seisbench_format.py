"""Sets written by us: exact, whole or not at all, and readable by SeisBench."""

import csv

import numpy as np
import pytest

from zilzal.core.errors import ConfigError, FormatError
from zilzal.train.seisbench_format import read_metadata, read_stored
from zilzal.train.seisbench_writer import (
    NOTES,
    read_notes,
    rewrite_lines,
    write_notes,
    writing_set,
)

pytest.importorskip("h5py")

TYPES = (np.int32, np.float32, np.float64)


def arrays():
    rng = np.random.default_rng(3)
    whole = rng.integers(-(2**31), 2**31 - 1, (3, 500), np.int32)
    return {kind.__name__: whole if kind is np.int32 else whole.astype(kind) / 3 for kind in TYPES}


def write(folder, samples):
    with writing_set(folder, {"made_by": "a test"}) as writer:
        for number, (name, array) in enumerate(samples.items()):
            row = {"trace_name": name, "trace_sampling_rate_hz": f"{40.0 * (number + 1)}"}
            writer.add({**row, "split": "train", "my_column": 'ä,"b"', "empty": ""}, array)
    return folder


def test_samples_and_cells_come_back_bit_by_bit(tmp_path):
    samples = arrays()
    folder = write(tmp_path / "set", samples)
    traces = list(read_stored(folder, read_metadata(folder)))
    assert [t.line.text("trace_name") for t in traces] == list(samples)
    for trace, expected in zip(traces, samples.values(), strict=True):
        assert trace.samples.dtype == expected.dtype
        np.testing.assert_array_equal(trace.samples, expected)
        assert trace.absent == ""
        assert trace.line.text("my_column") == 'ä,"b"'
    assert "empty" not in traces[0].line.columns
    assert read_notes(folder) == {"made_by": "a test"}


def test_an_error_leaves_nothing(tmp_path):
    folder = tmp_path / "set"
    with pytest.raises(ValueError, match="trace name"):
        write(folder, {"x": np.ones((3, 5)), "y$0": np.ones((3, 5))})
    assert list(folder.iterdir()) == []


def test_a_folder_with_a_set_is_not_written_to(tmp_path):
    folder = write(tmp_path / "set", arrays())
    before = (folder / "metadata.csv").read_bytes()
    with pytest.raises(ConfigError, match="holds a data set"), writing_set(folder, {}):
        pass
    assert (folder / "metadata.csv").read_bytes() == before


@pytest.mark.parametrize("name", ["x", "", "a$b"])
def test_names_must_tell_traces_apart(tmp_path, name):
    with writing_set(tmp_path, {}) as writer:
        writer.add({"trace_name": "x"}, np.ones((3, 5)))
        with pytest.raises(ValueError, match="trace name"):
            writer.add({"trace_name": name}, np.ones((3, 5)))


def test_rewriting_keeps_the_text_of_other_cells(tmp_path):
    folder = write(tmp_path / "set", arrays())
    lines = read_metadata(folder)
    rewrite_lines(folder, lines, [{"split": "dev"}, {}, {"new": "1"}])
    with (folder / "metadata.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["split"] for row in rows] == ["dev", "train", "train"]
    assert [row["new"] for row in rows] == ["", "", "1"]
    assert [row["trace_sampling_rate_hz"] for row in rows] == ["40.0", "80.0", "120.0"]


def test_notes_that_are_none_are_refused(tmp_path):
    assert read_notes(tmp_path) == {}
    (tmp_path / NOTES).write_text("[1]")
    with pytest.raises(FormatError, match="expected an object"):
        read_notes(tmp_path)
    write_notes(tmp_path, {"licence": "CC BY 4.0"})
    assert read_notes(tmp_path)["licence"] == "CC BY 4.0"


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore")
def test_seisbench_reads_what_we_wrote(tmp_path):
    data = pytest.importorskip("seisbench.data")
    samples = arrays()
    dataset = data.WaveformDataset(write(tmp_path / "set", samples), component_order="ZNE")
    assert dataset.metadata["trace_name"].tolist() == list(samples)
    for number, expected in enumerate(samples.values()):
        found, line = dataset.get_sample(number)
        np.testing.assert_array_equal(found, expected)
        assert line["trace_sampling_rate_hz"] == 40.0 * (number + 1)


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore")
def test_we_read_what_seisbench_wrote_in_blocks(tmp_path):
    data = pytest.importorskip("seisbench.data")
    rng = np.random.default_rng(4)
    made = {f"t{n}": rng.integers(-9, 9, (3, 400 + n), np.int32) for n in range(5)}
    with data.WaveformDataWriter(tmp_path / "metadata.csv", tmp_path / "waveforms.hdf5") as writer:
        writer.data_format = {"dimension_order": "CW", "component_order": "ENZ"}
        for name, array in made.items():
            row = {"trace_name": name, "trace_sampling_rate_hz": 100}
            writer.add_trace({**row, "trace_p_arrival_sample": 7}, array)
    lines = read_metadata(tmp_path)
    assert all("$" in line.text("trace_name") for line in lines)
    for trace in read_stored(tmp_path, lines):
        expected = made[trace.line.text("trace_name_original")]
        assert trace.samples.dtype == np.int32
        np.testing.assert_array_equal(trace.samples, expected[::-1])
