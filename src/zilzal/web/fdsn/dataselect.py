"""fdsnws-dataselect 1.1: whole miniSEED records of the archive, or of what a monitor records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from http import HTTPStatus
from itertools import chain

from fastapi import Response
from fastapi.responses import StreamingResponse

from zilzal.app.display.holdings import Holdings
from zilzal.core.ids import ChannelId
from zilzal.core.time import Time
from zilzal.io.availability import Extent, extents, records_between
from zilzal.io.fdsn_station import ChannelSelector
from zilzal.web.fdsn import parameters as take
from zilzal.web.fdsn.parameters import Given, bad_request, check_times
from zilzal.web.fdsn.service import Method, Service, split_body
from zilzal.web.fdsn.station import CODES, TIMES, selector_of, selector_of_line
from zilzal.web.refusal import Refused

LONGEST_H = 24 * 500
"""Channel-hours of one request."""
_BLOCK_BYTES = 2**16

_OTHERS = (
    take.choice("quality", "b", "d", "r", "q", "m"),
    take.real("minimumlength", low=0, default=0.0),
    take.flag("longestonly"),
    take.choice("format", "miniseed"),
    take.nodata(),
)
PARAMETERS = (*TIMES, *CODES, *_OTHERS)
KIND = "application/vnd.fdsn.mseed"

Wanted = tuple[tuple[ChannelId, ...], Time, Time]
"""Channels from one instant to another."""


def query(held: Holdings, given: Given, _base: str) -> Response | None:
    """Records of a selection."""
    check_times(given)
    return _answer(held, given, [selector_of(given)])


def post(held: Holdings, body: str) -> tuple[Given, Response | None]:
    """Records of several selections, one after the other."""
    pairs, lines = split_body(body)
    given = take.read_parameters(_OTHERS, pairs)
    return given, _answer(held, given, [selector_of_line(line) for line in lines])


def resolve(held: Holdings, selectors: Sequence[ChannelSelector]) -> list[Wanted]:
    """What selections name of what was recorded.

    Raises:
        Refused: a selection has no start or end, or there is too much.
    """
    known = held.waveforms.channel_ids()
    wanted: list[Wanted] = []
    for selector in selectors:
        if selector.start is None or selector.end is None:
            raise bad_request("give starttime and endtime")
        channels = tuple(c for c in known if selector.names(c))
        # The specification's end is inclusive.
        wanted.append((channels, selector.start, Time(selector.end.ns + 1)))
    return wanted


def _answer(held: Holdings, given: Given, selectors: Sequence[ChannelSelector]) -> Response | None:
    wanted = resolve(held, selectors)
    hours = sum(len(channels) * (end - start) / 3_600 for channels, start, end in wanted)
    if hours > LONGEST_H:
        raise Refused(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"{hours:.0f} channel-hours are selected; ask for at most {LONGEST_H} at a time",
        )
    if given["minimumlength"] > 0 or given["longestonly"]:
        kept = (_long_enough(held, one, given) for one in wanted)
        wanted = [part for parts in kept for part in parts]
    contents = chain.from_iterable(_contents(held, *one) for one in wanted)
    first = next(contents, None)
    if first is None:
        return None
    blocks = _blocks(chain([first], contents))
    disposition = 'attachment; filename="fdsnws-dataselect.mseed"'
    headers = {"Content-Disposition": disposition}
    return StreamingResponse(blocks, media_type=KIND, headers=headers)


def _contents(
    held: Holdings, channels: Sequence[ChannelId], start: Time, end: Time
) -> Iterator[bytes]:
    archive = held.waveforms.files(channels, start, end)
    for record in records_between(archive, channels, start, end):
        yield record.content


def _blocks(contents: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes in fewer pieces."""
    held: list[bytes] = []
    size = 0
    for content in contents:
        held.append(content)
        size += len(content)
        if size >= _BLOCK_BYTES:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)


def _long_enough(held: Holdings, wanted: Wanted, given: Given) -> list[Wanted]:
    """Of each channel the gap-free stretches that are long enough, or the longest alone."""
    channels, start, end = wanted
    by_channel: dict[ChannelId, list[Extent]] = {}
    for extent in extents(held.waveforms.files(channels, start, end), start, end):
        if extent.end - extent.start >= given["minimumlength"]:
            by_channel.setdefault(extent.channel_id, []).append(extent)
    if given["longestonly"]:
        by_channel = {c: [max(e, key=lambda x: x.end - x.start)] for c, e in by_channel.items()}
    return [((c,), e.start, e.end) for c, stretches in by_channel.items() for e in stretches]


SERVICE = Service(
    name="dataselect",
    version="1.1.1",
    methods={"query": Method(parameters=PARAMETERS, answer=query, post=post)},
    texts={},
)
