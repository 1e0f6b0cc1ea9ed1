"""The classical picker on made events whose onsets are known."""

import numpy as np
import pytest

from tests.pick.cases import START, earthquakes, run, windows_of
from zilzal.core.errors import ConfigError
from zilzal.core.pick import Phase, Polarity
from zilzal.pick.stalta import StaLtaPicker

ONSETS = [2_500, 9_000, 15_500, 22_000]
SAMPLES = earthquakes(ONSETS, 27_000, seed=3)
PRESENT = np.ones(SAMPLES.shape, bool)


def places(picks, phase):
    return [(p.time - START) * 100 for p in picks if p.phase is phase]


def test_p_and_s_of_clear_events_are_found_and_nothing_else():
    told = run(StaLtaPicker(), [windows_of(SAMPLES, PRESENT)])
    assert places(told.picks, Phase.P) == pytest.approx(ONSETS, abs=4)
    assert places(told.picks, Phase.S) == pytest.approx([n + 400 for n in ONSETS], abs=12)
    assert {p.channel_id.component for p in told.picks if p.phase is Phase.P} == {"Z"}
    assert {p.channel_id.component for p in told.picks if p.phase is Phase.S} <= {"N", "E"}


def test_every_event_is_detected_from_its_onset_on_and_noise_is_not():
    told = run(StaLtaPicker(), [windows_of(SAMPLES, PRESENT)])
    for onset in ONSETS:
        hits = [d for d in told.detections if abs((d.start - START) * 100 - onset) < 30]
        assert len(hits) == 1
    for detection in told.detections:
        start = (detection.start - START) * 100
        assert any(-30 < start - onset < 900 for onset in ONSETS)
    quiet = earthquakes([], 60_000, seed=4)
    noise = run(StaLtaPicker(), [windows_of(quiet, np.ones(quiet.shape, bool))])
    assert noise.picks == ()
    assert noise.detections == ()


def test_weaker_events_score_less_and_are_less_certain():
    strong = run(StaLtaPicker(), [windows_of(SAMPLES, PRESENT)]).picks
    noise = earthquakes([], 27_000, seed=9)
    weak = run(StaLtaPicker(), [windows_of(SAMPLES + 5 * noise, PRESENT)]).picks
    assert len(weak) >= 4

    def mean(picks, name):
        return np.mean([getattr(p, name) for p in picks if p.phase is Phase.P])

    assert mean(weak, "probability") < mean(strong, "probability")
    assert mean(weak, "uncertainty_s") > mean(strong, "uncertainty_s")


def test_first_motion_amplitude_and_ratio_are_measured():
    samples = earthquakes([], 6_000, seed=5)
    samples[0, 3_000:3_400] += 4_000 * np.sin(2 * np.pi * 4 * np.arange(400) / 100)
    (pick,) = [
        p
        for p in run(StaLtaPicker(), [windows_of(samples, PRESENT[:, :6_000])]).picks
        if p.phase is Phase.P
    ]
    assert pick.polarity is Polarity.POSITIVE
    assert pick.amplitude_counts == pytest.approx(4_000, rel=0.15)
    assert pick.snr == pytest.approx(4_000 / 2**0.5 / 100, rel=0.15)
    (turned,) = [
        p
        for p in run(StaLtaPicker(), [windows_of(-samples, PRESENT[:, :6_000])]).picks
        if p.phase is Phase.P
    ]
    assert turned.polarity is Polarity.NEGATIVE


def test_clipped_signal_has_no_amplitude():
    clipped = np.clip(SAMPLES, -800, 5_800)
    picks = run(StaLtaPicker(), [windows_of(clipped, PRESENT)]).picks
    assert picks
    assert all(p.amplitude_counts is None for p in picks if p.phase is Phase.S)


def test_horizontals_alone_still_give_picks():
    present = PRESENT.copy()
    present[0] = False
    picks = run(StaLtaPicker(), [windows_of(SAMPLES, present)]).picks
    assert len(places(picks, Phase.P)) == len(ONSETS)
    assert {p.channel_id.component for p in picks} <= {"N", "E"}


@pytest.mark.parametrize(
    "wrong",
    [{"low_hz": 30.0}, {"order": 0}, {"on": 1.0}, {"off": 0.0}, {"minimum_channels": 0}],
)
def test_options_out_of_range_are_refused(wrong):
    with pytest.raises(ConfigError):
        StaLtaPicker(**wrong)
