"""A few sensors with earthquakes close together, to try a picker on where no data are at hand."""

from __future__ import annotations

import numpy as np

from zilzal.core.time import Time
from zilzal.core.waveform import Window
from zilzal.synth.network import build_network
from zilzal.synth.record import record_station
from zilzal.synth.scenario import NetworkPlan, Scenario, Seismicity

_START = Time.parse("2024-03-05T00:00:00Z")


def trial_windows(
    *,
    duration_s: float = 300.0,
    n_sensors: int = 2,
    rate_per_hour: float = 60.0,
    sampling_rate: float = 100.0,
    seed: int = 1,
) -> list[Window]:
    """Gap-free records of three components, one for each sensor.

    Args:
        duration_s: of each.
        n_sensors: how many, within 20 km.
        rate_per_hour: of earthquakes.
        sampling_rate: of the records.
        seed: of all that is drawn.
    """
    scenario = Scenario(
        name="trial",
        seed=seed,
        start=_START,
        duration_s=duration_s,
        latitude=47.75,
        longitude=12.75,
        sampling_rate=sampling_rate,
        network=NetworkPlan(n_stations=n_sensors, aperture_m=20_000.0),
        seismicity=Seismicity(rate_per_hour=rate_per_hour, radius_m=10_000.0),
    )
    network = build_network(scenario)
    windows: list[Window] = []
    for station in network.stations:
        traces = record_station(network, station, scenario.start, scenario.end)
        samples = np.stack([trace.samples for trace in traces]).astype(np.float32)
        windows.append(
            Window(
                sensor_id=traces[0].channel_id.sensor_id,
                start=traces[0].start,
                sampling_rate=sampling_rate,
                samples=samples,
                present=np.ones(samples.shape, bool),
            )
        )
    return windows
