"""Events keep their ids while their picks come, change and go."""

from __future__ import annotations

from dataclasses import replace

from tests.io.examples import event
from zilzal.app.blocks import BLOCK_S, BlockGrid
from zilzal.app.live.identity import identify
from zilzal.core.event import Event, Origin, Unlocated
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


def named(found: list[Event], *known: Event) -> tuple[list[str], dict[str, str]]:
    """Ids of what was found, and of what is gone with the reasons."""
    events, gone = identify(found, {e.id: e for e in known}, BLOCKS, GRID)
    reasons = {e.id: e.origin.reason for e in gone if isinstance(e.origin, Unlocated)}
    assert len(reasons) == len(gone)
    return [e.id for e in events], reasons


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
