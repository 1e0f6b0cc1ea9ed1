"""Reading miniSEED: parity with ObsPy, and what happens to damage."""

from __future__ import annotations

import warnings
from itertools import zip_longest
from pathlib import Path

import numpy as np
import pytest

from tests.io.waveform_files import HHZ, T0, noise, records, write
from zilzal.core.coverage import Reason
from zilzal.core.errors import FormatError
from zilzal.core.ids import ChannelId
from zilzal.io.formats import detect_format, read_other
from zilzal.io.miniseed import corrupt_spans, decode, read_miniseed
from zilzal.io.miniseed_index import index_file, index_grown

OTHER_VIEW = {
    "mseed_data_offset_0.mseed",  # ObsPy takes a record without data offset to be empty
    "gecko_non_ascii_header.ms",  # ObsPy keeps a control character as location code
    "microsecond_wrap.mseed",  # libmseed refuses 9999.99 as a fraction of a second
}
"""Files in which ObsPy sees something else, for the reason given."""
NOT_READ = {
    *("emptyfile.mseed", "infinite-loop.mseed"),
    *("not.mseed", "not2.mseed", "not3.mseed", "not4.mseed"),
}
"""Files that hold no record that can be read; ObsPy raises on most of them."""


def wheel(*parts) -> Path:
    import obspy

    return Path(obspy.__file__).parent.joinpath(*parts)


def obspy_summary(path):
    import obspy

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stream = obspy.read(str(path), format="MSEED")
    return sorted(
        (t.id, t.stats.starttime.ns, t.stats.sampling_rate, t.data.tolist())
        for t in stream
        if t.stats.npts and t.data.dtype.kind in "if" and t.stats.sampling_rate
    )


@pytest.mark.parity
def test_samples_are_those_of_obspy_for_every_file_that_it_carries():
    """Steim-1, Steim-2, floats, legacy encodings, both byte orders, odd and damaged records."""
    compared = 0
    folder = wheel("io", "mseed", "tests", "data")
    for path in sorted([*folder.glob("*"), *folder.glob("encoding/*"), *folder.glob("bizarre/*")]):
        if path.is_dir() or path.name in OTHER_VIEW or path.name in NOT_READ:
            continue
        traces, _ = read_miniseed(path)
        expected = obspy_summary(path)
        got = sorted(
            (str(t.channel_id), t.start.ns, t.sampling_rate, t.samples.tolist()) for t in traces
        )
        assert got == expected, path.name
        compared += 1
    assert compared > 60


@pytest.mark.parity
def test_headers_read_as_an_array_are_those_of_libmseed(shared):
    import mmap

    from zilzal.io.miniseed_index import RECORD, _index_any

    files = sorted((shared / "data/continuous/mesetas_2019-12-24").glob("2019/*/*/*/*"))
    for path in files:
        quick = index_file(path)
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
            slow = _index_any(path, view)
        assert quick.channel_ids == slow.channel_ids
        for name in set(RECORD.names) - {"data_bytes"}:  # libmseed counts whole Steim frames
            assert np.array_equal(quick.records[name], slow.records[name]), name
    assert len(files) == 18


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("dtype", ["i4", "f4", "f8"])
def test_what_was_written_is_read(tmp_path, version, dtype):
    x = noise(5000).astype(dtype)
    path = write(tmp_path / "a.mseed", records(x, version=version))
    (trace,), faults = read_miniseed(path)
    assert faults == []
    assert (trace.channel_id, trace.start, trace.sampling_rate) == (HHZ, T0, 100.0)
    assert trace.samples.dtype == x.dtype
    assert np.array_equal(trace.samples, x)


def test_versions_and_lengths_may_be_mixed_in_a_file(tmp_path):
    x = noise(9000)
    path = write(
        tmp_path / "a.mseed",
        records(x[:3000], 0),
        records(x[3000:6000], 30, version=3),
        records(x[6000:], 60, length=4096),
    )
    (trace,), faults = read_miniseed(path)
    assert faults == []
    assert np.array_equal(trace.samples, x)


def test_several_channels_in_one_file_are_kept_apart(tmp_path):
    parts = {c: records(noise(3000, i), channel=f"XX_AAA_00_H_H_{c}") for i, c in enumerate("ZNE")}
    mixed = [part for group in zip_longest(*parts.values()) for part in group if part]
    traces, _ = read_miniseed(write(tmp_path / "a.mseed", mixed))
    assert [str(t.channel_id) for t in traces] == [f"XX.AAA.00.HH{c}" for c in "ZNE"]
    for number, trace in enumerate(traces):
        assert np.array_equal(trace.samples, noise(3000, number))


def test_only_chosen_records_are_decoded(tmp_path):
    path = write(tmp_path / "a.mseed", records(noise(50_000)))
    index = index_file(path)
    (trace,), _ = decode(index, np.array([10, 11]))
    first = int(index.records["count"][:10].sum())
    assert trace.start == T0 + first / 100
    assert np.array_equal(trace.samples, noise(50_000)[first : first + len(trace.samples)])


@pytest.mark.parametrize("version", [2, 3])
def test_file_that_grew_is_indexed_as_if_it_were_new(tmp_path, version):
    parts = records(noise(9_000), version=version)
    assert len(parts) > 6
    path = write(tmp_path / "a.mseed", parts[:4])
    index, size = index_file(path), path.stat().st_size
    for end in (5, len(parts)):
        write(path, parts[:end])
        index, size = index_grown(index, size), path.stat().st_size
        new = index_file(path)
        assert index.channel_ids == new.channel_ids
        assert index.records.tolist() == new.records.tolist()
        assert index.end_ns.tolist() == new.end_ns.tolist()


def test_record_order_is_kept(tmp_path):
    a, b, c = records(noise(300), 0), records(noise(300), 9), records(noise(300), 3)
    traces, _ = read_miniseed(write(tmp_path / "a.mseed", a, b, c))
    assert [t.start - T0 for t in traces] == [0, 9, 3]


def test_jittered_records_are_not_joined_by_the_reader(tmp_path):
    x = noise(600)
    path = write(tmp_path / "a.mseed", records(x[:300]), records(x[300:], 3.002))
    traces, _ = read_miniseed(path)
    assert [round(t.start - T0, 6) for t in traces] == [0, 3.002]


def test_truncated_last_record_is_told_with_its_time(tmp_path):
    parts = records(noise(5000))
    parts[-1] = parts[-1][:100]
    traces, faults = read_miniseed(write(tmp_path / "a.mseed", parts))
    (span,) = corrupt_spans(faults)
    assert span.reason is Reason.CORRUPT
    assert span.start == traces[0].next_start
    assert span.end == T0 + 50
    assert "cut off" in faults[0].message


@pytest.mark.parametrize("version", [2, 3])
def test_damaged_samples_are_found_and_the_rest_is_read(tmp_path, version):
    parts = records(noise(5000), version=version)
    broken = bytearray(parts[3])
    broken[200] ^= 0xFF
    traces, faults = read_miniseed(
        write(tmp_path / "a.mseed", [*parts[:3], bytes(broken), *parts[4:]])
    )
    assert len(traces) == 2
    (span,) = corrupt_spans(faults)
    assert (span.start, span.end) == (traces[0].next_start, traces[1].start)
    assert sum(len(t.samples) for t in traces) + round(span.duration_s * 100) == 5000


def test_bytes_that_are_no_record_are_passed_over(tmp_path):
    parts = records(noise(5000))
    path = write(tmp_path / "a.mseed", parts[:3], [b"\x7fgarbage" * 100], parts[4:])
    traces, faults = read_miniseed(path)
    (span,) = corrupt_spans(faults)
    assert (span.start, span.end) == (traces[0].next_start, traces[1].start)
    assert faults[0].offset == sum(map(len, parts[:3]))


def test_file_that_shrinks_after_indexing_does_not_stop_anything(tmp_path):
    path = write(tmp_path / "a.mseed", records(noise(5000)))
    index = index_file(path)
    path.write_bytes(path.read_bytes()[:1024])
    traces, faults = decode(index, np.arange(len(index.records)))
    assert len(traces) == 1
    assert len(faults) == len(index.records) - 2


@pytest.mark.parametrize("content", [b"", b"hello " * 1000, bytes(5000)])
def test_other_content_is_not_miniseed(tmp_path, content):
    path = tmp_path / "a.mseed"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=r"a\.mseed"):
        read_miniseed(path)


@pytest.mark.parity
@pytest.mark.parametrize(
    ("file", "name"),
    [
        (("io", "sac", "tests", "data", "test.sac"), "SAC"),
        (("io", "gse2", "tests", "data", "loc_RJOB20050831023349.z"), "GSE2"),
        (("io", "seisan", "tests", "data", "2001-01-13-1742-24S.KONO__004"), "SEISAN"),
        (("io", "nied", "tests", "data", "test.knet"), "KNET"),
    ],
)
def test_other_formats_are_read_through_obspy(file, name):
    import obspy

    path = wheel(*file)
    assert detect_format(path) == name
    traces = read_other(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stream = obspy.read(str(path))
    assert [str(t.channel_id) for t in traces] == [t.id for t in stream]
    for ours, theirs in zip(traces, stream, strict=True):
        assert np.array_equal(ours.samples, theirs.data)
        assert ours.start.ns == theirs.stats.starttime.ns
    heads = read_other(path, headers_only=True)
    assert [(h.start, h.next_start) for h in heads] == [(t.start, t.next_start) for t in traces]


def test_damaged_file_of_another_format_is_a_format_error(tmp_path):
    path = tmp_path / "a.sac"
    path.write_bytes(wheel("io", "sac", "tests", "data", "test.sac").read_bytes()[:700])
    with pytest.raises(FormatError, match=r"a\.sac"):
        read_other(path)


def test_compressed_file_says_what_to_do(tmp_path):
    import gzip

    path = tmp_path / "a.mseed.gz"
    path.write_bytes(gzip.compress(b"".join(records(noise(100)))))
    with pytest.raises(FormatError, match="gzip; unpack it first"):
        detect_format(path)


def test_pickle_is_never_loaded(tmp_path):
    import pickle

    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "sprung",))

    path = tmp_path / "a.pickle"
    path.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(FormatError):
        read_other(path)
    assert not (tmp_path / "sprung").exists()


def test_channel_without_codes_is_refused(tmp_path):
    import obspy

    path = tmp_path / "a.sac"
    obspy.Trace(np.zeros(10, np.float32)).write(str(path), format="SAC")
    with pytest.raises(FormatError, match="no station or channel code"):
        read_other(path)


def test_codes_of_miniseed_3_may_be_long(tmp_path):
    path = write(
        tmp_path / "a.mseed", records(noise(100), channel="NETWORK_STATION_LOC_H_H_Z", version=3)
    )
    (trace,), _ = read_miniseed(path)
    assert trace.channel_id == ChannelId("NETWORK", "STATION", "LOC", "HHZ")
