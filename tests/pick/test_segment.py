"""Segments of a sensor: samples that are no numbers are taken for missing, others left alone."""

import numpy as np
import pytest

from zilzal.core.ids import SensorId
from zilzal.core.time import Time
from zilzal.core.waveform import Window
from zilzal.pick.segment import follow


def window(samples):
    present = np.ones(samples.shape, bool)
    sensor_id = SensorId("XX", "A", "", "HH")
    return Window(
        sensor_id=sensor_id, start=Time(0), sampling_rate=100.0, samples=samples, present=present
    )


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_sample_that_is_no_number_counts_as_missing(value):
    samples = np.ones((3, 50), np.float32)
    samples[1, 7] = value
    _, (piece,) = follow(None, window(samples))
    assert np.argwhere(~piece.present).tolist() == [[1, 7]]
    assert piece.samples[1, 7] == 0


def test_numbers_whose_squares_are_too_large_are_kept():
    samples = np.full((3, 50), 1e30, np.float32)
    _, (piece,) = follow(None, window(samples))
    assert piece.present.all()
    np.testing.assert_array_equal(piece.samples, samples)
