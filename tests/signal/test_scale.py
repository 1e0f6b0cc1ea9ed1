"""Windows scaled by themselves."""

import numpy as np
import pytest

from zilzal.signal.scale import WindowScale, scale_windows

RNG = np.random.default_rng(3)
WINDOWS = (RNG.standard_normal((4, 3, 500)) * [[[9], [1], [30]]] + [[[4], [-2e3], [0]]]).astype(
    np.float32
)
PRESENT = np.ones(WINDOWS.shape, bool)


def centred(windows):
    return windows - windows.mean(axis=-1, keepdims=True, dtype=np.float64)


def test_each_component_by_its_own_scale():
    by_std = scale_windows(WindowScale(by="std"), WINDOWS, PRESENT)
    plain = centred(WINDOWS)
    np.testing.assert_allclose(by_std, plain / plain.std(-1, ddof=1, keepdims=True), atol=2e-4)
    by_max = scale_windows(WindowScale(by="max"), WINDOWS, PRESENT)
    np.testing.assert_allclose(np.abs(by_max).max(-1), 1.0, rtol=1e-6)


def test_all_components_by_one_scale():
    plain = centred(WINDOWS)
    by_std = scale_windows(WindowScale(by="std", jointly=True), WINDOWS, PRESENT)
    expected = plain / plain.std((-1, -2), ddof=1, keepdims=True)
    np.testing.assert_allclose(by_std, expected, atol=2e-4)
    by_max = scale_windows(WindowScale(by="max", jointly=True), WINDOWS, PRESENT)
    np.testing.assert_allclose(np.abs(by_max).max((-1, -2)), 1.0, rtol=1e-6)


def test_absent_component_counts_as_at_rest_in_a_joint_scale():
    present = PRESENT.copy()
    present[:, 1] = False
    windows = np.where(present, WINDOWS, 0)
    scaled = scale_windows(WindowScale(by="std", jointly=True), windows, present)
    plain = np.where(present, centred(WINDOWS), 0)
    expected = plain / plain.std((-1, -2), ddof=1, keepdims=True)
    np.testing.assert_allclose(scaled, expected, atol=2e-4)


@pytest.mark.parity
@pytest.mark.parametrize("n_recorded", [500, 300])
def test_trend_is_that_of_least_squares_through_recorded_samples(n_recorded):
    from scipy.signal import detrend

    present = PRESENT.copy()
    present[..., n_recorded:] = False
    windows = (WINDOWS + np.linspace(0, 700, 500)).astype(np.float32)
    windows[~present] = 0
    scaled = scale_windows(WindowScale(by="max", detrend=True), windows, present)
    plain = detrend(windows[..., :n_recorded].astype(float), axis=-1)
    expected = plain / np.abs(plain).max(-1, keepdims=True)
    np.testing.assert_allclose(scaled[..., :n_recorded], expected, atol=1e-4)
    assert (scaled[~present] == 0).all()


def test_taper_goes_from_0_to_1_at_both_ends():
    plain = scale_windows(WindowScale(by="max"), WINDOWS, PRESENT)
    tapered = scale_windows(WindowScale(by="max", taper_samples=5), WINDOWS, PRESENT)
    ramp = np.array([0.0, 0.14644661, 0.5, 0.85355339, 1.0])
    np.testing.assert_allclose(tapered[..., :5], plain[..., :5] * ramp, atol=1e-6)
    np.testing.assert_allclose(tapered[..., -5:], plain[..., -5:] * ramp[::-1], atol=1e-6)
    np.testing.assert_array_equal(tapered[..., 5:-5], plain[..., 5:-5])


@pytest.mark.parametrize("gain", [1e-12, 1e9])
@pytest.mark.parametrize("by", ["std", "max"])
def test_unit_does_not_matter(gain, by):
    how = WindowScale(by=by, jointly=True, detrend=True)
    plain = scale_windows(how, WINDOWS, PRESENT)
    scaled = scale_windows(how, (WINDOWS * np.float32(gain)), PRESENT)
    np.testing.assert_allclose(scaled, plain, atol=1e-4)


def test_component_without_motion_stays_0():
    windows = WINDOWS.copy()
    windows[:, 2] = 12_345.678
    scaled = scale_windows(WindowScale(by="std"), windows, PRESENT)
    assert (scaled[:, 2] == 0).all()
    assert np.isfinite(scaled).all()
