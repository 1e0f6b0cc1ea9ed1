"""A scene that associators are tried on."""

from __future__ import annotations

import numpy as np
import pytest

from tests.associate.sources import START, make_network, make_pick, picks_of
from zilzal.core.geo import displace
from zilzal.core.pick import Phase


@pytest.fixture(scope="module")
def scene():
    """Eight events in ten minutes and as many random picks as real ones."""
    generator = np.random.default_rng(3)
    stations = make_network()
    truth, picks = [], []
    for i in range(8):
        place = (*displace(36.0, -117.0, *generator.uniform(-30e3, 30e3, 2)), 8e3)
        time = START + 40.0 + 70.0 * i
        truth.append((place, time))
        picks += picks_of(place, time, stations, generator)
    noise = [
        make_pick(
            stations[generator.integers(len(stations))],
            Phase.P if generator.random() < 0.5 else Phase.S,
            START + float(generator.uniform(0, 640)),
        )
        for _ in range(len(picks) // 2)
    ]
    return stations, truth, picks, noise
