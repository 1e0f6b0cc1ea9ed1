"""Made networks: records whose Wood–Anderson amplitude is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from zilzal.core.event import Arrival, Ellipse, Origin
from zilzal.core.geo import displace
from zilzal.core.ids import ChannelId
from zilzal.core.pick import Phase, Pick, Provenance
from zilzal.core.station import Channel, GroundMotion, Inventory, Response
from zilzal.core.time import Time
from zilzal.core.waveform import Trace
from zilzal.magnitude.attenuation import HUTTON_BOORE
from zilzal.magnitude.local import hypocentral_m
from zilzal.signal.response import evaluate, wood_anderson

RATE = 100.0
TIME = Time.parse("2020-01-01T00:00:00Z")
P_SPEED = 6_000.0
S_SPEED = P_SPEED / 1.73
FREQUENCY_HZ = 3.0
MADE = Provenance(method="made", version="0")
FLAT = Response(sensitivity=1e9, ground_motion=GroundMotion.VELOCITY)
STRONG = Response(sensitivity=2e5, ground_motion=GroundMotion.ACCELERATION)
POLES = Response(
    sensitivity=1e9,
    ground_motion=GroundMotion.VELOCITY,
    poles=(-0.037004 + 0.037016j, -0.037004 - 0.037016j),
    zeros=(0j, 0j),
)


def origin(depth_m: float = 8_000.0, arrivals: Sequence[Arrival] = ()) -> Origin:
    return Origin(
        id="origin/made", time=TIME, latitude=36.0, longitude=-117.0, depth_m=depth_m,
        covariance=np.eye(4), arrivals=tuple(arrivals), rms_s=0.1, azimuthal_gap_deg=90.0,
        ellipse=Ellipse(semi_major_m=1, semi_minor_m=1, azimuth_deg=0, level=0.68),
        nearest_station_m=5_000.0, quality="A", depth_fixed=False, earth_model="made",
        provenance=MADE,
    )  # fmt: skip


def channel(code: str, east_m: float, response: Response | None = POLES) -> Channel:
    """A channel as "AA.XYZ..HHN", east of the source."""
    latitude, longitude = displace(36.0, -117.0, east_m, 0.0)
    return Channel(
        channel_id=ChannelId.parse(code), latitude=latitude, longitude=longitude, elevation_m=0.0,
        azimuth_deg=0.0, dip_deg=-90.0 if code.endswith("Z") else 0.0, response=response,
    )  # fmt: skip


@dataclass
class Records:
    """Waveforms in memory."""

    traces: dict[ChannelId, list[Trace]] = field(default_factory=dict)
    reads: int = 0

    def channel_ids(self) -> list[ChannelId]:
        return list(self.traces)

    def read(self, channel_id: ChannelId, start: Time, end: Time) -> list[Trace]:
        self.reads += 1
        found = []
        for trace in self.traces.get(channel_id, []):
            first = max(0, int(np.ceil((start - trace.start) * trace.sampling_rate - 1e-6)))
            last = int(np.ceil((end - trace.start) * trace.sampling_rate - 1e-6))
            samples = trace.samples[first : max(0, last)]
            if len(samples):
                found.append(
                    replace(trace, start=trace.start + first / trace.sampling_rate, samples=samples)
                )
        return found


def record_of(
    source: Origin, where: Channel, magnitude: float, *, rate: float = RATE, noise: float = 1e-3
) -> Trace:
    """Counts whose Wood–Anderson record swings by what Hutton & Boore's law says, after S.

    A 3 Hz wavelet under a bell of 0.6 s, with white noise of a share `noise` of its amplitude.
    """
    response = where.response or FLAT
    distance_m = hypocentral_m(source, where)
    amplitude_m = float(HUTTON_BOORE.amplitude_m(magnitude, distance_m))
    at = np.array([FREQUENCY_HZ])
    per_displacement = evaluate(response, at)[0] * (2j * np.pi * FREQUENCY_HZ) ** (
        list(GroundMotion).index(response.ground_motion)
    )
    counts = amplitude_m * abs(per_displacement / wood_anderson(at)[0])
    time = np.arange(round(180 * rate)) / rate - 60.0
    after_s = time - distance_m / S_SPEED - 1.0
    wave = np.cos(2 * np.pi * FREQUENCY_HZ * after_s) * np.exp(-((after_s / 0.6) ** 2))
    p_wave = 0.1 * np.exp(-(((time - distance_m / P_SPEED - 0.5) / 0.3) ** 2)) * np.sin(60 * time)
    generator = np.random.default_rng(int(distance_m))
    samples = counts * (wave + p_wave + noise * generator.normal(size=len(time)))
    return Trace(
        channel_id=where.channel_id, start=source.time - 60.0, sampling_rate=rate,
        samples=samples.astype(np.float32),
    )  # fmt: skip


def network(
    magnitude: float, distances_km: Sequence[float], *, source: Origin | None = None
) -> tuple[Inventory, Records]:
    """Stations at epicentral distances, with N and E."""
    source = source or origin()
    channels = [
        channel(f"AA.S{number:02d}..HH{component}", 1_000 * distance_km)
        for number, distance_km in enumerate(distances_km)
        for component in "NE"
    ]
    records = Records({c.channel_id: [record_of(source, c, magnitude)] for c in channels})
    return Inventory.of(channels), records


def scaled(records: Records, station: str, factor: float) -> Records:
    """The same with one station's samples multiplied."""
    return Records(
        {
            channel_id: [
                replace(t, samples=t.samples * (factor if channel_id.station == station else 1))
                for t in traces
            ]
            for channel_id, traces in records.traces.items()
        }
    )


def picked(station: str, phase: Phase, time: Time) -> Pick:
    return Pick(
        channel_id=ChannelId("AA", station, "", "HHZ" if phase is Phase.P else "HHN"),
        phase=phase, time=time, probability=0.9, uncertainty_s=0.1, provenance=MADE,
    )  # fmt: skip


def arrival(pick: Pick) -> Arrival:
    return Arrival(
        pick_id=pick.id, station_id=pick.channel_id.station_id, phase=pick.phase, distance_m=1e4,
        azimuth_deg=90.0, takeoff_angle_deg=None, residual_s=0.0, weight=1.0,
    )  # fmt: skip
