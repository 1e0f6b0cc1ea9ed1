"""Intervals of events against detections, written by hand."""

import numpy as np
import pytest

from tests.evaluate.test_picks import records, rng
from zilzal.evaluate.detection import Spans, score_detections


def spans(*rows):
    record, start, end = np.array(rows, float).reshape(-1, 3).T
    return Spans(record=record.astype(int), start_s=start, end_s=end)


def score(events, detections, n=3, noise=()):
    return score_detections(records(n, noise=noise), spans(*events), spans(*detections), rng())


def test_an_overlap_is_a_find_and_a_second_detection_of_an_event_is_false():
    found = score([(0, 10, 20), (1, 10, 20)], [(0, 5, 11), (0, 15, 16), (2, 1, 2)])
    assert (found.n_events, found.n_found, found.n_false) == (2, 1, 2)
    assert found.precision.value == pytest.approx(1 / 3)
    assert found.recall.value == 0.5


def test_one_detection_finds_one_event_only():
    found = score([(0, 10, 20), (0, 25, 30)], [(0, 9, 31)])
    assert (found.n_found, found.n_false) == (1, 0)


def test_touching_is_not_overlapping():
    assert score([(0, 10, 20)], [(0, 20, 25)]).n_found == 0


def test_time_counts_both_that_is_missed_and_that_is_too_much():
    # Ten seconds of event, of which five are detected, with five beside it: 2 * 5 / (10 + 10).
    assert score([(0, 10, 20)], [(0, 15, 25)]).f1_time.value == pytest.approx(0.5)


def test_noise_counts_per_hour_and_against_the_time_but_not_the_precision():
    found = score([(0, 10, 20)], [(0, 10, 20), (2, 0, 10)], noise=[2])
    assert found.precision.value == 1
    assert found.false_per_noise_hour == pytest.approx(60)
    assert found.f1_time.value == pytest.approx(2 * 10 / (10 + 20))


def test_only_the_scored_spans_count():
    found = score([(0, 55, 70), (1, 61, 62)], [(0, 50, 80), (2, 60, 65)])
    assert (found.n_events, found.n_found, found.n_false) == (1, 1, 0)
    assert found.f1_time.value == pytest.approx(2 * 5 / (5 + 10))


def test_nothing_detected_scores_zero():
    found = score([(0, 10, 20)], [])
    assert (found.recall.value, found.f1.value, found.f1_time.value) == (0, 0, 0)
    assert np.isnan(found.precision.value)
