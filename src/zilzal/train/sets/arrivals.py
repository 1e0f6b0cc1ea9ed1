"""What a catalogue says of one station: labels, spans nobody labelled, and when waves went by."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from zilzal.core.pick import Phase
from zilzal.core.time import Time
from zilzal.io.phases import ReportedEvent, ReportedPick, Status
from zilzal.train.sets.expected import Expected
from zilzal.train.sets.tally import Tally

SAME_S = 0.5
"""Two picks of a phase at a station that are nearer are one arrival, reported twice."""

ROUNDED_S = 1e-3
"""Times of one pick in files of different resolution differ by less."""

ELSEWHERE_S = 60.0
"""An event without an origin may have come to a station this long before its first pick or after
its last one elsewhere; and an S this long after its P."""

BESIDE_S = 1.0
"""A pick that is not taken as a label makes this much on either side of it unknown."""

_RANKS = {Status.MANUAL: 0, Status.UNKNOWN: 1, Status.AUTOMATIC: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """Which picks become labels, and how wide a berth noise gives to waves.

    Args:
        statuses: of picks that become labels; others make their surroundings unknown.
        with_loose: picks that belong to no event become labels too.
        before_s: noise ends so long before the first arrival.
        after_s: and begins so long after the last one, or after the coda that an event of its
            magnitude has.
    """

    statuses: frozenset[Status] = frozenset(Status)
    with_loose: bool = False
    before_s: float = 10.0
    after_s: float = 120.0


@dataclass(frozen=True, slots=True)
class Label:
    """A pick that serves as a label, and its event."""

    pick: ReportedPick
    event_id: str


@dataclass(frozen=True, slots=True)
class UnknownSpan:
    """Time in which nobody knows whether a phase arrived; of an event, or of none."""

    phase: Phase
    start: Time
    end: Time
    event_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StationArrivals:
    """What is known of one station, in order of time.

    Args:
        labels: arrivals, none of them twice.
        unknown: spans of which nobody knows.
        busy: merged spans in which waves of events went by, with the margins.
    """

    labels: tuple[Label, ...]
    unknown: tuple[UnknownSpan, ...]
    busy: tuple[tuple[Time, Time], ...]

    def by_event(self) -> dict[str, list[Label]]:
        """The labels of each event, in order of its first."""
        events: dict[str, list[Label]] = {}
        for label in self.labels:
            events.setdefault(label.event_id, []).append(label)
        return events


def arrivals_at(
    picks: Mapping[str, Sequence[ReportedPick]],
    events: Sequence[ReportedEvent],
    expected: Mapping[str, Expected],
    taking: Taking,
    tally: Tally,
) -> StationArrivals:
    """All that the catalogue says of one station.

    Args:
        picks: of the station, by event.
        events: all of the catalogue.
        expected: of the station, by event.
        taking: which picks become labels.
        tally: counts picks that do not.
    """
    loose = frozenset(event.event_id for event in events if event.is_loose)
    candidates = sorted(
        (Label(pick, event_id) for event_id, some in picks.items() for pick in some),
        key=lambda label: _rank(label, loose),
    )
    labels, unknown, known = _accepted(candidates, loose, taking, tally)
    strays = {
        phase: [x.pick.time for x in labels if x.event_id in loose and x.pick.phase is phase]
        for phase in Phase
    }
    busy: list[tuple[Time, Time]] = []
    for event in events:
        mine = {phase: time for phase in Phase if (time := known.get((event.event_id, phase)))}
        if not event.is_loose:
            spans = _unlabelled(event, mine, expected.get(event.event_id))
            # A pick without an event at the right time may well be the event's.
            unknown += [span for span in spans if not _holds(span, strays[span.phase])]
        times = [pick.time for pick in picks.get(event.event_id, ())]
        busy += _busy(event, times, expected.get(event.event_id), taking)
    unknown += _beside_loose(label for label in labels if label.event_id in loose)
    return StationArrivals(
        labels=tuple(sorted(labels, key=lambda label: (label.pick.time, label.pick.phase))),
        unknown=tuple(sorted(unknown, key=lambda span: (span.start, span.end, span.phase))),
        busy=tuple(merged(busy)),
    )


def _accepted(
    candidates: Sequence[Label],
    loose: frozenset[str],
    taking: Taking,
    tally: Tally,
) -> tuple[list[Label], list[UnknownSpan], dict[tuple[str, Phase], Time]]:
    """Candidates, the best first, that become labels, and what the others leave unknown.

    And when an event's phase came, whoever's report of it became the label.
    """
    labels: list[Label] = []
    unknown: list[UnknownSpan] = []
    known: dict[tuple[str, Phase], Time] = {}
    seen: dict[Phase, list[tuple[Time, str]]] = {phase: [] for phase in Phase}
    for label in candidates:
        pick, reason = label.pick, _refused(label, loose, taking)
        near = _nearest(pick.time, seen[pick.phase])
        if near is not None:
            # One pick in two files of one maker is worth no word.
            if near[1] != label.event_id or abs(near[0] - pick.time) > ROUNDED_S:
                tally.add("arrival reported twice", _told(pick))
        elif reason:
            tally.add(reason, _told(pick))
            around = pick.time - BESIDE_S, pick.time + BESIDE_S
            unknown.append(UnknownSpan(pick.phase, *around))
            continue
        else:
            labels.append(label)
            insort(seen[pick.phase], (pick.time, label.event_id))
        key = label.event_id, pick.phase
        known[key] = min(pick.time, known.get(key, pick.time))
    return labels, unknown, known


def _rank(label: Label, loose: frozenset[str]) -> tuple[object, ...]:
    """Of two reports of an arrival the first counts."""
    pick = label.pick
    weight = 1.0 if pick.weight is None else pick.weight
    trust = _RANKS[pick.status], -weight
    return (label.event_id in loose, *trust, pick.time, pick.phase, label.event_id)


def _refused(label: Label, loose: frozenset[str], taking: Taking) -> str:
    """Why a pick is no label; "" where it is one."""
    if label.pick.status not in taking.statuses:
        return f"{label.pick.status} pick, not asked for"
    if label.event_id in loose and not taking.with_loose:
        return "pick that belongs to no event"
    return ""


def _told(pick: ReportedPick) -> str:
    return f"{pick.station_id} {pick.phase} {pick.time}"


def _nearest(time: Time, others: Sequence[tuple[Time, str]]) -> tuple[Time, str] | None:
    """Of instants in order, each with its event, the one within `SAME_S`; None without."""
    place = bisect_left(others, (time, ""))
    near = [one for one in others[max(0, place - 1) : place + 1] if abs(one[0] - time) < SAME_S]
    return min(near, key=lambda one: abs(one[0] - time), default=None)


def _unlabelled(
    event: ReportedEvent, mine: Mapping[Phase, Time], expected: Expected | None
) -> Iterator[UnknownSpan]:
    """Where an event's phases may lie that have no label at the station."""
    for phase in Phase:
        if phase in mine:
            continue
        if expected is not None:
            start, end = expected.of(phase)
        elif mine:
            (other,) = mine.values()
            start, end = other - ELSEWHERE_S, other + ELSEWHERE_S
        elif event.source is None:
            times = [pick.time for pick in event.picks]
            start, end = min(times) - ELSEWHERE_S, max(times) + ELSEWHERE_S
        else:
            continue
        # S comes after P.
        start = max(start, mine[Phase.P]) if Phase.P in mine else start
        end = min(end, mine[Phase.S]) if Phase.S in mine else end
        if start < end:
            yield UnknownSpan(phase, start, end, event.event_id)


def _holds(span: UnknownSpan, times: Iterable[Time]) -> bool:
    return any(span.start <= time <= span.end for time in times)


def _beside_loose(labels: Iterable[Label]) -> Iterator[UnknownSpan]:
    """Of each pick without an event: where its S, or its P, may lie."""
    times: dict[Phase, list[Time]] = {phase: [] for phase in Phase}
    for label in labels:
        times[label.pick.phase].append(label.pick.time)
    for time in times[Phase.P]:
        if not any(0 < other - time <= ELSEWHERE_S for other in times[Phase.S]):
            yield UnknownSpan(Phase.S, time, time + ELSEWHERE_S)
    for time in times[Phase.S]:
        if not any(0 < time - other <= ELSEWHERE_S for other in times[Phase.P]):
            yield UnknownSpan(Phase.P, time - ELSEWHERE_S, time)


def _busy(
    event: ReportedEvent, times: Sequence[Time], expected: Expected | None, taking: Taking
) -> Iterator[tuple[Time, Time]]:
    """When an event's waves went by a station, with the margins."""
    if event.is_loose:
        yield from ((time - taking.before_s, time + taking.after_s) for time in times)
        return
    if expected is not None:
        times = [*times, expected.p[0], expected.s[1]]
    elif not times and event.source is None:
        elsewhere = [pick.time for pick in event.picks]
        times = [min(elsewhere) - ELSEWHERE_S, max(elsewhere) + ELSEWHERE_S]
    if times:
        first, last = min(times), max(times) + taking.after_s
        magnitude = event.source.magnitude if event.source else None
        if magnitude is not None:
            last = max(last, first + coda_duration_s(magnitude))
        yield first - taking.before_s, last


def coda_duration_s(magnitude: float) -> float:
    """From the P to where the coda has sunk into the noise, near the source: 27 s at magnitude 2.

    Source:
        Lee, Bennett & Meagher (1972), A method of estimating magnitude of local earthquakes from
        signal duration, USGS Open-File Report 72-223: M = -0.87 + 2.00 log10(T), its term for
        the distance left out.
    """
    return 10 ** ((magnitude + 0.87) / 2.0)


def merged(spans: Iterable[tuple[Time, Time]]) -> list[tuple[Time, Time]]:
    """Spans in order of time, those that touch joined."""
    joined: list[tuple[Time, Time]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined
