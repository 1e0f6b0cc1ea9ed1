"""fdsnws-station 1.1: station metadata as StationXML or text."""

from __future__ import annotations

from fastapi import Response

from zilzal.app.display.holdings import Holdings
from zilzal.io.fdsn_station import ChannelSelector, Level, StationMetadata, StationQuery
from zilzal.web.fdsn import parameters as take
from zilzal.web.fdsn.parameters import Given, Parameter, bad_request, check_ring, check_times
from zilzal.web.fdsn.service import Method, Service, split_body

CODES = (
    take.codes("network", "net"),
    take.codes("station", "sta"),
    take.codes("location", "loc"),
    take.codes("channel", "cha"),
)
TIMES = (take.time("starttime", "start"), take.time("endtime", "end"))

_OTHERS: tuple[Parameter, ...] = (
    take.time("startbefore"),
    take.time("startafter"),
    take.time("endbefore"),
    take.time("endafter"),
    take.real("minlatitude", "minlat", low=-90, high=90, default=-90.0),
    take.real("maxlatitude", "maxlat", low=-90, high=90, default=90.0),
    take.real("minlongitude", "minlon", low=-180, high=180, default=-180.0),
    take.real("maxlongitude", "maxlon", low=-180, high=180, default=180.0),
    take.real("latitude", "lat", low=-90, high=90),
    take.real("longitude", "lon", low=-180, high=180),
    take.real("minradius", low=0, high=180, default=0.0),
    take.real("maxradius", low=0, high=180, default=180.0),
    take.choice("level", *Level, default=Level.STATION),
    take.flag("includerestricted", default=True),
    take.flag("includeavailability"),
    take.flag("matchtimeseries"),
    take.time("updatedafter"),
    take.choice("format", "xml", "text"),
    take.nodata(),
)
PARAMETERS = (*TIMES, *CODES, *_OTHERS)


def query(held: Holdings, given: Given, _base: str) -> Response | None:
    """Metadata of a selection."""
    check_times(given)
    return _answer(held, given, (selector_of(given),))


def post(held: Holdings, body: str) -> tuple[Given, Response | None]:
    """Metadata of several selections."""
    pairs, lines = split_body(body)
    given = take.read_parameters(_OTHERS, pairs)
    return given, _answer(held, given, tuple(selector_of_line(line) for line in lines))


def selector_of(given: Given) -> ChannelSelector:
    """Codes and times of a GET."""
    return ChannelSelector(
        network=given["network"],
        station=given["station"],
        location=given["location"],
        channel=given["channel"],
        start=given["starttime"],
        end=given["endtime"],
    )


def selector_of_line(fields: list[str]) -> ChannelSelector:
    """Codes and times of a POST's line; `*` leaves a time open.

    Raises:
        Refused: a field is wrong.
    """
    *names, start, end = fields
    pairs = list(zip(("network", "station", "location", "channel"), names, strict=True))
    pairs += [(n, t) for n, t in (("starttime", start), ("endtime", end)) if t != "*"]
    given = take.read_parameters((*TIMES, *CODES), pairs)
    check_times(given)
    return selector_of(given)


def _answer(
    held: Holdings, given: Given, selectors: tuple[ChannelSelector, ...]
) -> Response | None:
    check_ring(given)
    level = Level(given["level"])
    if given["includeavailability"] or given["matchtimeseries"]:
        raise bad_request("includeavailability and matchtimeseries are not served; ask "
                          "/fdsnws/availability/1/")  # fmt: skip
    if given["format"] == "text" and level is Level.RESPONSE:
        raise bad_request("format=text has no level=response; take channel, or format=xml")
    if not held.inventory_paths:
        return None
    wanted = StationQuery(
        selectors=selectors,
        start_before=given["startbefore"],
        start_after=given["startafter"],
        end_before=given["endbefore"],
        end_after=given["endafter"],
        south=given["minlatitude"],
        north=given["maxlatitude"],
        west=given["minlongitude"],
        east=given["maxlongitude"],
        latitude=given["latitude"],
        longitude=given["longitude"],
        min_radius_deg=given["minradius"],
        max_radius_deg=given["maxradius"],
    )
    metadata: StationMetadata = held.metadata
    if given["format"] == "text":
        text = metadata.text(wanted, level)
        return None if text is None else Response(text, media_type="text/plain")
    xml = metadata.xml(wanted, level)
    return None if xml is None else Response(xml, media_type="application/xml")


SERVICE = Service(
    name="station",
    version="1.1.0",
    methods={"query": Method(parameters=PARAMETERS, answer=query, post=post)},
    texts={},
)
