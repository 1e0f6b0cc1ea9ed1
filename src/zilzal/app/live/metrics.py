"""The monitor's numbers in the text format of Prometheus."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from zilzal.app.live.health import Health, Pulse
from zilzal.app.live.latency import EDGES_S, Histogram
from zilzal.app.live.station_health import SILENT_S

HABITS = {
    "noise_db": "Rms of the steps between vertical samples, dB re 1 count",
    "gap_share": "Share of a station's time that is missing",
    "picks_per_hour": "Final picks in an hour of data",
}
"""Of `StationHealth`, each told as it is and as it is usually."""


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
        *_one("events_in_trouble", "gauge", "1 where the process for events is done without.",
              bool(health.events_trouble)),
        *_many("station_packets_total", "counter", "Packets by station.",
               {str(i): s.packets for i, s in stations}),
        *_many("station_picks_total", "counter", "Final picks by station.",
               {str(i): s.picks for i, s in stations}),
        *_many("station_data_age_seconds", "gauge", "Since the newest sample.",
               {str(i): now - s.data_end for i, s in stations if s.data_end is not None}),
        *_many("station_worked_age_seconds", "gauge", "Since the newest sample worked on.",
               {str(i): now - passed[i] for i, _ in stations if i in passed}),
        *_many("station_clock_steps_total", "counter", "Time stamps that jumped.",
               {str(i): s.clock_steps for i, s in stations}),
        *_many("station_clock_quality_percent", "gauge", "As the digitiser tells it.",
               {str(i): s.clock_percent for i, s in stations if s.clock_percent is not None}),
        *_many("station_clock_questionable", "gauge", "1 where the digitiser doubts its clock.",
               {str(i): s.is_clock_questionable for i, s in stations}),
    ]  # fmt: skip
    for name, text in HABITS.items():
        habits = {str(i): getattr(station, name) for i, station in stations}
        lately = {i: habit.now for i, habit in habits.items() if habit.now is not None}
        usual = {i: habit.usual for i, habit in habits.items() if habit.usual is not None}
        lines += _many(f"station_{name}", "gauge", f"{text}, lately.", lately)
        lines += _many(f"station_{name}_usual", "gauge", f"{text}, over the last week.", usual)
    links = {link.source: link for link in pulse.links}
    lines += _head("station_silent", "gauge", "1 where nothing comes, and why.")
    lines += [
        f'zilzal_station_silent{{station="{i}",reason="{_escaped(s.silence(links))}"}} 1'
        for i, s in stations
        if s.arrived is None or now - s.arrived > SILENT_S
    ]
    for name, (text, histogram) in health.latencies().items():
        lines += _histogram(name, text, histogram)
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


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
