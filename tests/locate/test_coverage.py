"""Whether a stated share of the sources lies inside the stated uncertainty."""

import numpy as np
import pytest

from tests.locate.network import associate, make_picks, offset_m, random_source, scattered_stations
from zilzal.core.event import Origin
from zilzal.locate import GridLocator
from zilzal.locate.shared import SharedError

EVENTS = 250
LIMITS = {
    # Chi-square of 2 and 3 degrees of freedom at 68 and 90 %.
    "ellipse": (slice(2), 2.279, 4.605),
    "ellipsoid": (slice(3), 3.506, 6.251),
}


def errors_and_covariances(shared_error_share):
    """Of events whose noise is the locator's own."""
    locator = GridLocator(earth_model="hadley-kanamori", shared_error_share=shared_error_share)
    shared = SharedError(share=shared_error_share, length_m=locator.shared_error_length_m)
    generator, stations = np.random.default_rng(31), scattered_stations()
    cases = []
    for _ in range(EVENTS):
        source = random_source(generator, radius_m=50_000.0)
        picks = make_picks(
            source, stations, generator, model_error_s=locator.model_error_s,
            model_error_share=locator.model_error_share,
            degrees_of_freedom=locator.degrees_of_freedom,
            shared=shared if shared_error_share else None,
        )  # fmt: skip
        origin = locator.locate(associate(picks), stations)
        assert isinstance(origin, Origin), origin
        cases.append((offset_m(origin, source), origin.covariance[:3, :3]))
    return cases


@pytest.fixture(scope="module")
def independent():
    return errors_and_covariances(0.0)


@pytest.fixture(scope="module")
def shared():
    return errors_and_covariances(GridLocator().shared_error_share)


def assert_covered(cases, name):
    axes, limit_68, limit_90 = LIMITS[name]
    squares = np.array([e[axes] @ np.linalg.solve(c[axes, axes], e[axes]) for e, c in cases])
    for share, limit in ((0.68, limit_68), (0.90, limit_90)):
        # Three standard errors of a binomial share.
        slack = 3 * np.sqrt(share * (1 - share) / EVENTS)
        assert abs(np.mean(squares < limit) - share) < slack, share


@pytest.mark.slow
@pytest.mark.parametrize("name", list(LIMITS))
def test_uncertainty_covers_its_share(independent, name):
    assert_covered(independent, name)


@pytest.mark.slow
def test_ellipses_cover_their_share_where_stations_share_errors_of_the_earth(shared):
    assert_covered(shared, "ellipse")


def share_within_a_deviation_of_depth(cases):
    return np.mean([abs(e[2]) < np.sqrt(c[2, 2]) for e, c in cases])


@pytest.mark.slow
def test_depth_errors_are_calibrated(independent, shared):
    three_deviations = 3 * np.sqrt(0.683 * 0.317 / EVENTS)
    assert abs(share_within_a_deviation_of_depth(independent) - 0.683) < three_deviations
    # Rays turn from direct to head waves within such errors, so a straight line falls short.
    assert 0.5 < share_within_a_deviation_of_depth(shared) < 0.75
