"""The FDSN web services, asked by ObsPy's client and by hand."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest
from obspy import UTCDateTime, read
from obspy.clients.fdsn import Client
from obspy.clients.fdsn.header import FDSNNoDataException

from tests.app.short import Ran
from tests.web.conftest import Served
from zilzal.app.synthetic import Synthetic
from zilzal.core.event import Origin
from zilzal.core.time import Time
from zilzal.io.archive import Archive

START, END = UTCDateTime("2024-03-05T11:58:30Z"), UTCDateTime("2024-03-05T11:59:30Z")


@pytest.fixture(scope="module")
def client(console: Served) -> Client:
    return Client(console.address)


def ask(console: Served, path: str, status: int = 200, **query):
    answer = console.client.get(f"/fdsnws/{path}", params=query)
    assert answer.status_code == status, answer.text
    return answer


def test_client_discovers_all_services(client: Client):
    assert {"event", "station", "dataselect"} <= set(client.services)
    assert client.services["available_event_catalogs"] == {"zilzal"}
    assert client.get_webservice_version("event") == [1, 2, 0]
    assert "minmagnitude" in client.services["event"]
    assert "level" in client.services["station"]


def test_events_come_back_as_they_were_found(client: Client, short_run: Ran):
    found = client.get_events(
        starttime=UTCDateTime("2024-03-05"), endtime=UTCDateTime("2024-03-06"),
        includearrivals=True, orderby="time-asc",
    )  # fmt: skip
    assert len(found) == 2
    for theirs, ours in zip(found, short_run.events, strict=True):
        assert theirs.resource_id.id.endswith(ours.id)
        assert isinstance(ours.origin, Origin)
        assert theirs.preferred_origin().latitude == pytest.approx(ours.origin.latitude)
        assert abs(theirs.preferred_origin().time.ns - ours.origin.time.ns) <= 1_000
        assert len(theirs.preferred_origin().arrivals) == len(ours.origin.arrivals)
        assert len(theirs.picks) == len(ours.picks)
        assert theirs.preferred_magnitude().mag == pytest.approx(ours.magnitude.magnitude)


def test_arrivals_stay_away_unless_asked_for(client: Client):
    found = client.get_events(minmagnitude=0)
    assert all(not event.picks and not event.origins[0].arrivals for event in found)


def test_event_is_found_by_its_id(client: Client, short_run: Ran):
    wanted = short_run.events[1].id
    found = client.get_events(eventid=wanted)
    assert [e.resource_id.id.rpartition("/")[2] for e in found] == [wanted]


def test_circle_and_magnitude_select_events(client: Client, short_run: Ran):
    origin = short_run.events[0].origin
    assert isinstance(origin, Origin)
    near = client.get_events(latitude=origin.latitude, longitude=origin.longitude, maxradius=0.01)
    assert len(near) == 1
    with pytest.raises(FDSNNoDataException):
        client.get_events(minmagnitude=9)


def test_event_text_has_the_fields_of_the_specification(console: Served):
    lines = ask(console, "event/1/query", format="text").text.splitlines()
    rows = list(csv.DictReader(lines, delimiter="|"))
    assert len(rows) == 2
    assert list(rows[0])[:5] == ["#EventID", "Time", "Latitude", "Longitude", "Depth/km"]
    assert rows[0]["Time"] > rows[1]["Time"]
    assert rows[0]["MagType"] == "ML"


def test_event_geojson_is_the_usgs_kind(console: Served, short_run: Ran):
    content = ask(console, "event/1/query", format="geojson", orderby="time-asc").json()
    assert content["type"] == "FeatureCollection"
    first = content["features"][0]
    assert first["geometry"]["coordinates"][2] == pytest.approx(
        short_run.events[0].origin.depth_m / 1000, abs=1e-3
    )
    assert abs(first["properties"]["time"] - short_run.events[0].origin.time.ns / 1e6) <= 1
    assert first["properties"]["status"] == "automatic"


def test_feed_holds_what_is_recent(console: Served):
    answer = console.client.get("/feed/v1.0/summary/all_day.geojson")
    assert answer.json()["features"] == []
    assert console.client.get("/feed/v1.0/summary/all_year.geojson").status_code == 422


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("event/1/query", {"minmagnitude": "x"}, 400),
        ("event/1/query", {"nonsense": "1"}, 400),
        ("event/1/query", {"latitude": "47"}, 400),
        ("event/1/query", {"start": "2024-01-02", "end": "2024-01-01"}, 400),
        ("event/1/query", {"limit": "100000"}, 400),
        ("event/1/query", {"format": "pdf"}, 400),
        ("event/1/query", {"eventid": "none"}, 204),
        ("event/1/query", {"eventid": "none", "nodata": "404"}, 404),
        ("event/1/query", {"catalog": "ISC"}, 204),
        ("station/1/query", {"net": "XX"}, 204),
        ("station/1/query", {"net": "XX", "nodata": "404"}, 404),
        ("station/1/query", {"level": "all"}, 400),
        ("station/1/query", {"sta": "A;DROP TABLE pick"}, 400),
        ("dataselect/1/query", {"net": "SY"}, 400),
        ("dataselect/1/query", {"start": "2020-01-01", "end": "2020-01-02"}, 204),
        ("dataselect/1/query", {"start": "2020-01-01", "end": "2020-01-02", "nodata": "404"}, 404),
        ("dataselect/1/query", {"start": "1990-01-01", "end": "2030-01-01"}, 413),
        ("dataselect/1/query", {"start": "2024-03-05", "end": "2024-03-06", "sta": "../../*"}, 400),
        ("availability/1/extent", {"sta": "NONE"}, 204),
        ("availability/1/query", {"mergegaps": "-1"}, 400),
    ],
)  # fmt: skip
def test_errors_are_told_as_specified(console: Served, path, query, status):
    answer = ask(console, path, status, **query)
    if status == 204:
        assert answer.content == b""
    else:
        assert answer.headers["content-type"].startswith("text/plain")
        assert answer.text.startswith(f"Error {status}: ")
        for part in ("Usage details are available from", "Request:", "Service version:"):
            assert part in answer.text


@pytest.mark.parametrize("level", ["network", "station", "channel", "response"])
def test_stations_come_at_each_level(client: Client, short: Synthetic, level):
    found = client.get_stations(network="SY", level=level)
    assert [network.code for network in found] == ["SY"]
    stations = found[0].stations
    if level == "network":
        assert stations == []
        return
    assert len(stations) == 6
    ours = {s.station_id.station: s for s in short.network.inventory.stations()}
    assert stations[0].latitude == pytest.approx(ours[stations[0].code].latitude)
    channels = [channel for station in stations for channel in station]
    assert len(channels) == (0 if level == "station" else 18)
    if level == "response":
        assert all(channel.response.response_stages for channel in channels)


@pytest.mark.parametrize("level", ["network", "station", "channel"])
def test_station_text_is_read_by_the_client(client: Client, console: Served, level):
    text = ask(console, "station/1/query", format="text", level=level).text
    assert text.splitlines()[0].startswith("#Network|")
    found = client.get_stations(level=level, format="text")
    assert found[0].code == "SY"
    assert len(found[0]) == (0 if level == "network" else 6)


def test_station_codes_and_places_select(client: Client):
    some = client.get_stations(station="S0?,NONE", channel="*Z", level="channel")
    assert all(c.code == "HHZ" for station in some[0] for c in station)
    first = some[0][0]
    near = client.get_stations(
        latitude=first.latitude, longitude=first.longitude, maxradius=0.001, level="station"
    )
    assert [s.code for s in near[0]] == [first.code]
    bulk = client.get_stations_bulk([("SY", first.code, "*", "HHN", START, END)], level="channel")
    assert [c.code for c in bulk[0][0]] == ["HHN"]


def test_waveforms_are_the_samples_of_the_archive(client: Client, short: Synthetic):
    found = client.get_waveforms("SY", "S0*", "*", "HHZ", START, END)
    found.trim(START, END)
    archive = Archive.open(short.waveforms)
    wanted = [c for c in archive.channel_ids() if c.channel == "HHZ"]
    assert sorted(trace.id for trace in found) == [str(c) for c in wanted]
    for trace in found:
        channel = next(c for c in wanted if str(c) == trace.id)
        ours = archive.read(channel, Time(START.ns), Time(END.ns) + 0.01)[0]
        assert np.array_equal(trace.data, ours.samples)


def test_bulk_gives_each_line(client: Client):
    lines = [("SY", "S01", "", "HHZ", START, END), ("SY", "S02", "*", "HH?", START, START + 10)]
    found = client.get_waveforms_bulk(lines)
    assert {trace.id for trace in found} >= {"SY.S01..HHZ", "SY.S02..HHE"}
    assert "SY.S01..HHE" not in {trace.id for trace in found}


def test_longest_stretch_alone(console: Served):
    query = {"net": "SY", "sta": "S01", "cha": "HHZ", "start": str(START), "end": str(END)}
    whole = ask(console, "dataselect/1/query", **query, longestonly="true")
    assert len(read(io.BytesIO(whole.content))) == 1
    ask(console, "dataselect/1/query", 204, **query, minimumlength="100000")


def test_availability_says_from_when_to_when(console: Served, short: Synthetic):
    archive = Archive.open(short.waveforms)
    span = archive.span()
    lines = ask(console, "availability/1/extent", net="SY").text.splitlines()
    assert lines[0].split() == [
        "#Network", "Station", "Location", "Channel", "Quality", "SampleRate", "Earliest", "Latest",
    ]  # fmt: skip
    assert len(lines) == 1 + len(archive.channel_ids())
    *codes, start, end = lines[1].split()
    assert codes == ["SY", "S01", "--", "HHE", "D", "50.0"]
    assert Time.parse(start) >= span[0] - 1e-3
    assert Time.parse(end) <= span[1] + 1e-3
    content = json.loads(ask(console, "availability/1/query", sta="S01", format="json").text)
    assert content["datasources"][0]["timespans"]
    request = ask(console, "availability/1/query", sta="S01", format="request").text
    body = request.encode()
    answer = console.client.post("/fdsnws/dataselect/1/query", content=body)
    assert len(read(io.BytesIO(answer.content))) == 3


@pytest.mark.parametrize("body", ["", "nonsense", "quality=B", "A B C", "SY * * * noon later"])
def test_wrong_bodies_are_refused(console: Served, body):
    answer = console.client.post("/fdsnws/dataselect/1/query", content=body.encode())
    assert answer.status_code == 400
