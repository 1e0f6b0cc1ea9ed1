"""From picks that share a source to an event, named as in QuakeML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from jaxtyping import Float64

from zilzal.core.arrays import Array
from zilzal.core.ids import ChannelId, StationId
from zilzal.core.pick import Detection, EvaluationMode, Phase, Pick, Provenance
from zilzal.core.time import Time


@dataclass(frozen=True, slots=True, kw_only=True)
class Association:
    """Picks thought to share a source, with the associator's first guess of it.

    Args:
        picks: in order of time.
        time: of the source.
        latitude: of the source.
        longitude: of the source.
        depth_m: of the source below sea level.
        provenance: what made it.
    """

    picks: tuple[Pick, ...]
    time: Time
    latitude: float
    longitude: float
    depth_m: float
    provenance: Provenance


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A pick tied to an origin.

    Args:
        pick_id: the pick.
        station_id: where.
        phase: as located, P or S.
        distance_m: epicentral.
        azimuth_deg: from the source to the station, clockwise from north.
        takeoff_angle_deg: at the source, 0 is down and 180 up; None where not computed.
        residual_s: observed minus computed travel time, after the station's correction.
        weight: in [0, 1], what the robust likelihood left of it; 0 was not used.
        correction_s: the station's term that was added to the computed time.
    """

    pick_id: str
    station_id: StationId
    phase: Phase
    distance_m: float
    azimuth_deg: float
    takeoff_angle_deg: float | None
    residual_s: float
    weight: float
    correction_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ellipse:
    """A horizontal confidence ellipse.

    Args:
        semi_major_m: half the longer axis.
        semi_minor_m: half the shorter axis.
        azimuth_deg: of the longer axis, clockwise from north, [0, 180).
        level: share of the probability that lies inside, as 0.68.
    """

    semi_major_m: float
    semi_minor_m: float
    azimuth_deg: float
    level: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Origin:
    """Time and place of a source.

    Args:
        id: derived from the arrivals and the method.
        time: of the source.
        latitude: WGS84.
        longitude: WGS84.
        depth_m: below sea level, positive down.
        covariance: of east [m], north [m], depth [m], time [s], in this order.
        ellipse: horizontal, at 68 %.
        arrivals: in order of travel time.
        rms_s: weighted root mean square of the residuals.
        azimuthal_gap_deg: of the stations used.
        nearest_station_m: epicentral.
        quality: A (best) to D, see the locator's page.
        depth_fixed: True where the data could not tell the depth.
        earth_model: its name.
        evaluation_mode: automatic or manual.
        provenance: what made it.
    """

    id: str
    time: Time
    latitude: float
    longitude: float
    depth_m: float
    covariance: Float64[Array, "4 4"]
    ellipse: Ellipse
    arrivals: tuple[Arrival, ...]
    rms_s: float
    azimuthal_gap_deg: float
    nearest_station_m: float
    quality: str
    depth_fixed: bool
    earth_model: str
    evaluation_mode: EvaluationMode = EvaluationMode.AUTOMATIC
    provenance: Provenance

    def count(self, phase: Phase) -> int:
        """Number of arrivals of a phase that were used."""
        return sum(a.phase is phase and a.weight > 0 for a in self.arrivals)

    @property
    def used_stations(self) -> frozenset[StationId]:
        """Stations with an arrival that was used."""
        return frozenset(a.station_id for a in self.arrivals if a.weight > 0)

    @property
    def time_uncertainty_s(self) -> float:
        """Standard deviation of the origin time."""
        return float(self.covariance[3, 3]) ** 0.5

    @property
    def depth_uncertainty_m(self) -> float:
        """Standard deviation of the depth."""
        return float(self.covariance[2, 2]) ** 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlocated:
    """An association that could not be located.

    Args:
        reason: what was missing, for people.
        time: first guess.
    """

    reason: str
    time: Time


@dataclass(frozen=True, slots=True, kw_only=True)
class StationMagnitude:
    """The magnitude that one station gives.

    Args:
        channel_id: the channel of the largest amplitude.
        magnitude: its value; None where it was not usable.
        type: the scale, as "ML".
        amplitude_m: what the scale is made for (ML: zero to peak of a Wood-Anderson record [m]);
            None where not measured.
        period_s: of the largest swing; None where not measured.
        distance_m: hypocentral.
        snr: of the amplitude against the noise before P; None where not measured.
        residual: station minus network value; None where not used.
        reason: why it was not used; "" where it was.
    """

    channel_id: ChannelId
    magnitude: float | None
    type: str
    amplitude_m: float | None
    period_s: float | None
    distance_m: float
    snr: float | None
    residual: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Magnitude:
    """The network's magnitude of an origin.

    Args:
        id: derived from origin, type and values.
        origin_id: whose.
        magnitude: None where no station gave one; then `reason` says why.
        type: the scale, as "ML".
        uncertainty: standard error of the network value; None with fewer than two stations.
        station_magnitudes: all that were tried.
        reason: why there is none, or a caveat ("flat responses"); "" where there is nothing to say.
        provenance: what made it.
    """

    id: str
    origin_id: str
    magnitude: float | None
    type: str
    uncertainty: float | None
    station_magnitudes: tuple[StationMagnitude, ...]
    reason: str = ""
    evaluation_mode: EvaluationMode = EvaluationMode.AUTOMATIC
    provenance: Provenance

    @property
    def n_stations(self) -> int:
        """Number of stations that the value rests on."""
        return sum(s.magnitude is not None and not s.reason for s in self.station_magnitudes)


class EventType(StrEnum):
    """Types in QuakeML's words; a model's own finer class is kept in `Classification.label`."""

    EARTHQUAKE = "earthquake"
    EXPLOSION = "explosion"
    QUARRY_BLAST = "quarry blast"
    LANDSLIDE = "landslide"
    ROCKSLIDE = "rockslide"
    SNOW_AVALANCHE = "snow avalanche"
    VOLCANIC = "volcanic eruption"
    NOT_EXISTING = "not existing"
    """Noise that was taken for an event."""
    OTHER = "other event"
    NOT_REPORTED = "not reported"
    """Nobody could tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StationClassification:
    """What a model says of the record of one station.

    Args:
        station_id: where.
        model: the model's name; several may look at one station.
        probabilities: of the model's classes; sums to 1, empty where the record was not used.
        weight: share of it that counts in the event's probabilities, in [0, 1]; 0 was not used.
        reason: why it was not used; "" where it was.
    """

    station_id: StationId
    model: str
    probabilities: Mapping[str, float]
    weight: float
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Classification:
    """What kind of event.

    Args:
        event_type: in QuakeML's words.
        label: the model's own class, or the rule's name.
        probability: of the label.
        probabilities: of all classes; sums to 1.
        station_classifications: of all stations that were tried; empty where the method does not
            look at stations one by one.
        reason: for people; what told it.
        provenance: what made it.
    """

    event_type: EventType
    label: str
    probability: float
    probabilities: Mapping[str, float]
    station_classifications: tuple[StationClassification, ...] = ()
    reason: str = ""
    provenance: Provenance


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Event:
    """All that is known of a source, as of one version.

    Args:
        id: given at the first version and kept.
        version: counts from 1.
        origin: the preferred one, or why there is none.
        magnitudes: the preferred one first.
        classification: None until a classifier has spoken.
        picks: of all arrivals.
        detections: that overlap the arrivals.
        evaluation_mode: manual once a person has confirmed or changed it.
        comment: for people.
        author: who judged it last; empty for the machine.
    """

    id: str
    version: int
    origin: Origin | Unlocated
    magnitudes: tuple[Magnitude, ...] = ()
    classification: Classification | None = None
    picks: tuple[Pick, ...] = ()
    detections: tuple[Detection, ...] = field(default=())
    evaluation_mode: EvaluationMode = EvaluationMode.AUTOMATIC
    comment: str = ""
    author: str = ""

    @property
    def time(self) -> Time:
        """Origin time, or the first guess of it."""
        return self.origin.time

    @property
    def event_type(self) -> EventType:
        """In QuakeML's words; "not reported" until somebody has spoken."""
        kind = self.classification
        return EventType.NOT_REPORTED if kind is None else kind.event_type

    @property
    def arrivals(self) -> tuple[Arrival, ...]:
        """Of the origin; none where the event could not be located."""
        return self.origin.arrivals if isinstance(self.origin, Origin) else ()

    @property
    def is_noise(self) -> bool:
        """Whether it was judged to be none."""
        return self.event_type is EventType.NOT_EXISTING

    @property
    def magnitude(self) -> Magnitude | None:
        """The preferred magnitude that has a value."""
        return next((m for m in self.magnitudes if m.magnitude is not None), None)
