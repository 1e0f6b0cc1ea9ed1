"""Records of archives come in the order in which a network would have sent them."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from tests.io.waveform_files import T0, noise, records, write
from zilzal.io.archive import Archive
from zilzal.io.playback import archive_records, deliveries
from zilzal.io.record import read_record, record_trace

pytestmark = pytest.mark.filterwarnings("ignore:SelectableGroups:DeprecationWarning")


def played(folder, *limits):
    return list(archive_records(Archive.open(folder), *limits))


@pytest.fixture
def folder(tmp_path):
    """Three channels in two files, and one that begins later; records of both lengths."""
    write(
        tmp_path / "both.mseed",
        records(noise(9_000), channel="XX_AAA__H_H_Z"),
        records(noise(9_000, 1), channel="XX_AAA__H_H_N", length=4096),
    )
    write(tmp_path / "one.mseed", records(noise(9_000, 2), channel="XX_BBB__H_H_Z"))
    write(tmp_path / "late.mseed", records(noise(2_000, 3), 60.0, "XX_CCC__H_H_Z", version=3))
    return tmp_path


def test_every_record_comes_once_as_it_is_in_order_of_its_end(folder):
    found = played(folder)
    ends = [r.end for r in found]
    assert ends == sorted(ends)
    content = b"".join(p.read_bytes() for p in folder.iterdir())
    assert sum(len(r.content) for r in found) == len(content)
    assert Counter(r.channel_id.station for r in found).keys() == {"AAA", "BBB", "CCC"}
    assert all(r.content in content for r in found)


def test_only_records_with_data_between_the_limits_come(folder):
    start, end = T0 + 30, T0 + 70
    whole = played(folder)
    wanted = [r.content for r in whole if r.end > start and r.start < end]
    assert [r.content for r in played(folder, start, end)] == wanted
    assert 0 < len(wanted) < len(whole)


def test_disorder_within_a_file_is_put_right(tmp_path):
    made = records(noise(20_000))
    shuffled = list(made)
    for first in range(0, len(made) - 8, 8):
        shuffled[first : first + 8] = reversed(made[first : first + 8])
    write(tmp_path / "a.mseed", shuffled)
    assert [r.content for r in played(tmp_path)] == made


def test_a_record_with_a_wild_time_holds_nobody_up(tmp_path):
    made = records(noise(60_000))
    wild = records(noise(100), 86_400 * 9_000.0)
    write(tmp_path / "a.mseed", made[:50], wild, made[50:])
    write(tmp_path / "b.mseed", records(noise(5_000), 300.0, "XX_BBB__H_H_Z"))
    found = played(tmp_path)
    assert [r.content for r in found if r.channel_id.station == "AAA"] == [*made, *wild]
    assert found[-1].content == wild[0]


def test_what_is_no_record_is_passed_over(tmp_path):
    made = records(noise(30_000))
    parts = [made[:20], [b"\xff" * 700], made[20:100], [b"MS\x03junk" * 30], made[100:]]
    write(tmp_path / "a.mseed", *parts, [records(noise(500), 999.0)[0][:300]])
    assert [r.content for r in played(tmp_path)] == made


def test_other_formats_are_packed(tmp_path):
    import obspy

    header = {"network": "XX", "station": "AAA", "channel": "HHZ", "sampling_rate": 100.0}
    header["starttime"] = obspy.UTCDateTime(T0.unix_s)
    samples = noise(3_000).astype(np.float32)
    obspy.Trace(samples, header).write(str(tmp_path / "a.sac"), format="SAC")
    found = [record_trace(r.content) for r in played(tmp_path)]
    assert np.array_equal(np.concatenate([t.samples for t in found]), samples)


def test_file_that_is_gone_is_left_out(folder, caplog):
    archive = Archive.open(folder)
    (folder / "one.mseed").unlink()
    stations = {r.channel_id.station for r in archive_records(archive)}
    assert stations == {"AAA", "CCC"}
    assert "one.mseed cannot be read any more" in caplog.text


def test_delivery_times_never_go_back():
    made = [read_record(c) for c in records(noise(2_000))]
    found = [d.time for d in deliveries([made[1], made[0], made[2]])]
    assert found == [made[1].end, made[1].end, made[2].end]
