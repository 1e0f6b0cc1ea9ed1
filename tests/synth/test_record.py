"""Records are alike however they are cut, and show the faults that were planned."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.synth.conftest import START, make_scenario
from zilzal.core.ids import ChannelId
from zilzal.core.stage import Source, Waveforms
from zilzal.synth.disturbance import disturbances
from zilzal.synth.network import build_network
from zilzal.synth.record import SyntheticRecords, record_station
from zilzal.synth.scenario import NoisePlan, PlannedTeleseism, Site
from zilzal.synth.visibility import true_detections, visible_arrivals


def joined(traces):
    """Samples by channel and start time of each sample's trace piece, merged where they touch."""
    out = {}
    for trace in traces:
        rows = out.setdefault(trace.channel_id, [])
        if rows and rows[-1][0] + len(rows[-1][1]) / trace.sampling_rate == trace.start:
            rows[-1] = (rows[-1][0], np.concatenate([rows[-1][1], trace.samples]))
        else:
            rows.append((trace.start, trace.samples))
    return out


@settings(deadline=None, max_examples=4)
@given(st.lists(st.floats(0.001, 179.9), min_size=1, max_size=4, unique=True))
def test_chunks_join_to_the_whole(small, cuts):
    edges = [0.0, *sorted(cuts), 180.0]
    for station in small.stations:
        whole = joined(record_station(small, station, START, START + 180))
        parts = joined(
            trace
            for low, high in pairwise(edges)
            for trace in record_station(small, station, START + low, START + high)
        )
        assert parts.keys() == whole.keys()
        for channel_id, pieces in whole.items():
            assert [p[0] for p in parts[channel_id]] == [p[0] for p in pieces]
            for a, b in zip(parts[channel_id], pieces, strict=True):
                assert np.array_equal(a[1], b[1])


def test_bursts_go_on_across_the_hour():
    network = build_network(
        make_scenario(
            sites=(Site(code="A", east_m=0.0, north_m=0.0),),
            noise=NoisePlan(bursts_per_hour=900.0),
        )
    )
    station, hour = network.stations[0], START + 3_600
    whole = record_station(network, station, hour + -20, hour + 20)
    late = record_station(network, station, hour + 1, hour + 20)
    for a, b in zip(whole, late, strict=True):
        assert np.array_equal(a.samples[2_100:], b.samples)


def pieces(network, code, start_s=0.0, end_s=180.0):
    return SyntheticRecords(network).read(ChannelId.parse(code), START + start_s, START + end_s)


def test_records_are_whole_counts(small):
    traces = list(SyntheticRecords(small).traces())
    assert all(t.samples.dtype == np.int32 for t in traces)
    assert {len(t.samples) for t in traces if t.channel_id.station_id.station == "C"} == {9_000}


def test_gap_and_wrong_clock_split_the_trace(small):
    found = pieces(small, "SY.A..HHZ")
    spans = [(t.start - START, t.next_start - START) for t in found]
    # The gap is from 60 to 65.005 s; from 90 to 120 s stamps are 0.75 s late.
    assert spans == [
        (0.0, 60.0), (pytest.approx(65.01), 90.0), (90.75, 120.75), (120.0, 180.0),
    ]  # fmt: skip


def test_dead_sensor_gives_a_constant_and_zeros_are_zeros(small):
    dead = pieces(small, "SY.B..EHZ", 120, 140)[0].samples
    assert len(np.unique(dead)) == 1
    zero = pieces(small, "SY.C..HNN", 70, 80)[0].samples
    assert (zero == 0).all()
    assert np.ptp(pieces(small, "SY.C..HNN", 80, 90)[0].samples) > 0


def test_spike_is_one_sample_of_one_component(small):
    spiked = pieces(small, "SY.B..EH1", 79, 81)[0].samples
    assert np.flatnonzero(np.abs(np.diff(spiked)) > 4e5).tolist() == [99, 100]
    assert np.abs(np.diff(pieces(small, "SY.B..EH2", 79, 81)[0].samples)).max() < 1e5


def test_glitch_jumps_and_decays(small):
    north = pieces(small, "SY.A..HHN", 140, 180)[0].samples.astype(float)
    assert np.abs(north[:1000]).max() < 3e4
    assert north[1050:1150].mean() > 1.5e5
    assert north[-200:].mean() < 0.4 * north[1050:1150].mean()


def test_strong_motion_clips_a_broadband():
    from tests.synth.conftest import event

    network = build_network(
        make_scenario(
            sites=(Site(code="A", east_m=3_000, north_m=0.0),), events=(event(5, magnitude=5.5),)
        )
    )
    samples = record_station(network, network.stations[0], START, START + 30)[0].samples
    assert np.abs(samples).max() == 2**23 - 1


def test_source_and_waveform_access_agree(small):
    records = SyntheticRecords(small, chunk_s=70.0)
    source: Source = records
    waveforms: Waveforms = records
    everything = joined(source.traces())
    assert set(everything) == set(waveforms.channel_ids())
    for channel_id in waveforms.channel_ids():
        read = joined(waveforms.read(channel_id, START, START + 180))[channel_id]
        for a, b in zip(everything[channel_id], read, strict=True):
            assert a[0] == b[0]
            assert np.array_equal(a[1], b[1])


def test_unknown_channel_and_time_outside_give_nothing(small):
    assert pieces(small, "SY.Z..HHZ") == []
    assert pieces(small, "SY.A..HHZ", 180, 300) == []


def test_teleseism_crosses_the_network_with_its_apparent_velocity():
    sites = tuple(Site(code=f"T{i}", east_m=30_000.0 * i, north_m=0.0) for i in range(2))
    plan = PlannedTeleseism(after_s=20, azimuth_deg=90.0, apparent_velocity_m_per_s=10_000.0)
    network = build_network(
        make_scenario(sites=sites, teleseisms=(plan,), noise=NoisePlan(bursts_per_hour=0.0))
    )
    signals = [disturbances(network, s, START, START + 180)[0] for s in network.stations]
    near, far = (s.samples[0] for s in signals)
    assert signals[1].first - signals[0].first == pytest.approx(300, abs=1)
    length = min(len(near), len(far)) - 2
    assert np.corrcoef(near[:length], far[:length])[0, 1] > 0.99
    # 2e-6 m/s at 6.3e8 counts per m/s is 1,260 counts.
    assert 600 < np.abs(near).max() < 1_400


def test_arrivals_in_gaps_are_not_recorded_and_large_ones_are_loud(small):
    visible = visible_arrivals(small)
    assert [v.arrival for v in visible] == list(small.arrivals)
    assert all(v.is_recorded for v in visible)
    by_event = {e.id: [] for e in small.events}
    for v in visible:
        by_event[v.arrival.event_id].append(v.snr)
    large, little = (np.median(by_event[e.id]) for e in small.events)
    assert large > 3 * little > 3


def test_detection_lasts_from_p_into_the_coda(small):
    detections = true_detections(small)
    for detection in detections:
        times = [
            a.time for a in small.arrivals
            if (a.event_id, a.station_id) == (detection.event_id, detection.station_id)
        ]  # fmt: skip
        assert detection.start == min(times)
        assert detection.end > max(times)
    lasts = [
        np.mean([d.end - d.start for d in detections if d.event_id == e.id]) for e in small.events
    ]
    assert lasts[0] > lasts[1]
