"""The monitor's numbers in the text format of Prometheus."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from zilzal.app.live.health import Health, Pulse
from zilzal.app.live.latency import EDGES_S, Histogram


def metrics(health: Health, pulse: Pulse) -> str:
    """All numbers.

    Source:
        Prometheus text exposition format 0.0.4.
    """
    now = health.clock.now()
    stations = sorted(health.stations.items())
    passed = {sensor.station_id: time for sensor, time in pulse.passed.items()}
    lines = [
        *_one("waiting_packets", "gauge", "Packets that wait to be worked on.", pulse.waiting),
        *_one("stations_shed", "gauge", "Stations left out for want of time.", len(pulse.shed)),
        *_one("events_total", "counter", "Events since the start.", health.events),
        *_one("revisions_total", "counter", "Versions of events stored.", health.revisions),
        *_one("refusals_total", "counter", "Times the store or disk refused.", health.refusals),
        *_many("station_packets_total", "counter", "Packets by station.",
               {str(i): s.packets for i, s in stations}),
        *_many("station_picks_total", "counter", "Final picks by station.",
               {str(i): s.picks for i, s in stations}),
        *_many("station_data_age_seconds", "gauge", "Since the newest sample.",
               {str(i): now - s.data_end for i, s in stations if s.data_end is not None}),
        *_many("station_worked_age_seconds", "gauge", "Since the newest sample worked on.",
               {str(i): now - passed[i] for i, _ in stations if i in passed}),
    ]  # fmt: skip
    for name, (text, histogram) in health.latencies().items():
        lines += _histogram(name, text, histogram)
    return "\n".join(lines) + "\n"


def _head(name: str, kind: str, text: str) -> list[str]:
    return [f"# HELP zilzal_{name} {text}", f"# TYPE zilzal_{name} {kind}"]


def _one(name: str, kind: str, text: str, value: float) -> list[str]:
    return [*_head(name, kind, text), f"zilzal_{name} {value:g}"]


def _many(name: str, kind: str, text: str, values: Mapping[str, float]) -> Iterable[str]:
    rows = (f'zilzal_{name}{{station="{station}"}} {v:.10g}' for station, v in values.items())
    return [*_head(name, kind, text), *rows]


def _histogram(name: str, text: str, histogram: Histogram) -> list[str]:
    rows, seen = _head(name, "histogram", text), 0
    for edge, count in zip((*(f"{e:.4g}" for e in EDGES_S), "+Inf"), histogram.counts, strict=True):
        seen += count
        rows.append(f'zilzal_{name}_bucket{{le="{edge}"}} {seen}')
    return [*rows, f"zilzal_{name}_sum {histogram.sum_s:.6g}", f"zilzal_{name}_count {seen}"]
