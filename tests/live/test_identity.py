"""Events keep their ids while their picks come, change and go."""

from __future__ import annotations

from dataclasses import replace

from tests.io.examples import event
from zilzal.app.blocks import BLOCK_S, BlockGrid
from zilzal.app.live.identity import identify
from zilzal.core.event import EvaluationMode, Event, Origin, Unlocated
from zilzal.core.ids import ChannelId
from zilzal.core.pick import Phase, Pick, Provenance
from zilzal.core.time import Time

GRID = BlockGrid(reach_s=30.0)
START = GRID.start(5_700_000) + 100.0
BLOCKS = [GRID.number(START)]


def pick(station: str, after_s: float) -> Pick:
    return Pick(
        channel_id=ChannelId("XX", station, "", "HHZ"),
        phase=Phase.P,
        time=START + after_s,
        probability=0.9,
        uncertainty_s=0.1,
        provenance=Provenance(method="neural", version="1"),
    )


def made(name: str, stations: str, after_s: float = 0.0, *, shift_s: float = 0.0) -> Event:
    """An event with a pick at each station, one a second."""
    picks = tuple(pick(s, after_s + ord(s) - ord("A") + shift_s) for s in stations)
    origin = event().origin
    assert isinstance(origin, Origin)
    return Event(id=name, version=1, origin=replace(origin, time=START + after_s), picks=picks)


def named(
    found: list[Event], *known: Event, settled: bool = False
) -> tuple[list[str], dict[str, str]]:
    """Ids of what was found, and of what is gone with the reasons."""
    final = {n: e.id for n, e in enumerate(found)} if settled else {}
    got = identify(found, {e.id: e for e in known}, BLOCKS, GRID, final)
    reasons = {e.id: e.origin.reason for e in got.gone if isinstance(e.origin, Unlocated)}
    assert len(reasons) == len(got.gone)
    assert set(got.renamed.values()) <= {e.id for e in got.events}
    return [e.id for e in got.events], reasons


def test_event_with_more_and_better_picks_keeps_its_id():
    assert named([made("new", "ABCDEF", shift_s=0.02)], made("old", "CDEF")) == (["old"], {})


def test_event_elsewhere_in_time_is_another_one():
    ids, gone = named([made("new", "ABCD", 50.0)], made("old", "ABCD"))
    assert ids == ["new"]
    assert gone == {"old": "dissolved: its picks no longer make an event"}


def test_two_that_became_one_keep_the_id_of_the_larger():
    ids, gone = named([made("new", "ABCDEFG")], made("small", "AB"), made("large", "CDEFG"))
    assert ids == ["large"]
    assert gone == {"small": "merged into large"}


def test_of_one_that_fell_in_two_the_larger_part_keeps_the_id():
    ids, gone = named([made("one", "AB"), made("two", "CDEFG")], made("old", "ABCDEFG"))
    assert (ids, gone) == (["one", "old"], {})


def test_new_event_never_takes_the_id_of_a_known_one():
    ids, _ = named([made("old", "ABCD", 50.0), made("x", "ABCD")], made("old", "ABCD"))
    assert ids == ["oldb", "old"]


def test_events_of_other_blocks_are_left_alone():
    far = made("far", "ABCD", 3 * BLOCK_S)
    assert named([made("new", "ABCD")], far) == (["new"], {})


def test_event_that_moved_over_the_edge_of_its_block_keeps_its_id():
    edge_s = (GRID.end(BLOCKS[0]) - START) + 0.5
    before = made("old", "ABCD", edge_s)
    assert GRID.number(before.time) not in BLOCKS
    found = replace(made("new", "ABCD", edge_s))
    assert isinstance(found.origin, Origin)
    moved = replace(found, origin=replace(found.origin, time=Time(before.time.ns - 10**9)))
    assert named([moved], before) == (["old"], {})


RENAMED = "renamed new, after its final first pick"


def test_event_whose_picks_are_final_gets_its_final_id():
    before = made("old", "CDEF")
    assert named([made("new", "ABCDEF")], before, settled=True) == (["new"], {"old": RENAMED})
    assert named([made("old", "ABCDEF")], before, settled=True) == (["old"], {})


def test_final_id_is_taken_from_whoever_has_it():
    found = [made("new", "ABCDEF"), made("x", "ABCD", 50.0)]
    events = identify(found, {"new": made("new", "ABCD", 50.0)}, BLOCKS, GRID, {0: "new"}).events
    assert [e.id for e in events] == ["new", "x"]


def test_event_over_the_edge_of_its_block_is_gone_under_its_old_id():
    edge_s = (GRID.end(BLOCKS[0]) - START) + 0.5
    found = made("new", "ABCD", edge_s)
    assert isinstance(found.origin, Origin)
    moved = replace(found, origin=replace(found.origin, time=Time(found.time.ns - 10**9)))
    before = made("old", "ABCD", edge_s)
    assert named([moved], before, settled=True) == (["new"], {"old": RENAMED})


def test_reviewed_event_keeps_its_id():
    reviewed = replace(made("old", "CDEF"), evaluation_mode=EvaluationMode.MANUAL)
    assert named([made("new", "ABCDEF")], reviewed, settled=True) == (["old"], {})
