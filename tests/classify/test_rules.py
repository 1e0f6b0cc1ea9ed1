"""Rules on made evidence: what must be noise, what an event, and what is left open."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zilzal.classify.rules import (
    BLAST,
    CRITERIA,
    EARTHQUAKE,
    NOISE,
    BlastSite,
    Criterion,
    RuleClassifier,
)
from zilzal.core.event import (
    Arrival,
    Ellipse,
    EventType,
    Magnitude,
    Origin,
    StationMagnitude,
    Unlocated,
)
from zilzal.core.geo import displace, distance_m
from zilzal.core.ids import ChannelId
from zilzal.core.pick import Phase, Pick, Provenance
from zilzal.core.stage import Classifier, Evidence
from zilzal.core.station import Channel, Inventory
from zilzal.core.time import Time
from zilzal.core.waveform import Trace

MADE = Provenance(method="made", version="0")
TIME = Time.parse("2024-03-05T11:30:00Z")  # a Tuesday
LATITUDE, LONGITUDE = 36.0, -117.0


class Waveforms:
    """Every channel has data, but those of dead stations."""

    def __init__(self, channels: list[Channel], dead: set[str]) -> None:
        self.channels = channels
        self.dead = dead

    def channel_ids(self) -> list[ChannelId]:
        return [c.channel_id for c in self.channels]

    def read(self, channel_id: ChannelId, start: Time, end: Time) -> list[Trace]:
        if channel_id.station in self.dead:
            return []
        samples = np.zeros(100, np.int32)
        return [Trace(channel_id=channel_id, start=start, sampling_rate=10.0, samples=samples)]


def stations(n: int = 20) -> list[Channel]:
    """On a line to the east, 5 km apart: S00 is nearest."""
    found = []
    for number in range(n):
        latitude, longitude = displace(LATITUDE, LONGITUDE, 5_000.0 * (number + 1), 0.0)
        found.append(
            Channel(
                channel_id=ChannelId("AA", f"S{number:02d}", "", "HHZ"),
                latitude=latitude,
                longitude=longitude,
                elevation_m=0.0,
            )
        )
    return found


def evidence(
    at: list[int],
    *,
    s_at: list[int] = (),
    probability: float = 0.9,
    rms_s: float = 0.15,
    used: float = 1.0,
    snr: float | None = 20.0,
    dead: set[str] = frozenset(),
    depth_m: float = 8_000.0,
    magnitude: float | None = 1.5,
) -> Evidence:
    """P picks at stations `at` and S at `s_at`, of a source at the middle."""
    picks = tuple(
        Pick(
            channel_id=ChannelId("AA", f"S{number:02d}", "", "HHZ"),
            phase=phase,
            time=TIME + number,
            probability=probability,
            uncertainty_s=0.1,
            provenance=MADE,
        )
        for phase, numbers in ((Phase.P, at), (Phase.S, s_at))
        for number in numbers
    )
    arrivals = tuple(
        Arrival(
            pick_id=p.id,
            station_id=p.channel_id.station_id,
            phase=p.phase,
            distance_m=1e4,
            azimuth_deg=90.0,
            takeoff_angle_deg=None,
            residual_s=0.0,
            weight=1.0 if place < used * len(picks) else 0.0,
        )
        for place, p in enumerate(picks)
    )
    origin = Origin(
        id="origin/made",
        time=TIME,
        latitude=LATITUDE,
        longitude=LONGITUDE,
        depth_m=depth_m,
        covariance=np.diag([1e6, 1e6, 1e6, 0.01]),
        ellipse=Ellipse(semi_major_m=1_000, semi_minor_m=1_000, azimuth_deg=0, level=0.68),
        arrivals=arrivals,
        rms_s=rms_s,
        azimuthal_gap_deg=180.0,
        nearest_station_m=5_000.0,
        quality="B",
        depth_fixed=False,
        earth_model="made",
        provenance=MADE,
    )
    measured = tuple(
        StationMagnitude(
            channel_id=ChannelId("AA", f"S{number:02d}", "", "HHN"),
            magnitude=magnitude,
            type="ML",
            amplitude_m=1e-3,
            period_s=0.3,
            distance_m=1e4,
            snr=snr,
        )
        for number in at
    )
    sizes = Magnitude(
        id="magnitude/made",
        origin_id=origin.id,
        magnitude=magnitude,
        type="ML",
        uncertainty=0.1,
        station_magnitudes=measured,
        provenance=MADE,
    )
    channels = stations()
    return Evidence(
        origin=origin,
        picks=picks,
        detections=(),
        magnitudes=(sizes,),
        waveforms=Waveforms(channels, set(dead)),
        inventory=Inventory.of(channels),
    )


REAL = evidence(list(range(10)), s_at=[0, 1, 2, 3, 4, 5])
FALSE = evidence([2, 9, 15, 19], probability=0.25, rms_s=1.2, used=0.5, snr=1.2, magnitude=None)


def test_classifier_satisfies_the_protocol_and_pickles():
    classifier = RuleClassifier()
    assert isinstance(classifier, Classifier)
    assert pickle.loads(pickle.dumps(classifier)) == classifier


def test_well_recorded_event_is_an_earthquake():
    found = RuleClassifier().classify(REAL)
    assert found.event_type is EventType.EARTHQUAKE
    assert found.label == EARTHQUAKE
    assert found.probability > 0.99
    assert "share of nearest stations with a pick 1" in found.reason


def test_few_scattered_uncertain_picks_are_noise():
    found = RuleClassifier().classify(FALSE)
    assert found.event_type is EventType.NOT_EXISTING
    assert found.label == NOISE
    assert found.probability > 0.99
    assert "against it: share of nearest stations with a pick" in found.reason


def test_silent_near_stations_speak_against_an_event():
    near, far = list(range(5)), list(range(12, 17))
    classifier = RuleClassifier()
    inside, outside = (
        classifier.classify(evidence(at, s_at=at[:2])).probabilities[NOISE] for at in (near, far)
    )
    # The weight of 2 turns from for to against: the odds change by exp(4).
    odds = (outside / (1 - outside)) / (inside / (1 - inside))
    assert odds == pytest.approx(np.exp(4), rel=1e-6)


def test_dead_near_stations_do_not():
    far = list(range(12, 17))
    dead = {f"S{number:02d}" for number in range(12)}
    alive, gone = (
        RuleClassifier().classify(evidence(far, dead=d)).probabilities[NOISE] for d in (set(), dead)
    )
    assert gone < alive / 20
    assert "share of nearest stations with a pick 1" in (
        RuleClassifier().classify(evidence(far, dead=dead)).reason
    )


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"probability": 0.6}, {"probability": 0.4}),
        ({"rms_s": 0.5}, {"rms_s": 0.8}),
        ({"used": 0.9}, {"used": 0.6}),
        ({"s_at": [0, 1]}, {"s_at": [0]}),
        ({"snr": 5.0}, {"snr": 2.0}),
    ],
)
def test_each_criterion_moves_the_probability(better, worse):
    at = list(range(6))
    good, bad = (
        RuleClassifier().classify(evidence(at, **options)).probabilities[NOISE]
        for options in (better, worse)
    )
    assert good < bad


def test_what_was_not_measured_says_nothing():
    at = list(range(6))
    found = RuleClassifier().classify(evidence(at, snr=None))
    assert "amplitudes" not in found.reason


def test_undecided_is_not_reported():
    found = RuleClassifier(decision=0.999999).classify(REAL)
    assert found.event_type is EventType.NOT_REPORTED
    assert found.label == EARTHQUAKE


def test_event_without_location_is_left_open_or_noise():
    unlocated = Unlocated(reason="fewer than four picks agree", time=TIME)
    weak = RuleClassifier().classify(replace(FALSE, origin=unlocated))
    assert weak.event_type is EventType.NOT_EXISTING
    assert "not located: fewer than four picks agree" in weak.reason
    strong = RuleClassifier().classify(replace(REAL, origin=unlocated))
    assert strong.probabilities[NOISE] > RuleClassifier().classify(REAL).probabilities[NOISE]


def test_evidence_without_picks_is_noise():
    bare = replace(FALSE, picks=(), origin=Unlocated(reason="no picks", time=TIME))
    assert RuleClassifier().classify(bare).event_type is EventType.NOT_EXISTING


SITE = BlastSite(
    name="Lime Hill", latitude=LATITUDE, longitude=LONGITUDE + 0.02, radius_m=3_000.0,
    start_hour=10.0, end_hour=14.0, weekdays=(0, 1, 2, 3, 4),
)  # fmt: skip
SHALLOW = evidence(list(range(10)), s_at=[0, 1, 2, 3, 4, 5], depth_m=1_000.0)


def test_shallow_event_at_a_blast_site_in_its_hours_is_suspected():
    found = RuleClassifier(blast_sites=(SITE,)).classify(SHALLOW)
    assert found.event_type is EventType.QUARRY_BLAST
    assert found.probability == pytest.approx(0.8, abs=0.01)
    assert "Lime Hill" in found.reason


def test_no_blast_is_suspected_without_a_site():
    assert RuleClassifier().classify(SHALLOW).probabilities[BLAST] == 0


@pytest.mark.parametrize(
    "site",
    [
        replace(SITE, start_hour=12.0),
        replace(SITE, start_hour=14.0, end_hour=10.0),
        replace(SITE, weekdays=(5, 6)),
        replace(SITE, longitude=LONGITUDE + 0.2),
        replace(SITE, maximum_magnitude=1.0),
        replace(SITE, maximum_depth_m=-500.0),
    ],
    ids=["hour", "night", "weekday", "place", "size", "depth"],
)
def test_blast_needs_all_conditions(site):
    assert RuleClassifier(blast_sites=(site,)).classify(SHALLOW).event_type is EventType.EARTHQUAKE


def test_hours_may_go_over_midnight():
    site = replace(SITE, start_hour=23.0, end_hour=12.0)
    found = RuleClassifier(blast_sites=(site,)).classify(SHALLOW)
    assert found.event_type is EventType.QUARRY_BLAST


def test_ellipse_reaches_towards_the_site():
    away_m = distance_m(LATITUDE, LONGITUDE, SITE.latitude, SITE.longitude)
    # 1.8 km away with an ellipse of 1 km: a radius of 0.9 km is reached, 0.7 km is not.
    assert away_m == pytest.approx(1_805, abs=5)
    for radius_m, expected in ((900.0, True), (700.0, False)):
        site = replace(SITE, radius_m=radius_m)
        origin = SHALLOW.origin
        assert isinstance(origin, Origin)
        assert site.fits(origin, ()) is expected


@given(
    st.lists(st.integers(0, 19), max_size=20, unique=True),
    st.floats(0, 1),
    st.floats(0, 3),
    st.booleans(),
)
def test_probabilities_add_up_to_one(at, probability, rms_s, with_site):
    classifier = RuleClassifier(blast_sites=(SITE,) if with_site else ())
    found = classifier.classify(evidence(at, probability=probability, rms_s=rms_s, depth_m=1_000.0))
    assert sum(found.probabilities.values()) == pytest.approx(1)
    assert all(0 <= p <= 1 for p in found.probabilities.values())
    assert found.probability == max(found.probabilities.values())


def test_order_of_picks_changes_nothing():
    turned = replace(REAL, picks=REAL.picks[::-1])
    assert RuleClassifier().classify(turned) == RuleClassifier().classify(REAL)


def test_criteria_can_be_set_and_left_out():
    silent = {name: replace(c, weight=0.0) for name, c in CRITERIA.items()}
    found = RuleClassifier(criteria=silent, prior=0.9).classify(FALSE)
    assert found.probabilities[NOISE] == pytest.approx(0.1)
    strict = RuleClassifier(criteria={"stations": Criterion(poor=20, good=40, weight=20.0)})
    assert strict.classify(REAL).event_type is EventType.NOT_EXISTING


def test_unknown_criterion_is_refused():
    with pytest.raises(ValueError, match="beauty"):
        RuleClassifier(criteria={"beauty": Criterion(poor=0, good=1, weight=1)})
