"""One station's records on their way to the picker: put in order, chosen among, conditioned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from zilzal.app.conditioning import Conditioning, ConditioningState
from zilzal.core.coverage import CoverageSpan, Reason
from zilzal.core.ids import ChannelId, SensorId
from zilzal.core.station import Inventory
from zilzal.core.time import Time
from zilzal.core.waveform import Trace, Window
from zilzal.signal.arrivals import Fragment
from zilzal.signal.choice import choose_sensors
from zilzal.signal.continuity import GapPolicy
from zilzal.signal.promise import Patience, ReachState

LEAST_STEP_S = 1.0
"""A sensor is worked on when so much more of it has come: a tenth of a second costs as much as ten,
and some sensors' records are short, or their channels' ends close to each other."""
_TOUCHING_S = 0.001
"""What was lost of one record and of the next is one stretch if they are no farther apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What all stations go by.

    Args:
        inventory: of the stations.
        policy: for gaps.
        patience: with records out of order.
        preference: bands, the best first.
    """

    inventory: Inventory
    policy: GapPolicy
    patience: Patience
    preference: Sequence[str]


@dataclass(slots=True, eq=False)
class Track:
    """One sensor's data; can be pickled.

    Args:
        conditioning: of its channels that the inventory knows.
        reach: how far they have come.
        traces: not conditioned yet.
        corrupt: time that could not be decoded, not told yet.
        conditioned: from the last step; None before the first.
        until: what was promised to it.
        since: where its ledger begins; None is at its first sample.
    """

    conditioning: Conditioning
    reach: ReachState = field(default_factory=ReachState)
    traces: list[Trace] = field(default_factory=list[Trace])
    corrupt: list[CoverageSpan] = field(default_factory=list[CoverageSpan])
    conditioned: ConditioningState | None = None
    until: Time | None = None
    since: Time | None = None

    @property
    def begin(self) -> Time:
        """Where its ledger begins."""
        return self.since or Time(self.reach.first_ns or 0)

    @property
    def channel_ids(self) -> tuple[ChannelId, ...]:
        """Of its components."""
        return self.conditioning.channel_ids

    @property
    def promised(self) -> Time | None:
        """All before it has come."""
        return None if self.reach.promised_ns is None else Time(self.reach.promised_ns)


@dataclass(slots=True, eq=False)
class StationDesk:
    """A station's sensors, one of which is worked through; can be pickled.

    Args:
        tracks: of the sensors that were heard and that the inventory knows.
        chosen: the one that is worked through; None until enough has come to choose.
    """

    tracks: dict[SensorId, Track] = field(default_factory=dict[SensorId, Track])
    chosen: SensorId | None = None

    @property
    def track(self) -> Track | None:
        """Of the chosen sensor."""
        return None if self.chosen is None else self.tracks[self.chosen]

    @property
    def newest(self) -> Time | None:
        """Where the newest data of any of its sensors end."""
        ends = [t.reach.newest_ns for t in self.tracks.values() if t.reach.newest_ns is not None]
        return Time(max(ends)) if ends else None

    def as_it_is(self) -> StationDesk:
        """A copy that stays as it is, whatever the desk does next."""
        tracks = {
            sensor: replace(track, traces=[*track.traces], corrupt=[*track.corrupt])
            for sensor, track in self.tracks.items()
        }
        return StationDesk(tracks, self.chosen)

    def take(self, trace: Trace, rules: Rules) -> list[CoverageSpan]:
        """Take a record in; what is not worked on is told."""
        sensor = trace.channel_id.sensor_id
        if sensor.band not in rules.preference:
            return [_span(trace, Reason.NOT_CHOSEN, f"band {sensor.band} is not in [sensors]")]
        track = self._track(sensor, trace.start, rules)
        if track is None or trace.channel_id not in track.channel_ids:
            return [_span(trace, Reason.NO_METADATA)]
        told: list[CoverageSpan] = []
        rest = trace
        if track.reach.promised_ns is not None:
            rest, told = _cut_late(trace, track.reach.promised_ns)
        if len(rest.samples):
            expected = frozenset(track.channel_ids)
            track.reach = rules.patience.take(track.reach, rest, expected)
            track.traces.append(rest)
        if self.chosen is None and track.promised is not None:
            self.chosen = choose_sensors(self.tracks, rules.preference).chosen[0]
        return [*told, *self._told_of_others()]

    def take_corrupt(self, span: CoverageSpan, rules: Rules) -> None:
        """Note that a stretch was lost, so that its gap is named after it."""
        track = self._track(span.channel_id.sensor_id, span.start, rules)
        if track is not None:
            _join(track.corrupt, span)

    def condition(self) -> tuple[list[Window], list[CoverageSpan]]:
        """Windows of the chosen sensor for what has been promised since the last time."""
        track, sensor = self.track, self.chosen
        if track is None or sensor is None or not track.traces:
            return [], []
        until = track.promised
        if until is None or (track.until is not None and until - track.until < LEAST_STEP_S):
            return [], []
        conditioning = track.conditioning
        state = track.conditioned or conditioning.start(track.begin)
        traces, track.traces = track.traces, []
        corrupt, track.corrupt = track.corrupt, []
        track.conditioned, windows, spans = conditioning.step(state, traces, until, corrupt=corrupt)
        track.until = until
        return windows, spans

    def finish(self, rules: Rules) -> tuple[list[Window], list[CoverageSpan]]:
        """No more data will come."""
        told: list[CoverageSpan] = []
        if self.chosen is None and self.tracks:
            self.chosen = choose_sensors(self.tracks, rules.preference).chosen[0]
            told = self._told_of_others()
        track = self.track
        if track is None or track.reach.newest_ns is None:
            return [], told
        end = Time(track.reach.newest_ns)
        conditioning = track.conditioning
        state = track.conditioned or conditioning.start(track.begin)
        state, windows, spans = conditioning.step(state, track.traces, end, corrupt=track.corrupt)
        rest, more = conditioning.finish(state, end)
        track.traces, track.corrupt, track.conditioned = [], [], None
        track.until = track.since = end
        return [*windows, *rest], [*told, *spans, *more]

    def forget(self, sensor: SensorId) -> None:
        """Begin a sensor anew with what comes next."""
        old = self.tracks[sensor]
        newest = None if old.reach.newest_ns is None else Time(old.reach.newest_ns)
        self.tracks[sensor] = Track(old.conditioning, reach=old.reach, until=newest, since=newest)

    def _track(self, sensor: SensorId, time: Time, rules: Rules) -> Track | None:
        track = self.tracks.get(sensor)
        if track is None:
            known = dict.fromkeys(c.channel_id for c in rules.inventory.sensor(sensor, time))
            if not known:
                return None
            conditioning = Conditioning.of(
                sensor, tuple(known), rules.policy, inventory=rules.inventory, time=time
            )
            track = self.tracks[sensor] = Track(conditioning)
        return track

    def _told_of_others(self) -> list[CoverageSpan]:
        """Drop what came of sensors that were not chosen."""
        if self.chosen is None:
            return []
        told: list[CoverageSpan] = []
        for sensor, track in self.tracks.items():
            if sensor != self.chosen:
                note = f"{self.chosen} was preferred"
                told += [_span(trace, Reason.NOT_CHOSEN, note) for trace in track.traces]
                track.traces, track.corrupt = [], []
        return told


def _join(spans: list[CoverageSpan], span: CoverageSpan) -> None:
    """Add a stretch; one that goes on where one of the same channel ended makes that longer."""
    key = span.channel_id, span.reason, span.note
    for at, known in enumerate(spans):
        is_same = (known.channel_id, known.reason, known.note) == key
        if is_same and abs(span.start - known.end) <= _TOUCHING_S:
            spans[at] = replace(known, end=max(known.end, span.end))
            return
    spans.append(span)


def _cut_late(trace: Trace, promised_ns: int) -> tuple[Trace, list[CoverageSpan]]:
    """The samples that are not too late, and what is told of the others."""
    fragment = Fragment(trace.start.ns, trace.sampling_rate, trace.samples)
    late = fragment.count_before_end(promised_ns, trace.sampling_rate)
    if not late:
        return trace, []
    rest = fragment.part(late)
    span = CoverageSpan(
        trace.channel_id, trace.start, Time(fragment.time_ns(late)), Reason.OUT_OF_ORDER
    )
    return replace(trace, start=Time(rest.start_ns), samples=rest.samples), [span]


def _span(trace: Trace, reason: Reason, note: str = "") -> CoverageSpan:
    return CoverageSpan(trace.channel_id, trace.start, trace.next_start, reason, note)
