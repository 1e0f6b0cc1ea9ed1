"""What is written into an SDS archive is read back alike by others."""

import numpy as np
import pytest

from zilzal.core.ids import ChannelId
from zilzal.core.time import Time
from zilzal.core.waveform import Trace
from zilzal.io.availability import recorded_days
from zilzal.io.recorder import Recorder
from zilzal.io.sds_writer import read_sds_name, sds_path, split_at_midnight, write_sds
from zilzal.signal.continuity import GapPolicy

CHANNEL = ChannelId.parse("SY.S01..HHZ")
pytestmark = pytest.mark.filterwarnings("ignore:SelectableGroups:DeprecationWarning")


def trace(start, samples, *, rate=100.0):
    return Trace(
        channel_id=CHANNEL, start=Time.parse(start), sampling_rate=rate, samples=np.asarray(samples)
    )


def read_back(root):
    import obspy

    stream = obspy.Stream()
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        stream += obspy.read(path)
    return stream


def test_file_has_the_archives_name():
    path = sds_path(CHANNEL, Time.parse("2024-03-05T10:00:00"))
    assert str(path) == "2024/SY/S01/HHZ.D/SY.S01..HHZ.D.2024.065"


@pytest.mark.parametrize("code", ["..", "../../x", "A/B", "S.1", "S%1", "+*?"])
def test_no_code_leads_out_of_the_archive(code):
    channel_id, noon = ChannelId("..", code, code, "HHZ"), Time.parse("2024-03-05T12:00:00Z")
    path = sds_path(channel_id, noon)
    assert len(path.parts) == 5
    assert ".." not in path.parts
    assert read_sds_name(path.name) == (channel_id, Time.parse("2024-03-05"))


def test_other_files_in_the_archives_folders_are_passed_over(tmp_path):
    write_sds([trace("2024-03-05T10:00:00", np.arange(1000, dtype=np.int32))], tmp_path)
    folder = tmp_path / sds_path(CHANNEL, Time.parse("2024-03-05")).parent
    for name in ("SY.S01..HHZ.D.2024.064.bak", "SY.D.x", "notes.D.txt"):
        (folder / name).write_text("mine")
    recorder = Recorder(tmp_path, GapPolicy())
    assert recorder.channel_ids() == (CHANNEL,)
    assert recorded_days(tmp_path) == (Time.parse("2024-03-05"), Time.parse("2024-03-07"))
    assert recorder.forget_before(Time.parse("2024-03-06")) == 1
    assert len(list(folder.iterdir())) == 3


@pytest.mark.parity
@pytest.mark.parametrize("dtype", [np.int32, np.float32, np.float64])
def test_samples_and_times_come_back_across_midnight(tmp_path, dtype):
    rng = np.random.default_rng(1)
    samples = np.cumsum(rng.integers(-500, 500, 100_000)).astype(dtype)
    count = write_sds([trace("2024-02-29T23:51:13.370000", samples)], tmp_path)
    days = sorted(p.name for p in tmp_path.rglob("*") if p.is_file())
    assert days == ["SY.S01..HHZ.D.2024.060", "SY.S01..HHZ.D.2024.061"]
    sizes = sum(p.stat().st_size for p in tmp_path.rglob("*") if p.is_file())
    assert sizes == 512 * count
    stream = read_back(tmp_path)
    assert str(stream[1].stats.starttime) == "2024-03-01T00:00:00.000000Z"
    merged = stream.merge()[0]
    assert str(merged.stats.starttime) == "2024-02-29T23:51:13.370000Z"
    assert merged.data.dtype == dtype
    assert np.array_equal(merged.data, samples)


def test_integers_are_packed_as_steim_2(tmp_path):
    from obspy.io.mseed.util import get_record_information

    write_sds([trace("2024-03-05", np.arange(5000, dtype=np.int32))], tmp_path)
    path = next(p for p in tmp_path.rglob("*") if p.is_file())
    record = get_record_information(str(path))
    assert (record["encoding"], record["record_length"]) == (11, 512)
    assert path.stat().st_size < 5000 * 4 / 2


def test_later_traces_are_appended(tmp_path):
    samples = np.arange(3000, dtype=np.int32) % 977
    write_sds([trace("2024-03-05T10:00:00", samples[:1234])], tmp_path)
    write_sds([trace("2024-03-05T10:00:12.34", samples[1234:])], tmp_path)
    merged = read_back(tmp_path).merge()
    assert len(merged) == 1
    assert np.array_equal(merged[0].data, samples)


def test_gaps_stay_gaps(tmp_path):
    part = np.arange(500, dtype=np.int32)
    write_sds([trace("2024-03-05T10:00:00", part), trace("2024-03-05T10:00:07.01", part)], tmp_path)
    assert [t.stats.npts for t in read_back(tmp_path)] == [500, 500]


def test_steps_too_large_for_steim_are_kept(tmp_path):
    samples = np.array([0, 2**30, -(2**31), 5, 2**31 - 1], np.int32)
    write_sds([trace("2024-03-05", samples)], tmp_path)
    assert read_back(tmp_path)[0].data.tolist() == samples.tolist()


def test_sample_just_before_midnight_stays_in_its_day():
    late = trace("2024-03-04T23:59:59.990000", np.arange(3, dtype=np.int32))
    assert [len(p.samples) for p in split_at_midnight(late)] == [1, 2]
    odd = trace("2024-03-04T23:59:59.995000", np.arange(3, dtype=np.int32))
    assert [len(p.samples) for p in split_at_midnight(odd)] == [1, 2]


def test_other_sample_types_are_refused(tmp_path):
    with pytest.raises(TypeError, match="int64"):
        write_sds([trace("2024-03-05", np.arange(3))], tmp_path)
