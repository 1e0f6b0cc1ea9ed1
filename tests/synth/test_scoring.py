"""Truth and results meet in the form in which they are scored."""

import numpy as np
import pytest

from tests.synth.conftest import START
from zilzal.core.pick import Phase, Pick, Provenance
from zilzal.evaluate.catalogue import compare_catalogues
from zilzal.evaluate.picks import score_picks
from zilzal.synth.scoring import picks_and_labels, true_hypocentres
from zilzal.synth.truth import VisibleArrival

MAKER = Provenance(method="test", version="0")


def pick(network, arrival, late_s=0.0):
    station = network.station(arrival.station_id)
    return Pick(
        channel_id=station.channel_ids[0], phase=arrival.phase, time=arrival.stamped_time + late_s,
        probability=0.9, uncertainty_s=0.1, provenance=MAKER,
    )  # fmt: skip


def score(network, visible, picks, phase=Phase.P):
    return score_picks(*picks_and_labels(network, visible, picks, phase), np.random.default_rng(1))


def loud(network, **snr):
    return [
        VisibleArrival(arrival=a, snr=snr.get(a.station_id.station, 20.0), is_recorded=True)
        for a in network.arrivals
    ]


def test_truth_scores_perfectly_against_itself(small):
    picks = [pick(small, a) for a in small.arrivals]
    for phase in Phase:
        result = score(small, loud(small), picks, phase)
        assert (result.f1.value, result.n_labels) == (1.0, 6)
        assert result.residuals.mean_absolute_s == pytest.approx(0, abs=1e-9)


def test_pick_of_a_weak_arrival_is_neither_right_nor_false(small):
    picks = [pick(small, a, late_s=0.1) for a in small.arrivals]
    result = score(small, loud(small, B=1.0), picks)
    assert (result.n_right, result.n_false, result.n_labels) == (4, 0, 4)


def test_pick_far_from_any_arrival_is_false(small):
    stray = pick(small, small.arrivals[0], late_s=20.0)
    assert score(small, loud(small, B=1.0), [stray]).n_false == 1


def test_true_catalogue_matches_itself(small):
    truth = true_hypocentres(small.events)
    result = compare_catalogues(truth, truth, np.random.default_rng(1))
    assert len(result.pairs) == len(small.events)
    assert truth.time_ns[0] == (START + 30).ns
