"""Sensors and digitisers: responses, and counts as they are written."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int32

from zilzal.core.arrays import Array
from zilzal.core.errors import ConfigError
from zilzal.core.station import GroundMotion, Response

COUNTS_PER_V = 2**23 / 20.0
"""A 24-bit digitiser of 40 V peak to peak."""
CLIP_COUNTS = 2**23 - 1
"""The largest value it can write, either way."""

BROADBAND = Response(
    sensitivity=1_500.0 * COUNTS_PER_V,
    ground_motion=GroundMotion.VELOCITY,
    poles=(
        -0.037004 + 0.037016j, -0.037004 - 0.037016j, -251.33 + 0j,
        -131.04 - 467.29j, -131.04 + 467.29j,
    ),
    zeros=(0j, 0j),
)  # fmt: skip
"""A Streckeisen STS-2 (120 s), 1500 V s/m; poles and zeros as in ObsPy's tutorial."""

GEOPHONE = Response(
    sensitivity=171.0 * COUNTS_PER_V,
    ground_motion=GroundMotion.VELOCITY,
    frequency_hz=10.0,
    poles=(-4.443 + 4.443j, -4.443 - 4.443j),
    zeros=(0j, 0j),
)
"""A Mark L-4C: 1 Hz, damping 0.707, 171 V s/m."""

ACCELEROMETER = Response(
    sensitivity=COUNTS_PER_V * 20.0 / (2 * 9.81),
    ground_motion=GroundMotion.ACCELERATION,
    poles=(-222.1 + 222.1j, -222.1 - 222.1j),
)
"""A force-balance accelerometer: 2 g full scale, corner at 50 Hz, damping 0.707."""

_BY_BAND = {
    "HH": BROADBAND, "BH": BROADBAND, "EH": GEOPHONE, "SH": GEOPHONE, "HN": ACCELEROMETER,
}  # fmt: skip


def response_of(band: str) -> Response:
    """The response of a band and instrument code.

    Raises:
        ConfigError: there is no such sensor here.
    """
    try:
        return _BY_BAND[band]
    except KeyError:
        raise ConfigError(f"no sensor for band {band!r}; known are {sorted(_BY_BAND)}") from None


def digitise(counts: Float[Array, " sample"]) -> Int32[Array, " sample"]:
    """Whole counts, clipped at 24 bits."""
    return np.clip(np.rint(counts), -CLIP_COUNTS, CLIP_COUNTS).astype(np.int32)
