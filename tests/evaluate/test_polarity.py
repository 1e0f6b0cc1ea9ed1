"""First motions, counted by hand."""

import numpy as np
import pytest

from tests.evaluate.made import picks, truth
from zilzal.evaluate.phase import judge_picks
from zilzal.evaluate.polarity import score_polarity


def score(labels, said, *, off_s=0.0):
    of = truth(len(labels), polarity=labels)
    found = picks(range(len(labels)), off_s, polarity=said)
    return score_polarity(of, judge_picks(of, found, tolerance_s=0.5))


def test_confusion_has_labels_in_rows_and_picks_in_columns():
    found = score([1, 1, 1, -1, -1, 0, np.nan], [1, -1, np.nan, -1, 0, 1, 1])
    assert found.confusion.tolist() == [[1, 1, 1], [0, 1, 1], [1, 0, 0]]
    assert found.decided.value == pytest.approx(3 / 5)
    assert found.right.value == pytest.approx(2 / 3)


def test_picks_away_from_labels_do_not_count():
    found = score([1, -1], [1, -1], off_s=[0.0, 2.0])
    assert found.confusion.sum() == 1


def test_no_labelled_motion_gives_no_share():
    found = score([np.nan], [1])
    assert np.isnan(found.decided.value)
    assert np.isnan(found.right.value)
