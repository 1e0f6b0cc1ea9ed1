"""Causal Butterworth filters whose state is carried, so that a cut changes nothing."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from jaxtyping import Float, Float64

from zilzal.core.arrays import Array


@lru_cache(maxsize=64)
def highpass(corner_hz: float, *, order: int, sampling_rate: float) -> Float64[Array, "section 6"]:
    """Second-order sections of a Butterworth high-pass.

    Raises:
        ValueError: the corner is not between 0 and the Nyquist frequency.
    """
    return _design(corner_hz, "highpass", order, sampling_rate)


@lru_cache(maxsize=64)
def lowpass(corner_hz: float, *, order: int, sampling_rate: float) -> Float64[Array, "section 6"]:
    """Second-order sections of a Butterworth low-pass.

    Raises:
        ValueError: the corner is not between 0 and the Nyquist frequency.
    """
    return _design(corner_hz, "lowpass", order, sampling_rate)


@lru_cache(maxsize=64)
def bandpass(
    low_hz: float, high_hz: float, *, order: int, sampling_rate: float
) -> Float64[Array, "section 6"]:
    """Second-order sections of a Butterworth band-pass, `order` poles at each corner.

    A high corner within 10 % of the Nyquist frequency or above it is left out: records of a
    low rate are then only high-passed.

    Raises:
        ValueError: the low corner is not between 0 and the Nyquist frequency.
    """
    if high_hz >= 0.45 * sampling_rate:
        return _design(low_hz, "highpass", order, sampling_rate)
    return _design((low_hz, high_hz), "bandpass", order, sampling_rate)


def _design(
    corners_hz: float | tuple[float, float], kind: str, order: int, sampling_rate: float
) -> Float64[Array, "section 6"]:
    from scipy.signal import butter

    return np.asarray(butter(order, corners_hz, kind, fs=sampling_rate, output="sos"))


def start_filter(
    sections: Float64[Array, "section 6"], n_components: int
) -> Float64[Array, "section component 2"]:
    """The filter at rest: nothing but zeros came before."""
    return np.zeros((len(sections), n_components, 2))


def step_filter(
    sections: Float64[Array, "section 6"],
    state: Float64[Array, "section component 2"],
    samples: Float[Array, "component sample"],
) -> tuple[Float64[Array, "section component 2"], Float64[Array, "component sample"]]:
    """Filter on; the pieces of a cut record give bit for bit what the whole gives.

    Args:
        sections: from `highpass`, `lowpass` or `bandpass`.
        state: from `start_filter` or the step before.
        samples: that follow those of the step before.
    """
    from scipy.signal import sosfilt

    if samples.shape[-1] == 0:
        return state, np.zeros(samples.shape)
    filtered, state = sosfilt(sections, samples, axis=-1, zi=state)
    return state, filtered
