"""The store's promises, on SQLite and PostgreSQL alike."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.io.conftest import WRITTEN
from tests.io.examples import (
    START,
    classification,
    detection,
    event,
    magnitude,
    origin,
    pick,
    plain,
    unlocated,
)
from zilzal.core.coverage import CoverageHour, CoverageSpan, Reason
from zilzal.core.errors import StaleVersion, StoreError
from zilzal.core.event import EventType, Origin, Unlocated
from zilzal.core.ids import ChannelId, StationId
from zilzal.core.packet import Bookmark
from zilzal.core.pick import EvaluationMode, Phase, Provenance
from zilzal.core.time import Time
from zilzal.io.store import EventQuery, Order, Store, configuration_hash

Open = Callable[[], Store]
CHANNEL = ChannelId("CI", "CCC", "", "HHZ")


def test_pick_comes_back_with_every_bit(store: Store, open_store: Open):
    picks = [pick(n) for n in range(6)]
    picks.append(pick(6, amplitude_counts=None, snr=None, onset=None, polarity=None))
    store.put_picks(picks)
    assert [plain(p) for p in open_store().picks()] == [plain(p) for p in picks]


def test_detection_comes_back_with_every_bit(store: Store, open_store: Open):
    store.put_detections([detection(n) for n in range(3)])
    assert [plain(d) for d in open_store().detections()] == [plain(detection(n)) for n in range(3)]


@pytest.mark.parametrize("made", [event(), unlocated(), event(2, picks=(), detections=())])
def test_event_comes_back_with_every_bit(store: Store, open_store: Open, made):
    store.put_event(made)
    found = open_store().event(made.id)
    assert plain(found) == plain(made)


def test_nan_of_what_is_not_known_comes_back(store: Store):
    unknown = np.full((4, 4), np.nan)
    unknown[2, 2] = np.inf
    made = origin((), covariance=unknown, rms_s=float("nan"), azimuthal_gap_deg=float("nan"))
    store.put_event(event(origin=made))
    assert plain(store.event(event().id)) == plain(event(origin=made))
    store.put_event(event(origin=made))
    assert len(store.versions(event().id)) == 1


@settings(
    max_examples=40, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(
    ns=st.integers(-(2**62), 2**62),
    real=st.floats(allow_nan=False).filter(lambda x: x != 0),
    text=st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])),
)
def test_any_time_number_and_text_come_back(store: Store, ns: int, real: float, text: str):
    made = pick(
        time=Time(ns), amplitude_counts=real, uncertainty_s=real,
        provenance=Provenance(method=text, version="1"),
    )  # fmt: skip
    store.put_picks([made])
    assert plain(made) in [plain(p) for p in store.picks(Time(ns), Time(ns + 1))]


def test_numpy_numbers_are_taken_as_numbers(store: Store):
    made = pick(probability=np.float32(0.5), snr=np.float64(3.0))
    store.put_picks([made, pick(probability=0.5, snr=3.0)])
    (found,) = store.picks()
    assert (found.probability, found.snr) == (0.5, 3.0)
    assert type(found.probability) is float


def test_writing_twice_leaves_one(store: Store):
    for _ in range(2):
        store.put_picks([pick(), pick(), pick(1)])
        store.put_detections([detection(), detection()])
    assert len(store.picks()) == 2
    assert len(store.detections()) == 1


def test_changed_pick_replaces_and_old_versions_keep_theirs(store: Store):
    before, after = pick(snr=None), pick(snr=9.5)
    assert before.id == after.id
    store.put_event(event(picks=(before,)))
    store.put_event(event(picks=(after,)))
    assert [p.snr for p in store.picks()] == [9.5]
    assert [v.picks[0].snr for v in store.versions(event().id)] == [None, 9.5]


def test_picks_are_found_by_time_station_phase_and_method(store: Store):
    other = pick(1, provenance=Provenance(method="stalta", version="1"))
    store.put_picks([pick(0), pick(1), pick(2), other])
    assert store.picks(pick(1).time, pick(2).time, method="neural") == [pick(1)]
    assert store.picks(phase=Phase.P) == [pick(0), pick(2)]
    assert store.picks(station_id=StationId("CI", "S001")) == [pick(2)]
    assert store.picks(method="stalta") == [other]
    assert store.picks(method="nobody") == []


def test_detections_that_reach_into_a_span_are_found(store: Store):
    store.put_detections([detection(0)])
    made = detection(0)
    assert store.detections(made.end - 1e-9, made.end + 1) == [made]
    assert store.detections(made.end, made.end + 1) == []
    assert store.detections(made.start - 1, made.start) == []


def test_same_event_makes_no_version_and_a_changed_one_the_next(store: Store):
    first = store.put_event(event(version=7))
    again = store.put_event(event())
    changed = store.put_event(event(comment="not felt"))
    back = store.put_event(event())
    assert [first.version, again.version, changed.version, back.version] == [1, 1, 2, 3]
    assert [plain(v) for v in store.versions(event().id)] == [
        plain(event(version=1)),
        plain(event(version=2, comment="not felt")),
        plain(event(version=3)),
    ]
    assert plain(store.event(event().id)) == plain(event(version=3))
    assert plain(store.event(event().id, 2)) == plain(event(version=2, comment="not felt"))
    assert len(store.events()) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"origin": Unlocated(reason="lost", time=START)},
        {"origin": origin((pick(1),))},
        {"magnitudes": ()},
        {"magnitudes": (magnitude(magnitude=3.1),)},
        {"classification": None},
        {"classification": classification(probability=0.5)},
        {"picks": (pick(),)},
        {"detections": ()},
        {"evaluation_mode": EvaluationMode.MANUAL},
    ],
)
def test_any_change_makes_a_version(store: Store, change):
    store.put_event(event())
    assert store.put_event(event(**change)).version == 2
    assert plain(store.event(event().id)) == plain(event(version=2, **change))


def test_what_was_read_is_the_same_when_written(store: Store):
    store.put_events([event(0), unlocated(1)])
    again = store.put_events(store.events())
    assert [e.version for e in again] == [1, 1]


def test_reviewed_event_is_kept_from_machines(store: Store):
    reviewed = store.put_event(event(evaluation_mode=EvaluationMode.MANUAL, comment="by hand"))
    returned = store.put_events([event(1), event(0), unlocated(0)])
    assert [plain(e) for e in returned] == [plain(event(1)), plain(reviewed), plain(reviewed)]
    assert len(store.versions(event().id)) == 1


def test_machine_cannot_retract_a_reviewed_event_with_its_own_words(store: Store):
    reviewed = store.put_event(event(evaluation_mode=EvaluationMode.MANUAL))
    retracted = replace(reviewed, origin=Unlocated(reason="not found again", time=START))
    assert plain(store.put_event(retracted)) == plain(reviewed)
    assert len(store.versions(reviewed.id)) == 1


def test_person_changes_a_reviewed_event_and_is_named(store: Store):
    first = store.put_event(event(evaluation_mode=EvaluationMode.MANUAL))
    changed = replace(first, comment="by another hand")
    stored = store.put_review([changed], {first.id: 1}, author="mina")[0]
    assert (stored.version, stored.author, stored.comment) == (2, "mina", "by another hand")
    assert [(s.version, s.author) for s in store.stamps(first.id)] == [(1, ""), (2, "mina")]
    assert plain(store.event(first.id)) == plain(stored)


def test_review_of_an_old_version_is_refused_as_a_whole(store: Store):
    first = store.put_event(event())
    store.put_event(event(comment="revised"))
    other = store.put_event(event(1))
    judged = [replace(e, evaluation_mode=EvaluationMode.MANUAL) for e in (other, first)]
    with pytest.raises(StaleVersion, match="at version 2, the review began at 1"):
        store.put_review(judged, {first.id: 1, other.id: 1}, author="mina")
    assert store.event(other.id).evaluation_mode is EvaluationMode.AUTOMATIC


def test_new_event_of_a_review_needs_a_free_id(store: Store):
    first = store.put_event(event())
    with pytest.raises(StaleVersion, match="began at none"):
        store.put_review([first], {}, author="mina")
    assert store.put_review([event(1)], {}, author="mina")[0].version == 1


@pytest.mark.parametrize(
    ("limits", "numbers"),
    [
        ({"text": "AYN"}, [1]),
        ({"evaluation_mode": EvaluationMode.MANUAL}, [2]),
        ({"catalogue_only": True}, [0, 1, 2]),
        ({"qualities": ("A", "B", "C", "D")}, [0, 1, 2]),
        ({"magnitude_types": ("ml",)}, [0, 1, 2]),
    ],
)
def test_words_modes_and_qualities_limit(store: Store, limits, numbers):
    stored = [event(0), event(1, comment="shaking in Ayn"), event(2, evaluation_mode=EvaluationMode.MANUAL),
              unlocated(3)]  # fmt: skip
    store.put_events(stored)
    found = [s.id for s in store.summaries(EventQuery(**limits))]
    assert found == [stored[n].id for n in numbers]


def test_circle_takes_what_lies_on_a_ring(store: Store):
    kept = store.put_event(event())
    assert isinstance(kept.origin, Origin)
    place = {"latitude": kept.origin.latitude + 1, "longitude": kept.origin.longitude}
    inside = EventQuery(**place, min_radius_deg=0.99, max_radius_deg=1.01)
    outside = EventQuery(**place, max_radius_deg=0.99)
    assert (store.count(inside), store.count(outside)) == (1, 0)


def test_columns_say_what_summaries_say(store: Store):
    store.put_events([event(0), event(1), unlocated(2)])
    lines, columns = store.summaries(), store.columns()
    assert list(columns.id) == [line.id for line in lines]
    assert list(columns.time_ns) == [line.time.ns for line in lines]
    assert list(columns.latitude) == [line.latitude for line in lines]
    assert list(store.columns(EventQuery(text="nothing")).id) == []


def test_one_batch_may_hold_versions_of_one_event(store: Store):
    stored = store.put_events([event(), event(comment="b"), event(comment="b"), event(1)])
    assert [e.version for e in stored] == [1, 2, 2, 1]
    assert store.event(event().id).comment == "b"


def test_parts_that_did_not_change_are_stored_once(store: Store):
    from sqlalchemy import func, select

    from zilzal.io.store.schema import ARRIVAL, EVENT_VERSION, ORIGIN, PICK, PROVENANCE

    store.put_events([event(comment=str(n)) for n in range(5)])
    with store._database.reading() as connection:
        counts = [
            connection.execute(select(func.count()).select_from(table)).scalar()
            for table in (EVENT_VERSION, ORIGIN, ARRIVAL, PICK, PROVENANCE)
        ]
    assert counts == [5, 1, 4, 4, 4]


def _many(store: Store) -> None:
    """Events a minute, a degree and a tenth of a magnitude apart; the sixth has no place."""
    events = []
    for n in range(5):
        picks = (pick(n),)
        place = origin(picks, id=f"origin/{n}", time=START + 60 * n, latitude=30.0 + n,
                       longitude=(178.0 + n + 180) % 360 - 180, depth_m=1_000.0 * n)  # fmt: skip
        kind = classification(event_type=EventType.EARTHQUAKE if n else EventType.EXPLOSION)
        size = magnitude(f"origin/{n}", magnitude=2 + n / 10)
        events.append(event(n, origin=place, picks=picks, magnitudes=(size,), classification=kind))
    store.put_events([*events, unlocated(5, origin=Unlocated(reason="few", time=START + 300))])


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (EventQuery(), [0, 1, 2, 3, 4, 5]),
        (EventQuery(start=START + 60, end=START + 180), [1, 2]),
        (EventQuery(south=31, north=33), [1, 2, 3]),
        (EventQuery(west=179, east=-179), [1, 2, 3]),
        (EventQuery(west=178.5, east=179.5), [1]),
        (EventQuery(min_depth_m=2_000, max_depth_m=3_000), [2, 3]),
        (EventQuery(min_magnitude=2.1, max_magnitude=2.25), [1, 2]),
        (EventQuery(event_types=(EventType.EXPLOSION, EventType.NOT_REPORTED)), [0, 5]),
        (EventQuery(written_since=WRITTEN), [0, 1, 2, 3, 4, 5]),
        (EventQuery(written_since=WRITTEN + 1), []),
        (EventQuery(order=Order.NEWEST, limit=2, offset=1), [4, 3]),
        (EventQuery(order=Order.LARGEST), [4, 3, 2, 1, 0, 5]),
        (EventQuery(offset=4), [4, 5]),
        (EventQuery(min_depth_m=0, start=START), [0, 1, 2, 3, 4]),
    ],
)
def test_query_finds(store: Store, query: EventQuery, found: list[int]):
    _many(store)
    ids = [f"event/{n:016x}" for n in found]
    assert [s.id for s in store.summaries(query)] == ids
    assert [e.id for e in store.events(query)] == [
        e.id for e in sorted(store.events(query), key=lambda e: e.time)
    ]
    assert {e.id for e in store.events(query)} == set(ids)
    assert store.count(replace(query, limit=None, offset=0)) >= len(ids)


def test_summary_says_what_the_event_says(store: Store):
    store.put_event(event())
    (line,) = store.summaries()
    made = event()
    assert (line.time, line.latitude, line.longitude, line.depth_m) == (
        made.time, made.origin.latitude, made.origin.longitude, made.origin.depth_m,
    )  # fmt: skip
    assert (line.magnitude, line.magnitude_type, line.quality) == (2.59, "ML", "B")
    assert (line.event_type, line.written) == (EventType.QUARRY_BLAST, WRITTEN)


def test_error_inside_a_transaction_leaves_nothing(store: Store):
    def fail() -> None:
        with store.transaction():
            store.put_picks([pick()])
            store.put_event(event(1))
            assert store.picks() != []
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail()
    assert store.picks() == []
    assert len(store.events()) == 0


def test_refused_write_inside_a_transaction_leaves_the_rest(store: Store):
    with store.transaction():
        store.put_picks([pick(0)])
        with pytest.raises(StoreError, match="probability"):
            store.put_picks([pick(1), pick(2, probability=float("nan"))])
        store.put_picks([pick(3)])
    assert store.picks() == [pick(0), pick(3)]


def test_readers_do_not_see_or_wait_for_an_open_transaction(store: Store, open_store: Open):
    reader = open_store()
    with store.transaction():
        store.put_picks([pick()])
        assert reader.picks() == []
    assert reader.picks() == [pick()]


def test_threads_share_a_store(store: Store):
    def write(number: int) -> None:
        for n in range(number, 60, 4):
            store.put_picks([pick(n)])
            store.put_event(event(n % 3, comment=str(n)))

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.picks(method="neural")) == 60
    versions = [len(store.versions(event(n).id)) for n in range(3)]
    assert sum(versions) == 60
    assert [v.version for v in store.versions(event().id)] == list(range(1, versions[0] + 1))


def test_coverage_does_not_depend_on_cuts_or_repeats(store: Store):
    hour = Time.parse("2019-07-07T08:00:00Z")
    store.put_coverage([CoverageSpan(CHANNEL, hour + 10, hour + 20, Reason.ANALYSED)])
    for start, end in [(30, 40), (20, 30), (12, 18), (10, 20), (3590, 3700), (50, 50)]:
        store.put_coverage([CoverageSpan(CHANNEL, hour + start, hour + end, Reason.ANALYSED)])
    store.put_coverage([CoverageSpan(CHANNEL, hour + 40, hour + 50, Reason.GAP, "no records")])
    assert store.coverage() == [
        CoverageSpan(CHANNEL, hour + 10, hour + 40, Reason.ANALYSED),
        CoverageSpan(CHANNEL, hour + 40, hour + 50, Reason.GAP, "no records"),
        CoverageSpan(CHANNEL, hour + 3590, hour + 3700, Reason.ANALYSED),
    ]
    assert store.coverage_hours(hour, hour + 3600) == [
        CoverageHour(CHANNEL, hour, Reason.ANALYSED, 40.0),
        CoverageHour(CHANNEL, hour, Reason.GAP, 10.0),
    ]


def test_time_can_be_taken_out_of_the_ledger_of_some_channels(store: Store):
    hour = Time.parse("2019-07-07T08:00:00Z")
    other = replace(CHANNEL, channel="HHN")
    for channel_id in (CHANNEL, other):
        store.put_coverage([
            CoverageSpan(channel_id, hour, hour + 100, Reason.FAILED, "out of memory"),
            CoverageSpan(channel_id, hour + 100, hour + 200, Reason.ANALYSED),
        ])  # fmt: skip
    store.take_out_coverage([CHANNEL], hour + 20, hour + 30)
    store.take_out_coverage([CHANNEL], hour + 90, hour + 150)
    assert store.coverage(reason=Reason.FAILED) == [
        CoverageSpan(other, hour, hour + 100, Reason.FAILED, "out of memory"),
        CoverageSpan(CHANNEL, hour, hour + 20, Reason.FAILED, "out of memory"),
        CoverageSpan(CHANNEL, hour + 30, hour + 90, Reason.FAILED, "out of memory"),
    ]
    assert store.coverage(reason=Reason.ANALYSED) == [
        CoverageSpan(other, hour + 100, hour + 200, Reason.ANALYSED),
        CoverageSpan(CHANNEL, hour + 150, hour + 200, Reason.ANALYSED),
    ]
    store.take_out_coverage([CHANNEL, other], hour - 1e9, hour + 1e9)
    assert store.coverage() == []


def test_run_keeps_its_configuration(store: Store, open_store: Open):
    text = "[pick]\nmethod = 'neural'\n"
    for _ in range(2):
        key = store.put_run(text, version="0.1.0", started=START)
    assert key == configuration_hash(text)
    assert len(key) == 16
    assert open_store().configuration(key) == text
    assert store.configuration("0" * 16) is None


def test_checkpoint_is_seen_by_its_configuration_only(store: Store, open_store: Open):
    store.save_checkpoint("CI.CCC", b"one", "abc")
    store.save_checkpoint("CI.CCC", b"\x00two\xff", "abc")
    store.save_checkpoint("CI.CLC", b"", "abc", done=True)
    again = open_store()
    assert again.load_checkpoint("CI.CCC", "abc") == b"\x00two\xff"
    assert again.load_checkpoint("CI.CCC", "other") is None
    assert again.load_checkpoint("nobody", "abc") is None
    assert again.done_keys("abc") == {"CI.CLC"}
    assert again.done_keys("other") == frozenset()
    store.save_checkpoint("CI.CCC", b"", "abc", done=True)
    assert again.done_keys("abc") == {"CI.CCC", "CI.CLC"}


def test_results_and_checkpoint_go_together(store: Store):
    def crash() -> None:
        with store.transaction():
            store.put_picks([pick()])
            store.save_checkpoint("CI.CCC", b"after", "abc")
            raise KeyboardInterrupt

    store.save_checkpoint("CI.CCC", b"before", "abc")
    with pytest.raises(KeyboardInterrupt):
        crash()
    assert store.load_checkpoint("CI.CCC", "abc") == b"before"
    assert store.picks() == []


def test_bookmarks_are_replaced_and_those_without_a_place_forgotten(store):
    first = [Bookmark("a", "1", "5"), Bookmark("a", "2", "7"), Bookmark("b", "1", "x")]
    store.put_bookmarks(first)
    store.put_bookmarks([Bookmark("a", "1", "6"), Bookmark("a", "2", ""), Bookmark("c", "1", "")])
    assert store.bookmarks() == [Bookmark("a", "1", "6"), Bookmark("b", "1", "x")]


def test_watch_tells_that_somebody_has_written(store: Store, open_store: Open):
    with store.watch() as ask:
        before = ask()
        open_store().put_event(event())
        after = ask()
        assert after != before
        store.put_picks([pick(9)])
        assert ask() != after


def test_new_picks_are_told_once_in_the_order_they_came(store: Store):
    store.put_picks([pick(0)])
    number, none = store.picks_after(None)
    assert none == []
    store.put_picks([pick(5), pick(0), pick(2)])
    last, found = store.picks_after(number)
    assert [p.id for p in found] == [pick(5).id, pick(2).id]
    assert store.picks_after(last) == (last, [])


def test_picks_are_counted_once_whatever_their_values_were(store: Store):
    store.put_picks([pick(0), pick(0, probability=0.9), pick(1), pick(2)])
    counts = store.pick_counts()
    assert counts[StationId("CI", "S000"), Phase.P] == 1
    assert sum(counts.values()) == 3
    assert sum(store.pick_counts(pick(1).time, pick(2).time).values()) == 1


def test_analysed_time_is_told_by_station(store: Store):
    other = ChannelId("CI", "OTH", "", "HHZ")
    store.put_coverage([
        CoverageSpan(CHANNEL, START, START + 100, Reason.ANALYSED),
        CoverageSpan(CHANNEL, START + 100, START + 150, Reason.GAP),
        CoverageSpan(replace(CHANNEL, channel="HHE"), START, START + 90, Reason.CLIPPED),
        CoverageSpan(other, START, START + 7, Reason.ANALYSED),
    ])  # fmt: skip
    assert store.analysed_stations() == {
        CHANNEL.station_id: (START + 100, 100.0), other.station_id: (START + 7, 7.0),
    }  # fmt: skip
    assert {s.channel_id for s in store.coverage(station_id=other.station_id)} == {other}
