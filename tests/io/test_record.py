"""Single records: read, packed, moved in time."""

from __future__ import annotations

import io
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.io.waveform_files import HHZ, T0, noise, records
from zilzal.core.errors import FormatError
from zilzal.core.ids import ChannelId
from zilzal.core.time import Time
from zilzal.core.waveform import Trace
from zilzal.io.packing import pack
from zilzal.io.record import (
    make_records,
    make_text_records,
    read_record,
    record_length,
    record_trace,
    shift_record,
    short_records,
)

pytestmark = pytest.mark.filterwarnings("ignore:SelectableGroups:DeprecationWarning")


def obspy_trace(content: bytes):
    import obspy

    return obspy.read(io.BytesIO(content), format="MSEED")[0]


def test_header_says_whose_when_and_what():
    record = read_record(records(noise(100), 12.5, "XX_AAA_10_B_H_N", rate=20.0)[0])
    assert record.channel_id == ChannelId("XX", "AAA", "10", "BHN")
    assert (record.start, record.end) == (T0 + 12.5, T0 + 17.5)
    assert (record.version, record.kind) == (2, "D")


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("dtype", [np.int32, np.float32, np.float64])
def test_samples_come_back(version, dtype):
    samples = noise(50).astype(dtype)
    trace = record_trace(records(samples, version=version)[0])
    assert (trace.channel_id, trace.start, trace.sampling_rate) == (HHZ, T0, 100.0)
    assert trace.samples.dtype == dtype
    assert np.array_equal(trace.samples, samples)


@pytest.mark.parametrize("length", [0, 30, 300])
def test_what_is_no_record_is_refused(length):
    with pytest.raises(FormatError):
        read_record(b"x" * length)
    with pytest.raises(FormatError):
        record_trace(records(noise(500))[0][: length + 1])


@pytest.mark.parametrize("version", [2, 3])
def test_damaged_samples_are_noticed(version):
    content = bytearray(records(noise(300), version=version)[0])
    content[200:204] = bytes(b ^ 0x55 for b in content[200:204])
    assert read_record(bytes(content)).channel_id == HHZ
    with pytest.raises(FormatError):
        record_trace(bytes(content))


def test_length_is_found_from_the_head():
    content = records(noise(5_000), length=4096)[0]
    assert record_length(content[:64]) == 4096
    assert record_length(records(noise(20), version=3)[0]) == len(records(noise(20), version=3)[0])
    with pytest.raises(FormatError):
        record_length(b"\0" * 64)


@pytest.mark.parity
@pytest.mark.parametrize("span_s", [0.0123, -3_600.0, 86_400 * 366.0])
def test_moved_record_is_the_same_at_another_time(span_s):
    before = read_record(records(noise(200), 0.0005)[0])
    after = shift_record(before, round(span_s * 1e9))
    ours, theirs = record_trace(after.content), obspy_trace(after.content)
    assert after.start == ours.start == T0 + 0.0005 + span_s
    assert Time(theirs.stats.starttime.ns) == after.start
    assert after.end - before.end == pytest.approx(span_s, abs=1e-9)
    assert np.array_equal(ours.samples, theirs.data)
    assert np.array_equal(ours.samples, record_trace(before.content).samples)


def test_moved_record_of_version_3_has_a_sound_checksum_and_nanoseconds():
    before = read_record(records(noise(200), version=3)[0])
    after = shift_record(before, 1_234_567_891)
    # The checksum is looked at when samples are decoded.
    assert record_trace(after.content).start == Time(T0.ns + 1_234_567_891)


def test_record_of_little_endian_header_is_moved():
    from obspy import Stream, Trace

    buffer = io.BytesIO()
    trace = Trace(np.arange(50, dtype=np.int32), {"station": "AAA", "sampling_rate": 10.0})
    Stream([trace]).write(buffer, format="MSEED", reclen=512, byteorder="<")
    after = shift_record(read_record(buffer.getvalue()), 5_000_000_000)
    assert record_trace(after.content).start == Time(5_000_000_000)


@pytest.mark.parametrize(("version", "length"), [(2, 4096), (3, 4096), (2, 512)])
def test_short_records_hold_the_same_samples(version, length):
    samples = noise(3_000)
    for content in records(samples, length=length, version=version):
        short = short_records(read_record(content))
        assert {len(each) for each in short} == {512}
        assert {read_record(each).version for each in short} == {2}
        joined = np.concatenate([record_trace(each).samples for each in short])
        assert np.array_equal(joined, record_trace(content).samples)
    if (version, length) == (2, 512):
        assert short == (content,)


def test_text_goes_into_as_many_log_records_as_it_needs():
    text = bytes(range(32, 127)) * 12
    found = list(make_text_records(ChannelId("SL", "INFO", "", "INF"), T0, text))
    assert {len(content) for content in found} == {512}
    assert {read_record(content).kind for content in found} == {"L"}
    with pytest.raises(FormatError, match="without samples"):
        record_trace(found[0])


def trace_of(samples, start_s=0.0, rate=100.0):
    return Trace(channel_id=HHZ, start=T0 + start_s, sampling_rate=rate, samples=samples)


def test_made_records_are_full_but_the_last():
    made = [read_record(c) for c in make_records(trace_of(noise(5_000)))]
    counts = [round((r.end - r.start) * 100) for r in made]
    assert sum(counts) == 5_000
    assert min(counts[:-1]) > 150


@settings(max_examples=30)
@given(cuts=st.lists(st.integers(1, 2_999), max_size=8, unique=True).map(sorted))
def test_chunks_are_packed_into_full_records_wherever_they_are_cut(cuts):
    samples = noise(3_000)
    edges = [0, *cuts, 3_000]
    chunks = [[trace_of(samples[a:b], a / 100)] for a, b in itertools.pairwise(edges)]
    packed = list(pack(chunks))
    assert [r.start for r in packed[1:]] == [r.end for r in packed[:-1]]
    assert np.array_equal(
        np.concatenate([record_trace(r.content).samples for r in packed]), samples
    )
    assert min(r.end - r.start for r in packed[:-1]) > 1.5


def test_gap_lets_a_record_go_before_it_is_full():
    chunks = [[trace_of(noise(100))], [trace_of(noise(100), 5.0)]]
    assert [(r.start - T0, r.end - T0) for r in pack(chunks)] == [(0, 1), (5, 6)]


def test_records_of_a_chunk_come_in_order_of_their_ends():
    other = Trace(
        channel_id=ChannelId("XX", "BBB", "", "HHZ"), start=T0, sampling_rate=100.0,
        samples=noise(4_000, 1) * 1_000,
    )  # fmt: skip
    ends = [r.end for r in pack([[trace_of(noise(4_000)), other]])]
    assert ends == sorted(ends)
