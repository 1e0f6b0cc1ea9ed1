"""Which sensor of each station is worked through when."""

from dataclasses import replace
from pathlib import Path

import pytest

from zilzal.app.plan import Stretch, make_plan, moves_of, stations_of
from zilzal.core.coverage import Reason
from zilzal.core.ids import ChannelId, SensorId
from zilzal.core.station import Channel, Inventory
from zilzal.core.time import Time
from zilzal.io.archive import Archive, FileSpan

DAY_S = 86_400.0
START = Time.parse("2024-03-05T00:00:00Z")
PREFERENCE = ("HH", "BH", "HN")


def day(number: float) -> Time:
    return START + number * DAY_S


def archive(*rows: tuple[str, float, float], components: str = "ZNE") -> Archive:
    """An archive of sensors from one day to another."""
    spans = [
        FileSpan(SensorId.parse(sensor).channel_id(c), day(first), day(end), Path(f"{n}{c}"))
        for n, (sensor, first, end) in enumerate(rows)
        for c in components
    ]
    return Archive(tuple(sorted(spans)))


def inventory(*rows: tuple[str, float | None, float | None]) -> Inventory:
    return Inventory.of(
        Channel(
            channel_id=SensorId.parse(sensor).channel_id(component),
            latitude=45.0,
            longitude=10.0,
            elevation_m=100.0,
            start=None if first is None else day(first),
            end=None if end is None else day(end),
        )
        for sensor, first, end in rows
        for component in "ZNE"
    )


def told(stretches: tuple[Stretch, ...]) -> list[tuple[str, float, float]]:
    return [
        (str(s.sensor_id), (s.start - START) / DAY_S, (s.end - START) / DAY_S) for s in stretches
    ]


def test_each_station_is_worked_through_once_by_preference():
    found = make_plan(
        archive(("XX.A..HN", 0, 1), ("XX.A..HH", 0, 1), ("XX.B..BH", 0, 1)), None, PREFERENCE
    )
    assert told(found.stretches) == [("XX.A..HH", 0, 1), ("XX.B..BH", 0, 1)]
    left = found.left_out
    assert {str(span.channel_id) for span in left} == {f"XX.A..HN{c}" for c in "ZNE"}
    assert {(s.reason, s.note) for s in left} == {(Reason.NOT_CHOSEN, "XX.A..HH was preferred")}


def test_first_location_code_counts_among_sensors_of_one_band():
    found = make_plan(archive(("XX.A.10.HH", 0, 1), ("XX.A.00.HH", 0, 1)), None, PREFERENCE)
    assert told(found.stretches) == [("XX.A.00.HH", 0, 1)]


def test_band_without_preference_is_left_out_and_said():
    found = make_plan(archive(("XX.A..LH", 0, 1)), None, PREFERENCE)
    assert found.stretches == ()
    assert {span.note for span in found.left_out} == {"band LH is not among HH, BH, HN"}


def test_station_is_followed_from_one_sensor_to_the_next():
    found = make_plan(archive(("XX.A..BH", 0, 3), ("XX.A..HH", 3, 5)), None, PREFERENCE)
    assert told(found.stretches) == [("XX.A..BH", 0, 3), ("XX.A..HH", 3, 5)]
    assert found.left_out == ()


def test_better_sensor_is_used_only_while_it_is_there():
    found = make_plan(archive(("XX.A..BH", 0, 6), ("XX.A..HH", 2, 4)), None, PREFERENCE)
    assert told(found.stretches) == [
        ("XX.A..BH", 0, 2),
        ("XX.A..BH", 4, 6),
        ("XX.A..HH", 2, 4),
    ]
    assert sum(span.duration_s for span in found.left_out) == 3 * 2 * DAY_S


def test_chosen_sensor_is_not_cut_where_a_worse_one_begins():
    found = make_plan(archive(("XX.A..HH", 0, 6), ("XX.A..HN", 2, 4)), None, PREFERENCE)
    assert told(found.stretches) == [("XX.A..HH", 0, 6)]


def test_other_sensor_stands_in_while_the_better_one_has_no_files():
    found = make_plan(
        archive(("XX.A..HH", 0, 1), ("XX.A..HH", 4, 5), ("XX.A..HN", 0, 5)), None, PREFERENCE
    )
    assert told(found.stretches) == [
        ("XX.A..HH", 0, 1), ("XX.A..HH", 4, 5), ("XX.A..HN", 1, 4),
    ]  # fmt: skip
    gaps = [span for span in found.left_out if span.reason is Reason.GAP]
    assert [(str(s.channel_id), s.start, s.end) for s in gaps] == [
        (f"XX.A..HH{c}", day(1), day(4)) for c in "ENZ"
    ]
    assert found.unused() == []


def test_hole_of_minutes_between_files_divides_nothing():
    found = make_plan(archive(("XX.A..HH", 0, 1), ("XX.A..HH", 1.02, 2)), None, PREFERENCE)
    assert told(found.stretches) == [("XX.A..HH", 0, 2)]
    assert found.left_out == ()


def test_unknown_station_is_left_out_and_said():
    found = make_plan(
        archive(("XX.A..HH", 0, 1), ("XX.B..HH", 0, 1)),
        inventory(("XX.A..HH", None, None)),
        PREFERENCE,
    )
    assert told(found.stretches) == [("XX.A..HH", 0, 1)]
    assert {s.channel_id.station for s in found.left_out} == {"B"}
    assert {s.reason for s in found.left_out} == {Reason.NO_METADATA}


def test_sensor_known_at_another_time_only_is_left_out():
    found = make_plan(archive(("XX.A..HH", 0, 1)), inventory(("XX.A..HH", 5, None)), PREFERENCE)
    assert found.stretches == ()
    assert found.unused() == ["XX.A..HH: in the inventory at other times only"]


def test_sensor_of_another_location_code_is_said_to_be_that():
    found = make_plan(
        archive(("XX.A.00.HH", 0, 1)),
        inventory(("XX.A..HH", None, None), ("XX.B..HH", None, None)),
        PREFERENCE,
    )
    assert found.unused() == ["XX.A.00.HH: not in the inventory, which has XX.A..HH"]


def test_sensor_with_a_better_one_beside_it_is_no_news():
    found = make_plan(archive(("XX.A..HN", 0, 1), ("XX.A..HH", 0, 1)), None, PREFERENCE)
    assert found.left_out
    assert found.unused() == []


@pytest.mark.parametrize(("first", "end"), [(None, 3), (3, None), (2, 4)])
def test_sensor_known_for_a_part_of_its_time_is_worked_through(first, end):
    found = make_plan(archive(("XX.A..HH", 0, 6)), inventory(("XX.A..HH", first, end)), PREFERENCE)
    assert told(found.stretches) == [("XX.A..HH", 0, 6)]


def test_unknown_sensor_does_not_stand_in_the_way_of_a_known_one():
    found = make_plan(
        archive(("XX.A..HH", 0, 1), ("XX.A..HN", 0, 1)),
        inventory(("XX.A..HN", None, None)),
        PREFERENCE,
    )
    assert told(found.stretches) == [("XX.A..HN", 0, 1)]


def test_without_inventory_every_station_is_known():
    found = make_plan(archive(("XX.A..HH", 0, 1), ("XX.B..HH", 0, 1)), None, PREFERENCE)
    assert len(found.stretches) == 2
    assert found.left_out == ()


def test_single_component_makes_a_sensor():
    found = make_plan(archive(("XX.A..HH", 0, 1), components="Z"), None, PREFERENCE)
    assert found.stretches[0].channel_ids == (ChannelId.parse("XX.A..HHZ"),)


def test_sensor_whose_components_point_nowhere_gives_way():
    raw = archive(("XX.A..HH", 0, 1), ("XX.B..HH", 0, 1), components="UVW").files
    other = archive(("XX.A..HN", 0, 1)).files
    found = make_plan(Archive(tuple(sorted((*raw, *other)))), None, PREFERENCE)
    assert told(found.stretches) == [("XX.A..HN", 0, 1)]
    assert found.unused() == ["XX.B..HH: nothing says where its components U, V, W point"]


def test_order_of_the_files_does_not_matter():
    rows = [("XX.A..BH", 0, 6), ("XX.A..HH", 2, 4), ("XX.B..HN", 1, 2)]
    assert make_plan(archive(*rows), None, PREFERENCE) == make_plan(
        archive(*rows[::-1]), None, PREFERENCE
    )


def test_station_that_comes_later_has_its_place():
    known = inventory(("XX.A..HH", None, 2), ("XX.B..HH", 3, None), ("XX.C..HH", None, None))
    found = make_plan(archive(("XX.A..HH", 0, 2), ("XX.B..HH", 3, 6)), known, PREFERENCE)
    assert [str(s.station_id) for s in stations_of(found, known)] == ["XX.A", "XX.B"]


def test_station_stands_where_its_first_sensor_stood():
    before, after = inventory(("XX.A..BH", None, 3)), inventory(("XX.A..HH", 3, None))
    moved = [replace(channel, latitude=46.0) for channel in after.channels]
    known = Inventory.of([*before.channels, *moved])
    found = make_plan(archive(("XX.A..BH", 0, 3), ("XX.A..HH", 3, 6)), known, PREFERENCE)
    assert [s.latitude for s in stations_of(found, known)] == [45.0]
    (said,) = moves_of(found, known)
    assert said.startswith("XX.A stood 111.1 km elsewhere later; ")


def test_sensors_side_by_side_are_no_move():
    near = [replace(c, latitude=45.001) for c in inventory(("XX.A..HH", 3, None)).channels]
    known = Inventory.of([*inventory(("XX.A..BH", None, 3)).channels, *near])
    found = make_plan(archive(("XX.A..BH", 0, 3), ("XX.A..HH", 3, 6)), known, PREFERENCE)
    assert moves_of(found, known) == []
