"""Parts of the monitor by themselves."""

import math
import socket

import numpy as np
import pytest

from zilzal.app.live.latency import EDGES_S, Histogram
from zilzal.app.live.options import LiveOptions
from zilzal.app.live.shedding import shed
from zilzal.core.ids import StationId
from zilzal.io.notify import Notifier

A, B, C = (StationId("XX", name) for name in "ABC")


def test_least_useful_station_is_left_out_first_and_taken_in_last():
    use = {A: 0.9, B: 0.0, C: 0.4}
    once = shed(frozenset(), 301.0, 300.0, use)
    twice = shed(once, 301.0, 300.0, use)
    assert (once, twice) == ({B}, {B, C})
    assert shed(twice, 301.0, 300.0, use) == {B, C}, "the last station is kept"
    assert shed(twice, 200.0, 300.0, use) == {B, C}
    assert shed(twice, 100.0, 300.0, use) == {B}


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


@pytest.mark.parametrize("options", [{"tick_s": -1.0}, {"backlog": 0}, {"horizon_s": 100.0}])
def test_options_out_of_range_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        LiveOptions(**options)
