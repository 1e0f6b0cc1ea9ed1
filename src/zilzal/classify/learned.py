"""Noise or event, and what kind, by networks that look at the records again.

A first network may gate: it tells noise from events. A second one may tell kinds. Each sees one
station's record at a time; the stations' opinions are fused. Classes come from the models' files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Float32

from zilzal import __version__
from zilzal.classify.features import Features, compute_features
from zilzal.classify.fusion import fuse, record_weight
from zilzal.classify.model import ClassModel, find_class_model
from zilzal.core.arrays import Array
from zilzal.core.errors import DataError
from zilzal.core.event import Classification, EventType, StationClassification
from zilzal.core.ids import ChannelId, SensorId, StationId
from zilzal.core.pick import Pick, Provenance
from zilzal.core.stage import Evidence, Waveforms
from zilzal.core.time import Time
from zilzal.core.waveform import COMPONENTS

UNKNOWN = "unknown"
"""The label where no record could be looked at."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Opinion:
    """What a model says of an event.

    Args:
        model: whose.
        stations: that were looked at, in order of their first picks.
        records: probabilities of each.
        fused: of all of them together.
    """

    model: ClassModel
    stations: tuple[StationId, ...]
    records: Float[Array, "record class"]
    fused: Float[Array, " class"]

    @property
    def noise(self) -> float:
        """Fused probability of noise; 0 where the model knows none."""
        return 0.0 if self.model.noise is None else float(self.fused[self.model.noise])

    def count(self, number: int) -> int:
        """Stations at which a class is the most probable one."""
        return int(np.sum(self.records.argmax(axis=1) == number))


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedClassifier:
    """Networks of `zilzal.learn` on the records of the stations that picked.

    Args:
        gate: name or path of the model that tells noise from events; "" for none.
        kinds: name or path of the model that tells kinds of real events; "" for none. It must
            have been trained where the network is: kinds of one volcano are not those of another.
        noise_probability: fused, from which an event is called noise ...
        noise_stations: ... if so many stations each find noise likelier than an event. An event
            that fewer stations saw is never called noise.
        kind_probability: fused, from which a kind is told; below, "not reported".
        maximum_stations: looked at, those with the earliest picks.

    Raises:
        ModelError: a model is missing or unfit; raised when the classifier is made.
        ValueError: an option is out of range, or there is neither gate nor kinds.
    """

    gate: str = "noise-event"
    kinds: str = ""
    noise_probability: float = 0.95
    noise_stations: int = 3
    kind_probability: float = 0.6
    maximum_stations: int = 12

    def __post_init__(self) -> None:
        if not self.gate and not self.kinds:
            raise ValueError("give a model as gate, as kinds, or both")
        if self.gate and find_class_model(self.gate).noise is None:
            raise ValueError(f"the model {self.gate!r} knows no noise; give it as kinds")
        if self.kinds:
            find_class_model(self.kinds)
        if not (0.5 <= self.noise_probability <= 1 and 0 < self.kind_probability <= 1):
            raise ValueError("noise_probability must be 0.5 to 1, kind_probability above 0 to 1")
        if self.noise_stations < 1 or self.maximum_stations < self.noise_stations:
            raise ValueError("need 1 <= noise_stations <= maximum_stations")

    def classify(self, evidence: Evidence) -> Classification:
        """The most probable class, "not reported" where none is probable enough."""
        gate, stations = self._opinion(self.gate, evidence)
        if gate is not None and gate.noise > 0.5:
            found = self._called_noise(gate)
        else:
            kinds, more = self._opinion(self.kinds, evidence)
            stations += more
            found = self._called_event(gate, kinds)
        return replace(found, station_classifications=stations)

    def _called_noise(self, gate: Opinion) -> Classification:
        noise = gate.model.noise
        agreeing = 0 if noise is None else gate.count(noise)
        is_strong = gate.noise >= self.noise_probability and agreeing >= self.noise_stations
        reason = _reason(gate)
        if not is_strong:
            reason += (
                f"; too little to call it noise, which takes a probability of "
                f"{self.noise_probability:g} and {self.noise_stations} stations"
            )
        return _classification(gate, _by_name(gate), is_told=is_strong, reason=reason)

    def _called_event(self, gate: Opinion | None, kinds: Opinion | None) -> Classification:
        if kinds is not None:
            return self._called_kind(kinds, gate)
        if gate is not None:
            return _classification(gate, _by_name(gate), is_told=True, reason=_reason(gate))
        return Classification(
            event_type=EventType.NOT_REPORTED,
            label=UNKNOWN,
            probability=1.0,
            probabilities={UNKNOWN: 1.0},
            reason="no picked station has a record that the models can look at",
            provenance=Provenance(method="learned", version=__version__),
        )

    def _called_kind(self, kinds: Opinion, gate: Opinion | None) -> Classification:
        """The kind, with the gate's noise among the classes."""
        probabilities = _by_name(kinds)
        reason = _reason(kinds)
        if gate is not None and gate.model.noise is not None:
            probabilities = {name: p * (1 - gate.noise) for name, p in probabilities.items()}
            name = gate.model.classes[gate.model.noise]
            probabilities[name] = probabilities.get(name, 0.0) + gate.noise
            reason += f"; {_reason(gate)}"
        is_told = max(probabilities.values()) >= self.kind_probability
        return _classification(kinds, probabilities, is_told=is_told, reason=reason)

    def _opinion(
        self, name: str, evidence: Evidence
    ) -> tuple[Opinion | None, tuple[StationClassification, ...]]:
        """None without a model or a record that it can look at; and what each record said."""
        if not name:
            return None, ()
        model = find_class_model(name)
        rows: dict[StationId, Float32[Array, " feature"]] = {}
        left_out: dict[StationId, str] = {}
        for pick in _first_picks(evidence.picks):
            station_id = pick.channel_id.station_id
            row = f"{self.maximum_stations} stations picked earlier"
            if len(rows) < self.maximum_stations:
                row = _look(model.features, pick, evidence.waveforms)
            if isinstance(row, str):
                left_out[station_id] = row
            else:
                rows[station_id] = row
        if not rows:
            return None, _by_station(model, (), np.empty((0, 0)), left_out)
        told = model.probabilities(np.stack(list(rows.values())))
        opinion = Opinion(
            model=model, stations=tuple(rows), records=told, fused=fuse(told, model.correlation)
        )
        return opinion, _by_station(model, opinion.stations, told, left_out)


def _first_picks(picks: Sequence[Pick]) -> list[Pick]:
    """The earliest pick of each station, in order of time."""
    found: dict[StationId, Pick] = {}
    for pick in sorted(picks, key=lambda pick: (pick.time, pick.channel_id)):
        found.setdefault(pick.channel_id.station_id, pick)
    return list(found.values())


def _look(features: Features, pick: Pick, waveforms: Waveforms) -> Float32[Array, " feature"] | str:
    """Features of the record around a pick, or why there are none."""
    start = pick.time - features.lead_s
    record = read_record(waveforms, pick.channel_id.sensor_id, start, features.window_s)
    if record is None:
        return "no record around the pick"
    samples, present, sampling_rate = record
    try:
        return compute_features(features, samples, present, sampling_rate)
    except DataError as error:
        return str(error)


def read_record(
    waveforms: Waveforms, sensor_id: SensorId, start: Time, length_s: float
) -> tuple[Float32[Array, "component sample"], Bool[Array, "component sample"], float] | None:
    """Samples of a sensor, what is present, and the rate; None where there is nothing.

    The vertical comes first. Pieces at another rate than the first one's are left out.
    """
    # A network has thousands of channels: most are passed over by what is quick to compare.
    near = (c for c in waveforms.channel_ids() if c.station == sensor_id.station)
    channels = sorted((c for c in near if c.sensor_id == sensor_id), key=_component_order)
    found = [waveforms.read(channel, start, start + length_s) for channel in channels]
    rates = [piece.sampling_rate for pieces in found for piece in pieces]
    if not rates:
        return None
    length = round(length_s * rates[0])
    samples = np.zeros((len(found), length), np.float32)
    present = np.zeros(samples.shape, bool)
    for row, pieces in enumerate(found):
        # Less the first sample: an offset of counts would cost float32 its digits.
        offset = float(pieces[0].samples[0]) if pieces and len(pieces[0].samples) else 0.0
        for piece in pieces:
            first = round((piece.start - start) * rates[0])
            if abs(piece.sampling_rate / rates[0] - 1) > 1e-4 or not 0 <= first < length:
                continue
            end = min(first + len(piece.samples), length)
            samples[row, first:end] = piece.samples[: end - first] - offset
            present[row, first:end] = True
    return samples, present, rates[0]


def _component_order(channel_id: ChannelId) -> tuple[int, str]:
    place = COMPONENTS.find(channel_id.component)
    return (place if place >= 0 else len(COMPONENTS), channel_id.component)


def _by_name(opinion: Opinion) -> dict[str, float]:
    return dict(zip(opinion.model.classes, opinion.fused.tolist(), strict=True))


def _by_station(
    model: ClassModel,
    stations: Sequence[StationId],
    records: Float[Array, "record class"],
    left_out: Mapping[StationId, str],
) -> tuple[StationClassification, ...]:
    """What was said of each station, those that count first."""
    weight = record_weight(len(stations), model.correlation) if stations else 0.0
    used = [
        StationClassification(
            station_id=station_id,
            model=model.name,
            probabilities=dict(zip(model.classes, row, strict=True)),
            weight=weight,
        )
        for station_id, row in zip(stations, records.tolist(), strict=True)
    ]
    unused = [
        StationClassification(
            station_id=station_id, model=model.name, probabilities={}, weight=0.0, reason=reason
        )
        for station_id, reason in left_out.items()
    ]
    return (*used, *unused)


def _classification(
    opinion: Opinion, probabilities: dict[str, float], *, is_told: bool, reason: str
) -> Classification:
    model = opinion.model
    label = max(probabilities, key=lambda name: probabilities[name])
    types = dict(zip(model.classes, model.types, strict=True))
    return Classification(
        event_type=types.get(label, EventType.NOT_REPORTED) if is_told else EventType.NOT_REPORTED,
        label=label,
        probability=probabilities[label],
        probabilities=probabilities,
        reason=reason,
        provenance=Provenance(method="learned", version=__version__, model=model.sha256),
    )


def _reason(opinion: Opinion) -> str:
    """What the stations said, as "noise-event: event at 7 of 8 stations (CI.CCC 0.99, …)"."""
    model = opinion.model
    best = int(opinion.fused.argmax())
    shown = [
        f"{station} {p:.2f}"
        for station, p in zip(opinion.stations, opinion.records[:, best], strict=True)
    ]
    more = ", …" if len(shown) > 4 else ""
    return (
        f"{model.name}: {model.classes[best]} {opinion.fused[best]:.2f}, likeliest at "
        f"{opinion.count(best)} of {len(opinion.stations)} stations "
        f"({', '.join(shown[:4])}{more})"
    )
