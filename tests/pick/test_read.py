"""What is read off curves beside the peaks themselves: first motions."""

import numpy as np
import pytest

from zilzal.core.pick import Polarity
from zilzal.infer.overlap import Curves
from zilzal.pick.read import Reading, start_reading, step_reading

LABELS = ("P", "S", "positive", "negative")


def read(labels, heights):
    """The one P peak of curves that are a bump of the given heights."""
    bump = np.exp(-0.5 * ((np.arange(200) - 100) / 10) ** 2)
    curves = np.array([height * bump for height in heights], np.float32)
    reading = Reading(
        labels=labels, thresholds=dict.fromkeys(labels, 0.6), release_share=0.5,
        separation_samples=50,
    )  # fmt: skip
    _, (peak,), _ = step_reading(reading, start_reading(reading, 0), Curves(0, curves), None)
    assert (peak.label, peak.number) == ("P", 100)
    return peak.polarity


@pytest.mark.parametrize(
    ("up", "down", "wanted"),
    [
        (0.9, 0.1, Polarity.POSITIVE),
        (0.2, 0.7, Polarity.NEGATIVE),
        (0.5, 0.4, Polarity.UNDECIDABLE),
        (0.0, 0.0, Polarity.UNDECIDABLE),
    ],
)
def test_the_higher_curve_decides_where_it_reaches_its_threshold(up, down, wanted):
    assert read(LABELS, (0.9, 0.0, up, down)) is wanted


def test_a_network_without_curves_of_first_motions_says_nothing():
    assert read(("P", "S"), (0.9, 0.0)) is None
