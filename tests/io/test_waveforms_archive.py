"""Archives: found by channel and time, streamed with bounded memory, cleaned when asked."""

from __future__ import annotations

import logging
import pickle
import tracemalloc

import numpy as np
import pytest

from tests.io.waveform_files import HHZ, T0, noise, records, write
from zilzal.core.coverage import Reason, tally_hours
from zilzal.core.errors import FormatError
from zilzal.core.ids import ChannelId, SensorId
from zilzal.core.stage import Waveforms
from zilzal.core.time import Time
from zilzal.io.archive import Archive
from zilzal.io.inventory import read_inventory
from zilzal.signal import align
from zilzal.signal.continuity import REPEATS, GapPolicy, merge_spans
from zilzal.signal.orientation import orient


def clean(archive, channel_id, chunk_s=3600.0, policy=None):
    """A channel's whole archive through the gap policy."""
    policy = policy or GapPolicy()
    state, traces, spans = policy.start(channel_id), [], []
    for step in archive.steps([channel_id], chunk_s=chunk_s):
        state, out, told = policy.step(state, step.traces, step.until, corrupt=step.corrupt)
        traces, spans = traces + out, spans + told
    out, told = policy.finish(state)
    return traces + out, merge_spans(spans + told)


def whole(traces):
    return np.concatenate([t.samples for t in traces])


def test_folder_of_files_in_any_order(tmp_path):
    x = noise(9000)
    write(tmp_path / "b/first.mseed", records(x[:3000]))
    write(tmp_path / "c", records(x[3000:6000], 30))
    write(tmp_path / "a.D.2020.001", records(x[6000:], 60))
    (tmp_path / "notes.txt").write_text("not waveforms")
    archive = Archive.open(tmp_path)
    assert archive.channel_ids() == (HHZ,)
    assert archive.sensors() == (SensorId("XX", "AAA", "", "HH"),)
    assert archive.span(HHZ) == (T0, T0 + 90)
    assert archive.faults == ()
    assert np.array_equal(whole(archive.traces()), x)


def test_same_file_by_two_paths_counts_once(tmp_path):
    path = write(tmp_path / "a", records(noise(1000)))
    (tmp_path / "link").symlink_to(path)
    archive = Archive.open([path, tmp_path, str(path)])
    assert len(archive.files) == 1


def test_copy_of_a_file_is_told_as_overlap(tmp_path):
    write(tmp_path / "a", records(noise(3000)))
    write(tmp_path / "b", records(noise(3000)))
    archive = Archive.open(tmp_path)
    traces, spans = clean(archive, HHZ)
    assert np.array_equal(whole(traces), noise(3000))
    assert sum(s.duration_s for s in spans if s.reason is Reason.OVERLAP) == pytest.approx(30)
    assert np.array_equal(whole(archive.read(HHZ, T0, T0 + 30)), noise(3000))


def test_records_across_midnight_join(tmp_path):
    x = noise(20_000)
    write(tmp_path / "day1", records(x[:12_345], 86_300))
    write(tmp_path / "day2", records(x[12_345:], 86_300 + 123.45))
    archive = Archive.open(tmp_path)
    for chunk_s in (10.0, 60.0, 86_400.0):
        traces, spans = clean(archive, HHZ, chunk_s)
        assert np.array_equal(whole(traces), x)
        assert [s.reason for s in spans] == [Reason.ANALYSED]


def test_steps_do_not_change_what_is_analysed(tmp_path):
    """Out-of-order records, overlaps, gaps and a clock step, in steps of any length."""
    x = noise(60_000)
    write(tmp_path / "a", records(x[20_000:40_000], 200), records(x[:15_000]))
    write(tmp_path / "b", records(x[10_000:21_000], 100), records(noise(3000, 1), 250))
    write(tmp_path / "c", records(x[45_000:], 450), records(noise(5000, 2), 590))
    archive = Archive.open(tmp_path)
    expected, told = clean(archive, HHZ, 86_400.0)
    for chunk_s in (7.0, 31.0, 250.0):
        traces, spans = clean(archive, HHZ, chunk_s)
        assert np.array_equal(whole(traces), whole(expected))
        tiles = [(s.reason, s.start, s.end) for s in spans if s.reason not in REPEATS]
        assert tiles == [(s.reason, s.start, s.end) for s in told if s.reason not in REPEATS]
    assert np.array_equal(whole(traces)[:40_000], x[:40_000])


def test_bad_file_is_counted_and_does_not_stop_the_rest(tmp_path, caplog):
    write(tmp_path / "good", records(noise(1000)))
    (tmp_path / "bad").write_bytes(b"\x00broken" * 500)
    (tmp_path / "empty").touch()
    seen = []
    with caplog.at_level(logging.WARNING):
        archive = Archive.open(tmp_path, progress=lambda *told: seen.append(told))
    assert [(fault.path.name, fault.offset) for fault in archive.faults] == [
        ("bad", 0),
        ("empty", 0),
    ]
    assert "2 of 3 files" in caplog.text
    assert [(done, total) for done, total, _ in seen] == [(1, 3), (2, 3), (3, 3)]
    assert len(whole(archive.traces())) == 1000


def test_nothing_readable_is_an_error(tmp_path):
    (tmp_path / "bad").write_bytes(b"broken" * 500)
    with pytest.raises(FormatError, match="no waveforms in 1 files"):
        Archive.open(tmp_path)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        Archive.open(tmp_path / "nowhere")


def test_corrupt_record_is_named_in_the_ledger(tmp_path):
    parts = records(noise(5000))
    broken = bytearray(parts[3])
    broken[200] ^= 0xFF
    write(tmp_path / "a", parts[:3], [bytes(broken)], parts[4:])
    archive = Archive.open(tmp_path)
    _, spans = clean(archive, HHZ)
    assert [s.reason for s in spans] == [Reason.ANALYSED, Reason.CORRUPT, Reason.ANALYSED]
    assert spans[1].note == "a, byte 1536: the samples cannot be decoded"
    found = []
    list(archive.traces(on_corrupt=found.append))
    assert [(s.start, s.end) for s in found] == [(spans[1].start, spans[1].end)]


def test_limits_cut_to_the_sample(tmp_path):
    write(tmp_path / "a", records(noise(5000)))
    archive = Archive.open(tmp_path)
    found = list(archive.traces(start=T0 + 12.34, end=T0 + 20.001))
    assert found[0].start == T0 + 12.34
    assert np.array_equal(whole(found), noise(5000)[1234:2001])


def test_channels_and_sensors_are_selected(tmp_path):
    for code in ("XX_AAA__H_H_Z", "XX_AAA__H_H_N", "XX_AAA_10_H_H_Z", "XX_BBB__B_H_Z"):
        write(tmp_path / code, records(noise(100), channel=code))
    archive = Archive.open(tmp_path)
    sensor = SensorId("XX", "AAA", "", "HH")
    assert {str(t.channel_id) for t in archive.traces(sensor)} == {"XX.AAA..HHZ", "XX.AAA..HHN"}
    (trace,) = archive.traces([ChannelId.parse("XX.BBB..BHZ")])
    assert str(trace.channel_id) == "XX.BBB..BHZ"
    assert archive.span(SensorId("XX", "CCC", "", "HH")) is None
    assert archive.sensors(T0 + 100, T0 + 200) == ()


def test_read_gives_clean_pieces_and_satisfies_the_protocol(tmp_path):
    x = noise(100_000)
    x[50_000:52_000] = 0
    write(tmp_path / "a", records(x[:60_000]), records(x[59_000:], 590))
    archive: Waveforms = Archive.open(tmp_path)
    assert list(archive.channel_ids()) == [HHZ]
    before, after = archive.read(HHZ, T0 + 490, T0 + 600)
    assert np.array_equal(before.samples, x[49_000:50_000])
    assert (after.start, after.next_start) == (T0 + 520, T0 + 600)
    assert np.array_equal(after.samples, x[52_000:60_000])
    assert archive.read(HHZ, T0 + 5000, T0 + 6000) == []
    assert archive.read(ChannelId.parse("XX.AAA..HHN"), T0, T0 + 60) == []


def test_short_read_is_not_too_short(tmp_path):
    write(tmp_path / "a", records(noise(5000)))
    (piece,) = Archive.open(tmp_path).read(HHZ, T0 + 10, T0 + 10.05)
    assert len(piece.samples) == 5


def test_other_formats_stream_along(tmp_path):
    import obspy

    x = noise(5000).astype(np.float32)
    header = {"network": "XX", "station": "SAC", "channel": "HHZ", "sampling_rate": 100.0}
    header["starttime"] = obspy.UTCDateTime(ns=T0.ns)
    obspy.Trace(x, header).write(str(tmp_path / "a.sac"), format="SAC")
    write(tmp_path / "b", records(noise(1000)))
    archive = Archive.open(tmp_path)
    sac = ChannelId.parse("XX.SAC..HHZ")
    assert archive.span(sac) == (T0, T0 + 50)
    traces, _ = clean(archive, sac, 7.0)
    assert np.array_equal(whole(traces), x)
    (piece,) = archive.read(sac, T0 + 10, T0 + 20)
    assert np.array_equal(piece.samples, x[1000:2000])


def test_memory_does_not_grow_with_the_archive(tmp_path):
    parts = records(noise(100_000), length=4096)
    path = tmp_path / "long"
    with path.open("wb") as file:  # 40 × 1000 s in one file
        for number in range(40):
            file.write(b"".join(records(noise(100_000), number * 1000.0, length=4096)))
    archive = Archive.open(path)
    tracemalloc.start()
    count = sum(len(t.samples) for step in archive.steps(chunk_s=1000) for t in step.traces)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 4_000_000
    assert peak < 8 * len(b"".join(parts))  # the file is 40 times that


def test_archive_can_be_sent_to_another_process(tmp_path):
    write(tmp_path / "a", records(noise(1000)))
    archive = pickle.loads(pickle.dumps(Archive.open(tmp_path)))
    assert len(whole(archive.traces())) == 1000


def test_step_far_in_time_is_jumped_over(tmp_path):
    write(tmp_path / "a", records(noise(1000)), records(noise(1000), 1e8))
    steps = list(Archive.open(tmp_path).steps(chunk_s=60))
    assert len(steps) == 2


@pytest.mark.parity
def test_real_gaps_are_those_that_obspy_finds(shared):
    import obspy

    root = shared / "data/continuous/anza_1998-01-01"
    archive = Archive.open(root)
    assert len(archive.channel_ids()) == 9
    hours = []
    for channel_id in archive.channel_ids():
        traces, spans = clean(archive, channel_id)
        stream = obspy.read(str(archive.files[archive.channel_ids().index(channel_id)].path))
        gaps = [s for s in spans if s.reason is Reason.GAP]
        assert len(gaps) == len(stream.get_gaps())
        assert sum(g.duration_s for g in gaps) == pytest.approx(
            sum(gap[6] for gap in stream.get_gaps()), abs=1e-3
        )
        assert len(whole(traces)) == sum(t.stats.npts for t in stream)
        hours += tally_hours(s for s in spans if s.reason not in REPEATS)
    per_hour = {}
    for hour in hours:
        key = (hour.channel_id, hour.hour)
        per_hour[key] = per_hour.get(key, 0) + hour.seconds
    full = [v for v in per_hour.values() if abs(v - 3600) < 1e-6]
    assert len(full) >= 9 * 22  # all but each channel's first and last hour


def windows_of(archive, sensor_id, orientation, chunk_s):
    """A sensor's windows, as the archive driver makes them."""
    policy = GapPolicy()
    channel_ids = [sensor_id.channel_id(c) for c in orientation.components]
    states = {c: policy.start(c) for c in channel_ids}
    aligned, windows = align.start(sensor_id, orientation), []
    for step in archive.steps(channel_ids, chunk_s=chunk_s):
        cleaned = []
        for c in channel_ids:
            mine = [t for t in step.traces if t.channel_id == c]
            states[c], out, _ = policy.step(states[c], mine, step.until, corrupt=step.corrupt)
            cleaned += out
        settled = min(s.settled or step.until for s in states.values())
        aligned, more = align.step(aligned, cleaned, settled)
        windows += more
    rest = [t for c in channel_ids for t in policy.finish(states[c])[0]]
    aligned, more = align.step(aligned, rest, Time(2**62))
    return windows + more


@pytest.mark.parametrize(
    ("folder", "sensor"),
    [("ridgecrest_2019-07-07", "PB.B918..EH"), ("anza_1998-01-01", "AZ.LVA2..BH")],
)
def test_real_sensor_gives_the_same_windows_for_any_step(shared, folder, sensor):
    root = shared / "data/continuous" / folder
    archive, inventory = Archive.open(root), read_inventory(root / "inventory.xml")
    sensor_id = SensorId.parse(sensor)
    span = archive.span(sensor_id)
    components = [c.component for c in archive.channel_ids() if c.sensor_id == sensor_id]
    orientation = orient(components, inventory.sensor(sensor_id, span[0]))
    assert orientation.note == ""

    def stretches(chunk_s):
        windows = windows_of(archive, sensor_id, orientation, chunk_s)
        edges = [n for n in range(1, len(windows)) if windows[n].start != windows[n - 1].next_start]
        parts = np.split(np.arange(len(windows)), edges)
        return [(windows[p[0]].start, np.hstack([windows[n].samples for n in p])) for p in parts]

    expected = stretches(86_400.0)
    assert sum(x.shape[1] for _, x in expected) > 470_000
    got = stretches(457.0)
    assert [t for t, _ in got] == [t for t, _ in expected]
    for (_, x), (_, y) in zip(got, expected, strict=True):
        assert x.shape == y.shape
        assert np.allclose(x, y, rtol=1e-6, atol=1e-3)  # the product's order of sums may differ
