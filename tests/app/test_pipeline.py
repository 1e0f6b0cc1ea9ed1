"""The whole graph on the packaged synthetic network, against its truth."""

import numpy as np
import pytest

from zilzal.app.demonstration import Shown, run_demo
from zilzal.app.progress import keep_quiet
from zilzal.core.pick import Phase
from zilzal.evaluate.catalogue import CatalogueComparison, Hypocentres, compare_catalogues
from zilzal.synth.scenario import demo_scenario
from zilzal.synth.scoring import true_hypocentres

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]


@pytest.fixture(scope="session")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """The packaged network worked through with default settings."""
    return run_demo(demo_scenario(), tmp_path_factory.mktemp("demo"), "neural", keep_quiet)


@pytest.fixture(scope="session")
def compared(shown: Shown) -> CatalogueComparison:
    return compare_catalogues(
        true_hypocentres(shown.made.network.events),
        Hypocentres.of(shown.catalogue),
        np.random.default_rng(0),
    )


def test_most_events_are_found(shown, compared):
    assert len(shown.made.network.events) == 9
    assert len(compared.pairs) >= 7
    assert shown.found == len(compared.pairs)
    assert shown.found + shown.missed == 9


def test_few_events_are_false(shown, compared):
    assert len(compared.extra) <= 2
    assert shown.false == len(compared.extra)


def test_epicentres_are_right(compared):
    assert compared.epicentral_m.median.value <= 3_000


def test_depths_are_right(compared):
    """The bound of a few kilometres is what a network 60 km wide can tell with P and S."""
    assert compared.depth_m.median_absolute.value <= 3_000


def test_origin_times_are_right(compared):
    assert compared.time_s.median_absolute.value <= 0.5


def test_magnitudes_are_right(compared):
    assert compared.magnitude.count >= 7
    assert compared.magnitude.median_absolute.value <= 0.3


def test_truth_lies_within_the_stated_errors_mostly(shown):
    """Of each event's depth and time within three standard errors, for seven of nine."""
    truth = true_hypocentres(shown.made.network.events)
    good = 0
    for event in shown.catalogue:
        nearest = int(np.argmin(np.abs(truth.time_ns - event.time.ns)))
        depth = abs(event.origin.depth_m - truth.depth_m[nearest])
        late = abs(event.time.ns - int(truth.time_ns[nearest])) / 1e9
        good += (
            depth <= 3 * event.origin.depth_uncertainty_m
            and late <= 3 * event.origin.time_uncertainty_s
        )
    assert good >= 7


def test_picks_are_mostly_right(shown):
    for phase in Phase:
        assert shown.picks[phase].precision.value > 0.8
        assert shown.picks[phase].recall.value > 0.7
        assert abs(shown.picks[phase].residuals.median_s.value) < 0.1


def test_dead_and_zero_filled_sensors_are_in_the_ledger(shown):
    from zilzal.core.coverage import Reason
    from zilzal.io.tables import read_coverage

    hours = read_coverage(shown.made.waveforms.parent / "coverage.csv")
    seconds = {
        (h.channel_id.station, h.reason): h.seconds for h in hours if h.channel_id.channel == "HHZ"
    }
    # Dead for 580 s, with a gap inside; each stretch is believed dead after 30 s of it.
    told = seconds["S05", Reason.DEAD] + seconds["S05", Reason.GAP]
    assert told == pytest.approx(580 - 2 * 30, abs=1)
    assert seconds["S08", Reason.ZERO_FILLED] == pytest.approx(45, abs=1)


def test_rows_say_what_was_found(shown):
    assert len(shown.rows) == 9
    assert sum("missed" in row for row in shown.rows) == shown.missed
    assert {len(row) for row in shown.rows} == {7}
