"""Other people's clients get from our server what they get from any."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from tests.io.seedlink_server import fill, serving
from tests.io.waveform_files import T0, noise
from zilzal.io.record import record_trace
from zilzal.io.seedlink.ring import Ring

pytestmark = [
    pytest.mark.parity,
    pytest.mark.filterwarnings("ignore:SelectableGroups:DeprecationWarning"),
]


def with_server(work, ring=None):
    """Let a blocking client work on a server; what it returned, and the ring."""

    async def main():
        async with serving(ring) as server:
            return await asyncio.to_thread(work, server.port), server.ring

    return asyncio.run(main())


def obspy_packets(port, count, *, selection, sequence):
    """What ObsPy's client collects."""
    from obspy.clients.seedlink.slclient import SLClient
    from obspy.clients.seedlink.slpacket import SLPacket

    client = SLClient(timeout=20)
    client.slconn.set_sl_address(f"127.0.0.1:{port}")
    client.multiselect = selection
    client.verbose = 0
    client.initialize()
    for stream in client.slconn.streams:
        stream.seqnum = sequence
    packets = []

    def keep(_, packet):
        if isinstance(packet, SLPacket):
            packets.append(packet)
        return len(packets) == count

    try:
        client.run(packet_handler=keep)
    finally:
        client.slconn.close()
    return packets


def test_obspy_streams_packets_of_several_stations():
    def work(port):
        # ObsPy asks for the next packet; the number 0 makes it ask for all.
        return obspy_packets(port, 50, selection="XX_AAA:HHZ,XX_BBB:00BHN", sequence=0)

    packets, ring = with_server(work)
    assert [p.get_sequence_number() for p in packets] == list(range(1, 51))
    short = [s for e in ring.entries() for s in e.short][:50]
    assert [bytes(p.msrecord) for p in packets] == short
    for packet in (packets[0], packets[-1]):
        trace, ours = packet.get_trace(), record_trace(bytes(packet.msrecord))
        assert np.array_equal(trace.data, ours.samples)
        assert trace.id == str(ours.channel_id)


def test_obspy_resumes_after_a_packet():
    packets, _ = with_server(
        lambda port: obspy_packets(port, 3, selection="XX_AAA:HHZ", sequence=12)
    )
    assert [p.get_sequence_number() for p in packets] == [13, 14, 15]


def test_obspy_asks_what_there_is():
    from obspy.clients.seedlink.basic_client import Client

    def work(port):
        client = Client("127.0.0.1", port, timeout=20)
        return client.get_info(level="channel"), client.get_info(network="XX", station="A*")

    (channels, stations), _ = with_server(work)
    assert channels == [("XX", "AAA", "", "HHZ"), ("XX", "BBB", "00", "BHN")]
    assert stations == [("XX", "AAA")]


def test_obspy_fetches_a_time_window():
    from obspy import UTCDateTime
    from obspy.clients.seedlink.basic_client import Client

    def work(port):
        client = Client("127.0.0.1", port, timeout=20)
        start = UTCDateTime(T0.unix_s + 20)
        return client.get_waveforms("XX", "BBB", "00", "BHN", start, start + 10)

    stream, _ = with_server(work)
    (trace,) = stream.merge()
    assert trace.id == "XX.BBB.00.BHN"
    assert np.array_equal(trace.data, noise(6_000)[2_000:3_001])


@pytest.mark.parametrize("protocol", ["3", "4"])
def test_earthscopes_blocking_client_fetches_and_ends(protocol, tmp_path):
    from seedlink_client import Protocol, SeedLink

    def fetch(port, state):
        client = SeedLink("127.0.0.1", port, timeout=20, dialup=True, protocol=Protocol(protocol))
        with client:
            client.add_stream("XX_AAA", "HH?", all_data=True)
            client.recover_state(state) if state.exists() else None
            packets = [(p.station_id, p.seqnum, p.payload) for p in client.collect(reconnect=False)]
            client.save_state(state)
            return packets

    def work(port):
        state = tmp_path / "state"
        return fetch(port, state), fetch(port, state)

    ring = Ring()
    fill(ring, 60)
    (first, second), _ = with_server(work, ring)
    assert first == [("XX_AAA", e.sequence, e.record.content) for e in ring.entries()]
    assert second == []


@pytest.mark.parametrize("protocol", ["3", "4"])
def test_earthscopes_client_speaks_batches_wildcards_and_keepalives(protocol):
    from seedlink_client import Protocol, SeedLink

    def work(port):
        client = SeedLink(
            "127.0.0.1", port, timeout=20, dialup=True, batch=True, keepalive=5,
            protocol=Protocol(protocol),
        )  # fmt: skip
        with client:
            client.add_stream("XX_?BB", "*_B_H_N", all_data=True, seqnum=None)
            client.set_timewindow("2020-01-01T00:00:30", "2020-01-01T00:00:50")
            return client.organization, [p.station_id for p in client.collect(reconnect=False)]

    (organization, stations), _ = with_server(work)
    assert organization == "zilzal replay"
    assert set(stations) == {"XX_BBB"}
