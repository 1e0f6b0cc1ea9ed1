"""One station's records on their way to the picker."""

from __future__ import annotations

import numpy as np
import pytest

from zilzal.app.live.station import LEAST_STEP_S, Rules, StationDesk
from zilzal.core.ids import ChannelId
from zilzal.core.station import Channel, Inventory
from zilzal.core.time import Time
from zilzal.core.waveform import Trace
from zilzal.signal.choice import PREFERENCE
from zilzal.signal.continuity import GapPolicy
from zilzal.signal.promise import Patience

START = Time.parse("2024-03-05T00:00:00Z")
CHANNELS = [ChannelId("XX", "AAA", "", f"HH{component}") for component in "ZNE"]
INVENTORY = Inventory.of(
    Channel(
        channel_id=channel,
        latitude=47.0,
        longitude=12.0,
        elevation_m=500.0,
        azimuth_deg={"Z": 0.0, "N": 0.0, "E": 90.0}[channel.component],
        dip_deg=-90.0 if channel.component == "Z" else 0.0,
        sampling_rate=100.0,
    )
    for channel in CHANNELS
)
RULES = Rules(
    inventory=INVENTORY,
    policy=GapPolicy(),
    patience=Patience(wait_s=5.0),
    preference=PREFERENCE,
)
LENGTH_S = 60


def windows_of(record_samples: int) -> list[np.ndarray]:
    """Samples of the windows that records of a length lead to, step by step."""
    counts = np.random.default_rng(0).integers(-500, 500, (3, LENGTH_S * 100)).astype(np.int32)
    desk, steps = StationDesk(), []
    for first in range(0, counts.shape[1], record_samples):
        for channel, row in zip(CHANNELS, counts, strict=True):
            desk.take(
                Trace(
                    channel_id=channel,
                    start=START + first / 100.0,
                    sampling_rate=100.0,
                    samples=row[first : first + record_samples],
                ),
                RULES,
            )
            steps.append(desk.condition()[0])
    steps.append(desk.finish(RULES)[0])
    assert np.array_equal(joined(steps), counts)
    return [joined([windows]) for windows in steps if windows]


def joined(steps) -> np.ndarray:
    return np.concatenate([w.samples for windows in steps for w in windows], axis=1)


@pytest.mark.parametrize("record_samples", [25, 60, 99])
def test_short_records_are_worked_on_together(record_samples):
    steps = windows_of(record_samples)
    assert len(steps) <= LENGTH_S / LEAST_STEP_S + 1


def test_longer_records_are_worked_on_as_they_come():
    steps = windows_of(200)
    assert [step.shape[1] for step in steps[1:-1]] == [200] * (len(steps) - 2)
