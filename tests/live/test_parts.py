"""Parts of the monitor by themselves."""

import asyncio
import math
import socket
from dataclasses import replace

import numpy as np
import pytest

from tests.clock import ManualClock
from tests.live.network import monitor_of, settings
from tests.live.test_health import pick
from zilzal.app.live.health import MONITOR, Health, Pulse
from zilzal.app.live.latency import EDGES_S, Histogram
from zilzal.app.live.metrics import metrics
from zilzal.app.live.shedding import shed
from zilzal.app.live_options import LiveOptions
from zilzal.core.coverage import Reason
from zilzal.core.ids import StationId
from zilzal.io.metrics_server import serving_metrics
from zilzal.io.notify import Notifier
from zilzal.io.playback_source import PlaybackSource
from zilzal.io.store import Store

A, B, C = (StationId("XX", name) for name in "ABC")


def test_least_useful_station_is_left_out_first_and_taken_in_last():
    use = {A: 0.9, B: 0.0, C: 0.4}
    once = shed(frozenset(), 301.0, 300.0, use)
    twice = shed(once, 301.0, 300.0, use)
    assert (once, twice) == ({B}, {B, C})
    assert shed(twice, 301.0, 300.0, use) == {B, C}, "the last station is kept"
    assert shed(twice, 200.0, 300.0, use) == {B, C}
    assert shed(twice, 100.0, 300.0, use) == {B}


def test_stations_that_are_left_out_are_told_in_ledger_and_log(made, tmp_path, caplog):
    """Records that wait at all are too late here: each round leaves out one station more."""
    with Store.open(tmp_path / "zilzal.db") as store:
        source = PlaybackSource(paths=(str(made.waveforms),))
        configuration = settings(shed_after_s=0.0, backlog=100)
        monitor = monitor_of(made, tmp_path, configuration, [source], store)
        asyncio.run(monitor.run())
        ledger = list(store.coverage())
        note = store.notes(MONITOR)[MONITOR][1]
    left_out = {str(s.channel_id.station_id) for s in ledger if s.reason is Reason.SHED}
    assert left_out
    assert set(note["shed"]) <= left_out
    told = [record.message for record in caplog.records if "is left out" in record.message]
    assert {message.split()[0] for message in told} == left_out
    # Never all: of the most useful station everything is worked on.
    analysed = {str(s.channel_id.station_id) for s in ledger if s.reason.is_analysed}
    assert analysed - left_out


def test_quantiles_are_within_an_edge_of_the_true_ones():
    spans = np.random.default_rng(1).lognormal(0.5, 1.0, 5_000)
    histogram = Histogram()
    for span in spans:
        histogram.add(float(span))
    for share in (0.5, 0.95, 0.99):
        found, true = histogram.quantile_s(share), float(np.quantile(spans, share))
        assert true <= found <= true * EDGES_S[1] / EDGES_S[0] * 1.01
    assert Histogram.of(histogram.note()).quantile_s(0.5) == histogram.quantile_s(0.5)


def test_spans_beyond_the_edges_are_counted():
    histogram = Histogram()
    assert histogram.quantile_s(0.5) is None
    histogram.add(-5.0)
    assert histogram.quantile_s(0.5) == EDGES_S[0]
    histogram.add(1e9)
    assert histogram.quantile_s(1.0) == math.inf


def test_service_manager_is_told(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "30000000"}
        notifier = Notifier.of(environment)
        notifier.tell("READY=1", "STATUS=well")
        assert manager.recv(100) == b"READY=1\nSTATUS=well"
    assert notifier.watchdog_s == 30.0
    notifier.tell("STOPPING=1")
    Notifier.of({}).tell("READY=1")


def test_metrics_are_served_over_http():
    async def work() -> list[str]:
        answers: list[str] = []
        async with serving_metrics("127.0.0.1:0", {"/metrics": lambda: "zilzal_x 1\n"}) as port:
            for request in ("GET /metrics", "GET /nothing", "POST /metrics"):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(f"{request} HTTP/1.1\r\nHost: here\r\n\r\n".encode())
                answers.append((await reader.read()).decode())
                writer.close()
        return answers

    found, missing, refused = asyncio.run(work())
    assert found.startswith("HTTP/1.1 200 OK")
    assert found.endswith("\r\n\r\nzilzal_x 1\n")
    assert missing.startswith("HTTP/1.1 404")
    assert refused.startswith("HTTP/1.1 405")


def test_metrics_have_a_bucket_for_each_edge_and_add_up():
    health = Health(ManualClock())
    for span in (0.5, 1.0, 2.0):
        health.to_pick.add(span)
    text = metrics(health, Pulse(passed={}, shed=frozenset({A}), waiting=7))
    assert "zilzal_waiting_packets 7\n" in text
    assert "zilzal_stations_shed 1\n" in text
    assert 'zilzal_pick_seconds_bucket{le="+Inf"} 3\n' in text
    assert "zilzal_pick_seconds_sum 3.5\n" in text
    assert text.count("zilzal_pick_seconds_bucket") == len(EDGES_S) + 1


def test_a_pick_is_timed_from_its_onset_and_from_the_last_sample_it_was_seen_with():
    clock = ManualClock()
    health, seen = Health(clock), replace(pick(0.0), time=clock.now() - 9.0)
    station = seen.channel_id.station_id
    for newest in (clock.now() - 2.0, clock.now()):
        health.note_preliminary([seen], {station: newest})
    text = metrics(health, Pulse(passed={}, shed=frozenset(), waiting=0))
    assert "zilzal_pick_seconds_sum 9\n" in text
    assert "zilzal_told_seconds_sum 2\n" in text
    assert 'zilzal_told_seconds_bucket{le="+Inf"} 1\n' in text


@pytest.mark.parametrize("options", [{"tick_s": -1.0}, {"backlog": 0}, {"horizon_s": 100.0}])
def test_options_out_of_range_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        LiveOptions(**options)
