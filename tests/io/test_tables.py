"""CSV files: written whole, read with clear complaints, the same after a round trip."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.io.examples import event, pick, unlocated
from zilzal.core.coverage import CoverageHour, Reason
from zilzal.core.errors import DataError, FormatError, StoreError
from zilzal.core.ids import ChannelId
from zilzal.core.pick import EvaluationMode
from zilzal.core.time import Time
from zilzal.io import tables
from zilzal.io.tables import CatalogueRow

HOUR = Time.parse("2019-07-07T08:00:00Z")


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def test_pick_is_written_as_stated(tmp_path: Path):
    file = tmp_path / "picks.csv"
    tables.write_picks(file, [pick()], {pick().id: "event/1"})
    header, line = (line.split(",") for line in _lines(file))
    assert dict(zip(header, line, strict=True)) == {
        "network": "CI", "station": "S000", "location": "10", "channel": "HHZ", "phase": "P",
        "time": "2019-07-07T08:02:18.414568Z", "probability": "0.7", "uncertainty_s": "0.3000",
        "amplitude_counts": "3.33333e+06", "snr": "1.41421", "onset": "impulsive",
        "polarity": "negative", "evaluation_mode": "automatic", "method": "neural",
        "model": "ab" * 32, "event_id": "event/1",
    }  # fmt: skip
    assert tuple(header) == tables.PICK_COLUMNS


def test_picks_come_back_to_the_decimals_of_the_file(tmp_path: Path):
    file, again = tmp_path / "picks.csv", tmp_path / "again.csv"
    bare = pick(2, amplitude_counts=None, snr=None, onset=None, polarity=None,
                evaluation_mode=EvaluationMode.MANUAL)  # fmt: skip
    tables.write_picks(file, [pick(0), pick(1), bare], {bare.id: "event/1"})
    found = list(tables.read_picks(file))
    assert [event_id for _, event_id in found] == ["", "", "event/1"]
    for (read, _), made in zip(found, [pick(0), pick(1), bare], strict=True):
        assert abs(read.time - made.time) <= 0.5e-6
        assert read.probability == pytest.approx(made.probability, rel=1e-5)
        assert read.provenance.model == made.provenance.model
        changed = {"time": read.time, "probability": read.probability,
                   "uncertainty_s": read.uncertainty_s, "amplitude_counts": read.amplitude_counts,
                   "snr": read.snr, "provenance": read.provenance}  # fmt: skip
        assert replace(made, **changed) == read
    tables.write_picks(again, [p for p, _ in found], {p.id: e for p, e in found})
    assert again.read_bytes() == file.read_bytes()


def test_catalogue_says_what_the_event_says(tmp_path: Path):
    file = tmp_path / "catalogue.csv"
    tables.write_catalogue(file, [event(), unlocated(1)])
    header, first, second = (line.split(",") for line in _lines(file))
    assert tuple(header) == tables.CATALOGUE_COLUMNS
    made = event().origin
    assert dict(zip(header, first, strict=True)) == {
        "event_id": "event/0000000000000000", "time": "2019-07-07T08:02:17.180000Z",
        "latitude": "35.858500", "longitude": "-117.667667", "depth_km": "6.6801",
        "magnitude": "2.590", "magnitude_type": "ML", "event_type": "quarry blast", "n_p": "2",
        "n_s": "2", "version": "1", "semi_major_km": "0.3011", "semi_minor_km": "0.1234",
        "ellipse_azimuth_deg": "77.7",
        "depth_uncertainty_km": f"{made.covariance[2, 2] ** 0.5 / 1000:.4f}",
        "time_uncertainty_s": f"{made.covariance[3, 3] ** 0.5:.4f}", "rms_s": "0.0333",
        "azimuthal_gap_deg": "77.1", "nearest_station_km": "3.3333", "quality": "B",
        "depth_fixed": "no", "magnitude_uncertainty": "0.033", "n_magnitude_stations": "1",
        "event_type_probability": "0.666667", "earth_model": "hadley-kanamori",
        "evaluation_mode": "automatic",
    }  # fmt: skip
    empty = dict(zip(header, second, strict=True))
    assert {name: cell for name, cell in empty.items() if cell} == {
        "event_id": "event/0000000000000001", "time": "2019-07-07T08:02:17.180000Z",
        "event_type": "not reported", "version": "1", "evaluation_mode": "automatic",
    }  # fmt: skip


def test_catalogue_is_read_back_as_rows(tmp_path: Path):
    file = tmp_path / "catalogue.csv"
    tables.write_catalogue(file, [event(), unlocated(1)])
    time = Time.parse("2019-07-07T08:02:17.180000Z")
    assert tables.read_catalogue(file) == [
        CatalogueRow(
            event_id="event/0000000000000000", time=time, latitude=35.8585,
            longitude=-117.667667, depth_m=pytest.approx(6680.1), magnitude=2.59,
            magnitude_type="ML", event_type="quarry blast",
        ),
        CatalogueRow(
            event_id="event/0000000000000001", time=time, latitude=None, longitude=None,
            depth_m=None, magnitude=None, magnitude_type="", event_type="not reported",
        ),
    ]  # fmt: skip


def test_reviewed_catalogue_is_read(shared: Path):
    rows = tables.read_catalogue(
        shared / "data" / "continuous" / "ridgecrest_2019-07-07" / "catalogue.csv"
    )
    assert len(rows) == 26
    assert rows[1] == CatalogueRow(
        event_id="ci38473511", time=Time.parse("2019-07-07T08:03:25.61Z"), latitude=36.086,
        longitude=-117.8508333, depth_m=1240.0, magnitude=3.68, magnitude_type="mw",
        event_type="earthquake",
    )  # fmt: skip


def test_arrivals_come_back_to_the_decimals_of_the_file(tmp_path: Path):
    file = tmp_path / "arrivals.csv"
    tables.write_arrivals(file, [event(0), unlocated(1), event(2)])
    found = list(tables.read_arrivals(file))
    assert [event_id for event_id, _ in found] == [event(0).id] * 4 + [event(2).id] * 4
    made = [a for e in (event(0), event(2)) for a in e.origin.arrivals]
    for (_, read), arrival in zip(found, made, strict=True):
        assert (read.pick_id, read.station_id, read.phase) == (
            arrival.pick_id, arrival.station_id, arrival.phase,
        )  # fmt: skip
        assert read.distance_m == pytest.approx(arrival.distance_m, abs=0.05)
        assert read.residual_s == pytest.approx(arrival.residual_s, abs=5e-5)
        assert (read.takeoff_angle_deg is None) == (arrival.takeoff_angle_deg is None)


def test_coverage_comes_back(tmp_path: Path):
    file = tmp_path / "coverage.csv"
    z, n = ChannelId("CI", "CCC", "", "HHZ"), ChannelId("CI", "CCC", "", "HHN")
    hours = [
        CoverageHour(n, HOUR, Reason.ANALYSED, 3600.0),
        CoverageHour(z, HOUR, Reason.ANALYSED, 3590.125),
        CoverageHour(z, HOUR, Reason.GAP, 9.875),
        CoverageHour(z, HOUR + 3600, Reason.DEAD, 3600.0),
    ]
    tables.write_coverage(file, hours)
    assert len(_lines(file)) == 4
    assert _lines(file)[2].startswith("CI,CCC,,HHZ,2019-07-07T08:00:00.000000Z,3590.125,9.875,0.0")
    assert tables.read_coverage(file) == hours


def test_files_are_written_as_values_come(tmp_path: Path):
    file = tmp_path / "picks.csv"

    def picks():
        for n in range(3_000):
            yield pick(n)
        part = next(tmp_path.iterdir())
        assert part.stat().st_size > 100_000

    tables.write_picks(file, picks())
    assert len(_lines(file)) == 3_001


def test_error_while_writing_leaves_the_old_file(tmp_path: Path):
    file = tmp_path / "picks.csv"
    tables.write_picks(file, [pick()])
    before = file.read_bytes()

    def broken():
        yield pick(1)
        raise RuntimeError("the source broke")

    with pytest.raises(RuntimeError, match="the source broke"):
        tables.write_picks(file, broken())
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


def test_folder_that_is_not_there_is_told(tmp_path: Path):
    with pytest.raises(StoreError, match=r"cannot write .*picks.csv: No such file .*check that"):
        tables.write_picks(tmp_path / "no" / "picks.csv", [])


def test_file_that_is_not_there_is_told(tmp_path: Path):
    with pytest.raises(DataError, match=r"cannot read .*none.csv: No such file"):
        tables.read_catalogue(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"line 1: no column event_id, time, latitude, longitude; .*found nothing"),
        ("time,latitude\n", r"line 1: no column event_id, longitude; "),
        ("event_id,time,latitude,longitude\na,noon,1,2\n",
         r"line 2, column time: 'noon'; expected a UTC time"),
        ("event_id,time,latitude,longitude\na,2019-07-07,1,2\n\nb,2019-07-07,north,2\n",
         r"line 4, column latitude: 'north'; expected a number"),
        ("event_id,time,latitude,longitude\na,2019-07-07,95,2\n",
         r"line 2, column latitude: '95'; expected a number from -90 to 90"),
        ("event_id,time,latitude,longitude\na,2019-07-07,5,\n",
         r"line 2, column longitude: ''; expected a number"),
        ("event_id,time,latitude,longitude,magnitude\na,2019-07-07,5,1,nan\n",
         r"line 2, column magnitude: 'nan'; expected a finite number"),
        ("event_id,time,latitude,longitude\na,2019-07-07,5\n",
         r"line 2: 3 cells; expected 4 as in the header"),
    ],
)  # fmt: skip
def test_wrong_cell_is_named(tmp_path: Path, content: str, message: str):
    file = tmp_path / "catalogue.csv"
    file.write_text(content)
    with pytest.raises(FormatError, match=message):
        tables.read_catalogue(file)


def test_file_that_is_no_text_is_told(tmp_path: Path):
    file = tmp_path / "catalogue.csv"
    file.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(FormatError, match="not a CSV file in UTF-8"):
        tables.read_catalogue(file)


def test_table_of_a_spreadsheet_is_read(tmp_path: Path):
    file = tmp_path / "catalogue.csv"
    file.write_bytes(
        b"\xef\xbb\xbf longitude , time,latitude,event_id\r\n2.5,2019-07-07, 1.5 ,a\r\n"
    )
    assert tables.read_catalogue(file) == [
        CatalogueRow(event_id="a", time=Time.parse("2019-07-07"), latitude=1.5, longitude=2.5,
                     depth_m=None, magnitude=None)
    ]  # fmt: skip


def test_phase_that_is_not_known_is_told(tmp_path: Path):
    file = tmp_path / "picks.csv"
    tables.write_picks(file, [pick()])
    file.write_text(file.read_text().replace(",P,", ",X,"))
    with pytest.raises(FormatError, match="column phase: 'X'; expected one of P, S"):
        list(tables.read_picks(file))
