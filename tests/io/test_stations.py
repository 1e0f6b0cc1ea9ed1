"""Inventories: StationXML against ObsPy's evalresp, tables of stations, round trips."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

import numpy as np
import pytest

from zilzal.core.errors import FormatError, InventoryError
from zilzal.core.ids import ChannelId
from zilzal.core.station import Channel, GroundMotion, Inventory, Response
from zilzal.core.time import Time
from zilzal.io.inventory import read_inventory, write_inventory
from zilzal.io.station_csv import read_station_csv
from zilzal.io.stationxml import read_stationxml, response_of

HEADER = "network,station,location,channel,latitude,longitude,elevation_m"


def wheel(*parts) -> Path:
    import obspy

    return Path(obspy.__file__).parent.joinpath(*parts)


def transfer(response, frequency_hz):
    """The transfer function as `core.station.Response` defines it."""

    def shape(f):
        s = 2j * np.pi * np.asarray(f, complex)
        top = np.prod([s - z for z in response.zeros], axis=0) if response.zeros else 1
        bottom = np.prod([s - p for p in response.poles], axis=0) if response.poles else 1
        return top / bottom

    scale = 1 / np.abs(shape(response.frequency_hz))
    return response.sensitivity * scale * shape(frequency_hz) * np.ones(len(frequency_hz))


def obspy_channels(path):
    import obspy

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for network in obspy.read_inventory(str(path)):
            for station in network:
                yield from ((f"{network.code}.{station.code}.{c.code}", c) for c in station)


@pytest.mark.parity
@pytest.mark.parametrize(
    ("file", "codes"),
    [
        (("core", "data", "BW_GR_misc.xml"), {"GR.FUR.HHZ", "GR.WET.BHN", "BW.RJOB.EHZ"}),
        (("io", "arclink", "tests", "data", "station_afc.xml"), {"BE.BEBN.HHZ"}),
    ],
)
def test_response_is_that_of_evalresp(file, codes):
    """Where digital filters are flat: modulus and phase to 0.1 % up to 0.8 Nyquist."""
    seen = set()
    for code, channel in obspy_channels(wheel(*file)):
        stages = channel.response.response_stages if channel.response else []
        kinds = {type(s).__name__ for s in stages}
        # Those with filters differ by the filters' droop; see the next test.
        if code in codes and code not in seen and "FIRResponseStage" not in kinds:
            seen.add(code)
            nyquist_hz = channel.sample_rate / 2
            frequency_hz = np.geomspace(nyquist_hz / 1000, 0.8 * nyquist_hz, 80)
            expected = channel.response.get_evalresp_response_for_frequencies(
                frequency_hz, output="DEF"
            )
            got = transfer(response_of(channel.response), frequency_hz)
            assert np.abs(np.abs(got / expected) - 1).max() < 1e-3, code
            assert np.abs(np.angle(got / expected)).max() < 1e-3, code
    assert seen == codes


@pytest.mark.parity
@pytest.mark.parametrize(
    "file", ["AU.MEEK.xml", "IU_ANMO_00_BHZ.xml", "IU_ULN_00_LH1.xml", "G_CAN__LHZ.xml"]
)
def test_analog_part_is_that_of_evalresp_with_filters_left_out(file):
    for code, channel in obspy_channels(wheel("core", "tests", "data", file)):
        stages = channel.response.response_stages
        analog = sum(hasattr(s, "poles") for s in stages)
        rest = np.prod([s.stage_gain for s in stages[analog:]])
        nyquist_hz = channel.sample_rate / 2
        frequency_hz = np.geomspace(nyquist_hz / 1000, 0.8 * nyquist_hz, 80)
        expected = rest * channel.response.get_evalresp_response_for_frequencies(
            frequency_hz, output="DEF", start_stage=1, end_stage=analog
        )
        got = transfer(response_of(channel.response), frequency_hz)
        # A file's own normalisation constant may be off by rounding; evalresp uses it, we do not.
        assert np.abs(np.abs(got / expected) - 1).max() < 2e-3, code


def test_poles_in_hertz_are_converted():
    from obspy.core.inventory import InstrumentSensitivity, PolesZerosResponseStage
    from obspy.core.inventory import Response as ObspyResponse

    stage = PolesZerosResponseStage(
        1, 1500.0, 1.0, "M/S", "V", "LAPLACE (HERTZ)", 1.0, [0j, 0j], [-0.7 + 0.7j, -0.7 - 0.7j]
    )
    sensitivity = InstrumentSensitivity(1500.0, 1.0, "M/S", "V")
    whole = ObspyResponse(instrument_sensitivity=sensitivity, response_stages=[stage])
    found = response_of(whole)
    assert found.poles[0] == pytest.approx(2 * np.pi * (-0.7 + 0.7j))
    assert abs(transfer(found, np.array([1.0]))[0]) == pytest.approx(1500)


@pytest.mark.parametrize(
    ("unit", "motion", "factor"),
    [
        ("M/S", GroundMotion.VELOCITY, 1),
        ("m/s**2", GroundMotion.ACCELERATION, 1),
        ("M/(S**2)", GroundMotion.ACCELERATION, 1),
        ("CM/S/S", GroundMotion.ACCELERATION, 100),
        ("NM/S", GroundMotion.VELOCITY, 1e9),
        ("M", GroundMotion.DISPLACEMENT, 1),
    ],
)
def test_units_are_brought_to_metres(unit, motion, factor):
    from obspy.core.inventory import InstrumentSensitivity
    from obspy.core.inventory import Response as ObspyResponse

    sensitivity = InstrumentSensitivity(400.0, 1.0, unit, "COUNTS")
    found = response_of(ObspyResponse(instrument_sensitivity=sensitivity))
    assert found.ground_motion is motion
    assert found.sensitivity == pytest.approx(400 * factor)
    assert found.is_flat


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("IM_I53H1_BDF.xml", "'PA', not of ground motion"),
        ("IM_IL31__BHZ.xml", "ResponseListResponseStage"),
    ],
)
def test_unusable_response_is_none_and_logged(file, reason, caplog):
    with caplog.at_level(logging.WARNING):
        inventory = read_stationxml(wheel("core", "tests", "data", file))
    assert [c.response for c in inventory.channels] == [None]
    assert reason in caplog.text


def test_channel_without_coordinates_is_left_out_and_logged(caplog):
    path = wheel("io", "stationxml", "tests", "data", "channel_without_coordinates.xml")
    with caplog.at_level(logging.WARNING):
        inventory = read_stationxml(path)
    assert len(inventory.channels) == sum(1 for _ in obspy_channels(path))
    assert "does not have a complete set of coordinates" in caplog.text


@pytest.mark.parametrize(
    ("folder", "n_channels", "n_stations", "n_without"),
    [
        ("anza_1998-01-01", 9, 3, 0),
        ("mesetas_2019-12-24", 18, 6, 0),
        ("ridgecrest_2019-07-07", 66, 22, 6),
    ],
)
def test_real_inventories_load(shared, folder, n_channels, n_stations, n_without):
    inventory = read_inventory(shared / "data/continuous" / folder)
    assert len(inventory.channels) == n_channels
    assert len(inventory.stations()) == n_stations
    assert sum(c.response is None for c in inventory.channels) == n_without
    assert all(c.response is None or c.response.is_flat for c in inventory.channels)


def made_inventory():
    velocity = Response(
        sensitivity=-6.3e8,
        ground_motion=GroundMotion.VELOCITY,
        frequency_hz=0.5,
        poles=(-0.0370024 + 0.0370024j, -0.0370024 - 0.0370024j, -251.33 + 0j),
        zeros=(0j, 0j),
    )
    flat = Response(sensitivity=427_000.0, ground_motion=GroundMotion.ACCELERATION)
    first = {"latitude": 35.52495, "longitude": -117.36453, "elevation_m": 670.0}
    second = {"latitude": -1.5, "longitude": 179.999, "elevation_m": -12.25, "depth_m": 87.5}
    change = Time.parse("2019-07-05T12:00:00.123456Z")

    def channel(code, place, **more):
        return Channel(channel_id=ChannelId.parse(code), **place, **more)

    return Inventory.of(
        [
            channel("CI.CCC..HHZ", first, dip_deg=-90.0, azimuth_deg=0.0, end=change - 1),
            channel("CI.CCC..HHZ", first, response=velocity, sampling_rate=100.0, start=change),
            channel("CI.CCC..HNZ", first, response=flat, sampling_rate=200.0),
            channel("PB.B9.10.EH1", second, azimuth_deg=344.5, dip_deg=0.0, response=velocity),
        ]
    )


@pytest.mark.parametrize("name", ["stations.xml", "stations.csv"])
def test_inventory_survives_writing_and_reading(tmp_path, name):
    inventory = made_inventory()
    write_inventory(inventory, tmp_path / name)
    assert read_inventory(tmp_path / name) == inventory


@pytest.mark.parity
def test_written_stationxml_evaluates_alike_in_obspy(tmp_path):
    inventory = made_inventory()
    write_inventory(inventory, tmp_path / "a.xml")
    frequency_hz = np.geomspace(0.01, 40, 30)
    compared = 0
    for (_, channel), ours in zip(
        obspy_channels(tmp_path / "a.xml"), inventory.channels, strict=True
    ):
        if ours.response is not None:
            theirs = channel.response.get_evalresp_response_for_frequencies(
                frequency_hz, output="DEF"
            )
            assert np.allclose(theirs, transfer(ours.response, frequency_hz), rtol=1e-6)
            compared += 1
    assert compared == 3


def test_band_stands_for_its_channels(tmp_path):
    path = tmp_path / "stations.csv"
    path.write_text(f"{HEADER},sensitivity\nCI,CCC,,HH,35.5,-117.4,670,6.3e8\n")
    inventory = read_station_csv(path)
    assert [c.channel_id.channel for c in inventory.channels] == ["HH1", "HH2", "HHE", "HHN", "HHZ"]
    response = inventory.channels[0].response
    assert response is not None
    assert (response.sensitivity, response.ground_motion.value) == (6.3e8, "M/S")


def test_columns_in_any_order_with_byte_order_mark_and_blank_lines(tmp_path):
    path = tmp_path / "stations.csv"
    path.write_text(
        "\ufeffchannel, station,network,location,elevation_m,longitude,latitude\n"
        "\nHHZ, CCC,CI,,670,-117.4,35.5\n,,,,,,\n",
        encoding="utf-8",
    )
    (channel,) = read_station_csv(path).channels
    assert str(channel.channel_id) == "CI.CCC..HHZ"
    assert (channel.latitude, channel.response) == (35.5, None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("station,latitude,longitude\nA,1,2\n", "line 1: columns missing 'network'"),
        (f"{HEADER},gain\n", "line 1: columns unknown 'gain'"),
        (f"{HEADER}\nCI,A,,HHZ,north,1,2\n", "line 2: latitude 'north' is not a number"),
        (f"{HEADER}\nCI,A,,HHZ,1,1,2\nCI,B,,HHZ,91,1,2\n", "line 3: latitude is 91; expected -90"),
        (f"{HEADER}\nCI,A,,HHZ,,1,2\n", "line 2: latitude is empty"),
        (f"{HEADER}\nCI,A,,HHZ,1,1,670km\n", "line 2: elevation_m '670km'"),
        (f"{HEADER}\nCI,,,HHZ,1,1,2\n", "line 2: station is ''"),
        (f"{HEADER}\nCI,A,,H,1,1,2\n", "line 2: station is 'A' and channel 'H'"),
        (
            f"{HEADER}\nCI,A,,HHZ,1,1,2\nCI,A,,HHZ,1,1,3\n",
            "line 3: CI.A..HHZ is given again; line 2",
        ),
        (f"{HEADER}\nCI,A,,HHZ,1,1,2,3\n", "line 2: more values than columns"),
        (f"{HEADER},azimuth_deg\nCI,A,,HH,1,1,2,30\n", "line 2: azimuth_deg and dip_deg belong"),
        (f"{HEADER},sensitivity\nCI,A,,HH,1,1,2,0\n", "line 2: sensitivity is 0"),
        (f"{HEADER},sensitivity,unit\nCI,A,,HH,1,1,2,9,V\n", "line 2: unit is 'V'"),
        (f"{HEADER},start\nCI,A,,HH,1,1,2,soon\n", "line 2: start is not a UTC time"),
        (f"{HEADER},sensitivity,poles\nCI,A,,HH,1,1,2,9,x\n", "line 2: poles 'x'"),
    ],
)
def test_wrong_table_names_file_line_and_remedy(tmp_path, text, message):
    path = tmp_path / "stations.csv"
    path.write_text(text)
    with pytest.raises(FormatError) as caught:
        read_inventory(path)
    assert str(caught.value).startswith(f"{path}, {message}")


def test_several_files_join_and_the_later_one_counts(tmp_path, caplog):
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text(f"{HEADER}\nCI,A,,HHZ,1,1,2\nCI,B,,HHZ,1,1,2\n")
    second.write_text(f"{HEADER}\nCI,B,,HHZ,1.5,1,2\n")
    with caplog.at_level(logging.WARNING):
        inventory = read_inventory([first, second])
    assert [c.latitude for c in inventory.channels] == [1, 1.5]
    assert "describes CI.B..HHZ anew" in caplog.text


def test_folder_is_searched_and_other_files_are_passed_over(tmp_path):
    (tmp_path / "events.csv").write_text("time,latitude,longitude\n2020-01-01,1,2\n")
    (tmp_path / "quake.xml").write_text("<q:quakeml/>")
    (tmp_path / "stations.csv").write_text(f"{HEADER}\nCI,A,,HHZ,1,1,2\n")
    write_inventory(made_inventory(), tmp_path / "more.xml")
    assert len(read_inventory(tmp_path).channels) == 5


def test_nothing_found_is_an_error(tmp_path):
    with pytest.raises(InventoryError, match="no stations"):
        read_inventory(tmp_path)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        read_inventory(tmp_path / "nowhere.xml")
    (tmp_path / "a.xml").write_text("<broken")
    with pytest.raises(FormatError, match=r"a\.xml"):
        read_inventory(tmp_path / "a.xml")
