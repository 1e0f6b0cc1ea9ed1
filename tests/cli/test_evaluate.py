"""`zilzal evaluate catalogue`: on catalogues whose differences were written by hand."""

import json
import re

import pytest

REFERENCE = """event_id,time,latitude,longitude,depth_km,magnitude
a,2020-01-01T00:00:00Z,40.0,20.0,5.0,1.0
b,2020-01-01T01:00:00Z,40.0,20.0,6.0,2.0
c,2020-01-01T02:00:00Z,40.0,20.0,7.0,3.0
d,2020-01-01T03:00:00Z,40.0,20.0,8.0,4.0
"""
# a: half a second late, 0.01 degrees north (1.112 km), 1 km deeper, 0.1 larger;
# b: one second early, 0.02 degrees north, 2 km shallower, 0.3 smaller;
# c: a quarter of a second late, at the place, 0.5 km deeper, no magnitude;
# d is missing; x and y are too many: y is 5 s from d.
RESULT = """event_id,time,latitude,longitude,depth_km,magnitude
1,2020-01-01T00:00:00.5Z,40.01,20.0,6.0,1.1
2,2020-01-01T00:59:59Z,40.02,20.0,4.0,1.7
3,2020-01-01T02:00:00.25Z,40.0,20.0,7.5,
x,2020-01-01T02:30:00Z,40.0,20.0,7.5,1.0
y,2020-01-01T03:00:05Z,40.0,20.0,8.0,4.0
"""


@pytest.fixture
def catalogues(tmp_path):
    paths = tmp_path / "reference.csv", tmp_path / "result.csv"
    for path, text in zip(paths, (REFERENCE, RESULT), strict=True):
        path.write_text(text)
    return paths


def test_numbers_are_those_written_by_hand(call, catalogues, tmp_path):
    said = call("evaluate", "catalogue", *catalogues, "--json", tmp_path / "out.json")
    assert "3 of 4 reference events found (recall 0.750" in said
    assert "1 missed, 2 extra" in said
    assert re.search(r"missed 2020-01-01T03:00:00.000000Z  M 4.00  d", said)
    assert "extra 2020-01-01T02:30:00.000000Z  M 1.00  x" in said
    told = json.loads((tmp_path / "out.json").read_text())
    assert (told["matched"], told["missed"], told["extra"]) == (3, ["d"], ["x", "y"])
    assert told["recall"][0] == 0.75
    assert told["recall"][1] < 0.75 < told["recall"][2]
    times, depths = told["time_s"], told["depth_m"]
    assert (times["pairs"], times["median"], times["median_absolute"]) == (3, 0.25, 0.5)
    assert (depths["median"], depths["median_absolute"]) == (500.0, 1000.0)
    assert told["epicentral_m"]["median"] == pytest.approx(1_110, abs=5)
    assert told["magnitude"]["pairs"] == 2
    assert told["magnitude"]["median"] == pytest.approx(-0.1)
    assert told["magnitude"]["median_absolute"] == pytest.approx(0.2)


def test_of_many_events_of_one_catalogue_the_largest_are_shown(call, catalogues, tmp_path):
    long = tmp_path / "long.csv"
    more = (f"m{n},2020-01-02T00:{n:02}:00Z,40.0,20.0,5.0,{n / 10}" for n in range(50))
    long.write_text(RESULT + "\n".join(more))
    said = call("evaluate", "catalogue", catalogues[0], long, "--json", tmp_path / "j")
    shown = re.findall(r"extra \S+  M \S+  (\w+)", said)
    assert shown == ["y", *(f"m{n}" for n in range(21, 50))]
    assert "extra: 22 smaller ones; --json has them all" in said
    assert len(json.loads((tmp_path / "j").read_text())["extra"]) == 52


def test_catalogues_without_a_common_event_have_no_differences(call, catalogues, tmp_path):
    (tmp_path / "none.csv").write_text(REFERENCE.replace("2020", "1999"))
    said = call("evaluate", "catalogue", catalogues[0], tmp_path / "none.csv")
    assert "0 of 4" in said
    assert row(said, "depth [km]")[1:] == ["0", "-", "-", "-", "-"]


def row(said: str, name: str) -> list[str]:
    (line,) = [line for line in said.splitlines() if name in line]
    return [cell.strip() for cell in re.split("[│|]", line)[1:-1]]


def test_table_has_people_s_units(call, catalogues):
    said = call("evaluate", "catalogue", *catalogues)
    assert row(said, "depth [km]")[1:4] == ["3", "+0.500", "1.000"]
    assert row(said, "origin time [s]")[1:4] == ["3", "+0.250", "0.500"]
    assert row(said, "epicentre [km]")[1] == "3"


def test_tolerances_decide_what_is_found(call, catalogues):
    assert "4 of 4" in call("evaluate", "catalogue", *catalogues, "--time-s", 6)
    assert "2 of 4" in call("evaluate", "catalogue", *catalogues, "--time-s", 0.6)
    assert "2 of 4" in call("evaluate", "catalogue", *catalogues, "--distance-km", 2)


def test_catalogue_equals_itself(call, catalogues, tmp_path):
    said = call("evaluate", "catalogue", catalogues[0], catalogues[0], "--json", tmp_path / "j")
    assert "4 of 4" in said
    assert json.loads((tmp_path / "j").read_text())["time_s"]["median_absolute"] == 0.0


def test_quakeml_and_csv_of_one_run_are_the_same(call, short_run):
    output = short_run.output
    said = call("evaluate", "catalogue", output / "catalogue.csv", output / "catalogue.xml")
    assert "2 of 2" in said
    assert row(said, "origin time [s]")[2] in ("+0.000", "-0.000")


def test_nothing_in_common_is_told(call, catalogues, tmp_path):
    other = tmp_path / "other.csv"
    other.write_text(REFERENCE.replace("2020", "2021"))
    said = call("evaluate", "catalogue", catalogues[0], other, "--json", tmp_path / "out.json")
    assert "0 of 4 reference events found" in said
    told = json.loads((tmp_path / "out.json").read_text(), parse_constant=pytest.fail)
    assert told["time_s"] == {"pairs": 0, "median": None, "median_absolute": None, "mad": None}


def test_empty_catalogue_is_told(call, catalogues, tmp_path):
    empty = tmp_path / "empty.csv"
    empty.write_text(REFERENCE.splitlines()[0] + "\n")
    assert "0 of 4" in call("evaluate", "catalogue", catalogues[0], empty)
    assert "0 of 0" in call("evaluate", "catalogue", empty, catalogues[1])


def test_missing_file_is_refused(refuse, catalogues, tmp_path):
    for name in ("none.csv", "none.xml"):
        assert name in refuse("evaluate", "catalogue", catalogues[0], tmp_path / name)


def test_wrong_cell_is_named(refuse, catalogues, tmp_path):
    wrong = tmp_path / "wrong.csv"
    wrong.write_text(REFERENCE.replace("40.0", "forty", 1))
    said = refuse("evaluate", "catalogue", catalogues[0], wrong)
    assert "FormatError: " in said
    assert "line 2" in said
    assert "latitude" in said


def test_json_that_cannot_be_written_is_refused(refuse, catalogues, tmp_path):
    path = tmp_path / "none" / "out.json"
    said = refuse("evaluate", "catalogue", *catalogues, "--json", path)
    assert f"cannot write {path}" in said
