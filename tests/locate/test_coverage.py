"""Whether a stated share of the sources lies inside the stated uncertainty."""

import numpy as np
import pytest

from tests.locate.network import associate, make_picks, offset_m, random_source, scattered_stations
from zilzal.core.event import Origin
from zilzal.locate import GridLocator

EVENTS = 250
LIMITS = {
    # Chi-square of 2 and 3 degrees of freedom at 68 and 90 %.
    "ellipse": (slice(2), 2.279, 4.605),
    "ellipsoid": (slice(3), 3.506, 6.251),
}


@pytest.fixture(scope="module")
def mahalanobis():
    """Errors and covariances of events whose noise is the likelihood's own."""
    locator = GridLocator(earth_model="hadley-kanamori")
    generator, stations = np.random.default_rng(31), scattered_stations()
    cases = []
    for _ in range(EVENTS):
        source = random_source(generator, radius_m=50_000.0)
        picks = make_picks(
            source, stations, generator, model_error_s=locator.model_error_s,
            model_error_share=locator.model_error_share,
            degrees_of_freedom=locator.degrees_of_freedom,
        )  # fmt: skip
        origin = locator.locate(associate(picks), stations)
        assert isinstance(origin, Origin), origin
        cases.append((offset_m(origin, source), origin.covariance[:3, :3]))
    return cases


@pytest.mark.slow
@pytest.mark.parametrize("name", list(LIMITS))
def test_uncertainty_covers_its_share(mahalanobis, name):
    axes, limit_68, limit_90 = LIMITS[name]
    squares = np.array([e[axes] @ np.linalg.solve(c[axes, axes], e[axes]) for e, c in mahalanobis])
    for share, limit in ((0.68, limit_68), (0.90, limit_90)):
        # Three standard errors of a binomial share.
        slack = 3 * np.sqrt(share * (1 - share) / EVENTS)
        assert abs(np.mean(squares < limit) - share) < slack, share


@pytest.mark.slow
def test_depth_and_time_errors_are_calibrated(mahalanobis):
    depth = np.array([e[2] / np.sqrt(c[2, 2]) for e, c in mahalanobis])
    assert abs(np.mean(np.abs(depth) < 1) - 0.683) < 3 * np.sqrt(0.683 * 0.317 / EVENTS)
