"""fdsnws-availability 1.0: from when to when there are data, and where gaps are."""

from __future__ import annotations

import json
from collections.abc import Sequence

from fastapi import Response

from zilzal.app.display.holdings import Holdings
from zilzal.core.ids import ChannelId
from zilzal.core.time import Time
from zilzal.io.availability import Extent, extents
from zilzal.io.fdsn_station import ChannelSelector
from zilzal.web.fdsn import parameters as take
from zilzal.web.fdsn.parameters import Given, Parameter, check_times
from zilzal.web.fdsn.service import Method, Posted, Service, split_body
from zilzal.web.fdsn.station import CODES, TIMES, selector_of, selector_of_line

_QUALITY = "D"
"""The state of the data of miniSEED that does not say: of indeterminate quality."""
_FIRST, _LAST = Time.parse("1900-01-01"), Time.parse("2200-01-01")

_COMMON: tuple[Parameter, ...] = (
    take.Parameter(name="quality", default="*"),
    take.Parameter(name="merge", default=""),
    take.choice("orderby", "nslc_time_quality_samplerate", "latestupdate", "latestupdate_desc"),
    take.whole("limit", low=1),
    take.flag("includerestricted"),
    take.choice("format", "text", "geocsv", "json", "request"),
    take.nodata(),
)
_QUERY = (*_COMMON, take.real("mergegaps", low=0), take.Parameter(name="show", default=""))


def query(held: Holdings, given: Given, _base: str) -> Response | None:
    """Stretches without a gap."""
    check_times(given)
    return _answer(held, given, [selector_of(given)], is_extent=False)


def extent(held: Holdings, given: Given, _base: str) -> Response | None:
    """First and last sample of each channel."""
    check_times(given)
    return _answer(held, given, [selector_of(given)], is_extent=True)


def _post(parameters: Sequence[Parameter], *, is_extent: bool) -> Posted:
    def post(held: Holdings, body: str) -> tuple[Given, Response | None]:
        pairs, lines = split_body(body)
        given = take.read_parameters(parameters, pairs)
        selectors = [selector_of_line(line) for line in lines]
        return given, _answer(held, given, selectors, is_extent=is_extent)

    return post


def _answer(
    held: Holdings, given: Given, selectors: Sequence[ChannelSelector], *, is_extent: bool
) -> Response | None:
    gaps_s = float("inf") if is_extent else given["mergegaps"] or 0.0
    found: set[Extent] = set()
    for selector in selectors:
        start, end = held.waveforms.clip(selector.start or _FIRST, selector.end or _LAST)
        channels = [c for c in held.waveforms.channel_ids() if selector.names(c)]
        if start < end and channels:
            archive = held.waveforms.files(channels, start, end)
            found |= set(extents(archive, start, end, longest_gap_s=gaps_s))
    lines = sorted(found)[: given["limit"]]
    if not lines:
        return None
    kind, text = _FORMATS[given["format"]](lines)
    return Response(text, media_type=kind)


def _location(channel_id: ChannelId) -> str:
    return channel_id.location or "--"


def _fields(line: Extent) -> list[str]:
    code = line.channel_id
    return [
        code.network, code.station, _location(code), code.channel, _QUALITY,
        f"{line.sampling_rate:.1f}", str(line.start), str(line.end),
    ]  # fmt: skip


_NAMES = (
    "Network",
    "Station",
    "Location",
    "Channel",
    "Quality",
    "SampleRate",
    "Earliest",
    "Latest",
)


def _text(lines: Sequence[Extent]) -> tuple[str, str]:
    rows = [list(_NAMES), *map(_fields, lines)]
    rows[0][0] = "#Network"
    widths = [max(len(row[n]) for row in rows) for n in range(len(_NAMES))]
    spaced = (
        " ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
    return "text/plain", "\n".join(spaced) + "\n"


def _geocsv(lines: Sequence[Extent]) -> tuple[str, str]:
    head = [
        "# dataset: GeoCSV 2.0",
        "# delimiter: |",
        "# field_unit: unitless|unitless|unitless|unitless|unitless|hertz|ISO_8601|ISO_8601",
        "# field_type: string|string|string|string|string|float|datetime|datetime",
        "|".join(_NAMES),
    ]
    rows = ["|".join(_fields(line)) for line in lines]
    return "text/csv", "\n".join([*head, *rows]) + "\n"


def _json(lines: Sequence[Extent]) -> tuple[str, str]:
    sources = [
        {
            "network": line.channel_id.network,
            "station": line.channel_id.station,
            "location": _location(line.channel_id),
            "channel": line.channel_id.channel,
            "quality": _QUALITY,
            "samplerate": line.sampling_rate,
            "timespans": [[str(line.start), str(line.end)]],
        }
        for line in lines
    ]
    return "application/json", json.dumps({"version": 1.0, "datasources": sources}) + "\n"


def _request(lines: Sequence[Extent]) -> tuple[str, str]:
    rows = []
    for line in lines:
        code = line.channel_id
        names = code.network, code.station, _location(code), code.channel
        rows.append(" ".join([*names, str(line.start), str(line.end)]))
    return "text/plain", "\n".join(rows) + "\n"


_FORMATS = {"text": _text, "geocsv": _geocsv, "json": _json, "request": _request}

SERVICE = Service(
    name="availability",
    version="1.0.0",
    methods={
        "query": Method(
            parameters=(*TIMES, *CODES, *_QUERY), answer=query, post=_post(_QUERY, is_extent=False)
        ),
        "extent": Method(
            parameters=(*TIMES, *CODES, *_COMMON),
            answer=extent,
            post=_post(_COMMON, is_extent=True),
        ),
    },
    texts={},
)
