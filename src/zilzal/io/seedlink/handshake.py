"""What a client may say to a SeedLink server, and what the server makes of it: no sockets here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from zilzal.core.errors import FormatError
from zilzal.core.time import Time
from zilzal.io.seedlink.request import From, Handshake, Phase, Request, comma_time
from zilzal.io.seedlink.selector import selector_3, selector_4, station_pattern
from zilzal.io.seedlink.words import INFO_ITEMS, INFO_LEVELS, ErrorCode, refusal

_T = TypeVar("_T")
LARGEST_REQUESTS = 10_000
"""STATION commands of one client."""
LARGEST_SELECTORS = 100
"""SELECT patterns of one station."""


@dataclass(frozen=True, slots=True)
class Question:
    """Something that the server answers from what it knows: HELLO, CAT, INFO.

    Args:
        word: the command.
        arguments: of it.
    """

    word: str
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """What became of a command.

    Args:
        handshake: after it.
        reply: to send; empty where there is none.
        question: for the server to answer, instead of a reply.
    """

    handshake: Handshake
    reply: bytes = b""
    question: Question | None = None


class Refused(Exception):
    """A command that is not accepted, and why."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code


def take(handshake: Handshake, line: str) -> Step:
    """What a line of a client leads to; never fails, whatever the line.

    Args:
        handshake: before it.
        line: without its end.
    """
    words = line.split()
    if not words:
        return Step(handshake)
    word, arguments = words[0].upper(), tuple(words[1:])
    if word == "BYE":
        return Step(replace(handshake, phase=Phase.CLOSED))
    if word == "INFO":
        return Step(handshake, question=Question(word, arguments))
    if handshake.phase is not Phase.HANDSHAKE:
        return Step(handshake)
    if word == "HELLO" or (word == "CAT" and handshake.protocol == 3):
        return Step(handshake, question=Question(word))
    commands = _COMMANDS_4 if handshake.protocol == 4 else _COMMANDS_3
    try:
        if word not in commands:
            raise Refused(ErrorCode.UNSUPPORTED, f"no command {word[:20]}")
        after = commands[word](handshake, arguments)
    except Refused as error:
        is_refused = handshake.is_refused or word == "STATION"
        reply = refusal(
            handshake.protocol, error.code, str(error), is_extended=handshake.is_extended
        )
        is_silent = handshake.is_silent
        return Step(replace(handshake, is_refused=is_refused), b"" if is_silent else reply)
    is_answered = not handshake.is_silent and after.phase is Phase.HANDSHAKE
    return Step(after, b"OK\r\n" if is_answered else b"")


def info_level(handshake: Handshake, question: Question) -> str | None:
    """The level that an INFO asks for; None for one that there is not."""
    level = question.arguments[0].upper() if question.arguments else ""
    return level if level in (INFO_ITEMS if handshake.protocol == 4 else INFO_LEVELS) else None


def _slproto(handshake: Handshake, arguments: tuple[str, ...]) -> Handshake:
    if not handshake.is_fresh or handshake.protocol == 4:
        raise Refused(ErrorCode.UNEXPECTED, "SLPROTO comes once, before other commands")
    if arguments in (("4.0",), ("4",)):
        return replace(handshake, protocol=4)
    if arguments in (("3.0",), ("3.1",), ("3",)):
        return handshake
    raise Refused(ErrorCode.ARGUMENTS, "versions are 3.0, 3.1 and 4.0")


def _useragent(handshake: Handshake, arguments: tuple[str, ...]) -> Handshake:
    return replace(handshake, agent=" ".join(arguments)[:200])


def _auth(_: Handshake, __: tuple[str, ...]) -> Handshake:
    raise Refused(ErrorCode.UNSUPPORTED, "everything is open; leave AUTH out")


def _capabilities(handshake: Handshake, arguments: tuple[str, ...]) -> Handshake:
    asked = {a.upper() for a in arguments}
    return replace(handshake, is_extended=handshake.is_extended or "EXTREPLY" in asked)


def _batch(handshake: Handshake, _: tuple[str, ...]) -> Handshake:
    return replace(handshake, is_silent=True)


def _station(handshake: Handshake, arguments: tuple[str, ...]) -> Handshake:
    if handshake.protocol == 4 and len(arguments) == 1:
        text = arguments[0]
    elif handshake.protocol == 3 and len(arguments) in (1, 2):
        text = f"{arguments[1] if len(arguments) == 2 else '*'}_{arguments[0]}"
    else:
        raise Refused(ErrorCode.ARGUMENTS, "STATION takes one station")
    if len(handshake.requests) >= LARGEST_REQUESTS:
        raise Refused(ErrorCode.LIMIT, f"at most {LARGEST_REQUESTS} stations")
    pattern = _read(station_pattern, text)
    if not ({"*", "?"} & set(text)) and not any(map(pattern.fullmatch, handshake.stations)):
        raise Refused(ErrorCode.ARGUMENTS, f"no station {text}")
    before = handshake.requests if handshake.is_multi else ()
    requests = (*before, Request(pattern=pattern))
    return replace(handshake, requests=requests, is_multi=True, is_refused=False)


def _select(handshake: Handshake, arguments: tuple[str, ...]) -> Handshake:
    if handshake.protocol == 4:
        if not arguments:
            raise Refused(ErrorCode.ARGUMENTS, "SELECT takes patterns")
        added = tuple(_read(selector_4, a) for a in arguments)
    elif len(arguments) > 1:
        raise Refused(ErrorCode.ARGUMENTS, "SELECT takes one pattern")
    else:
        added = tuple(_read(selector_3, a) for a in arguments)
    handshake, last = _last(handshake)
    selectors = (*last.selectors, *added) if added else ()
    if len(selectors) > LARGEST_SELECTORS:
        raise Refused(ErrorCode.LIMIT, f"at most {LARGEST_SELECTORS} patterns a station")
    return _with_last(handshake, replace(last, selectors=selectors))


def _data_4(handshake: Handshake, arguments: tuple[str, ...]) -> Handshake:
    if len(arguments) > 3:
        raise Refused(ErrorCode.ARGUMENTS, "DATA takes a sequence number and two times")
    first = (arguments or ("-1",))[0].upper()
    if first not in ("-1", "ALL") and not re.fullmatch(r"[0-9]{1,20}", first):
        raise Refused(ErrorCode.ARGUMENTS, f"not a sequence number: {first[:30]}")
    begin: int | From = From.ALL if first == "ALL" else From.NEXT if first == "-1" else int(first)
    start, end = _window(arguments[1:], Time.parse)
    # Version 4 counts -1 with a time window as: all packets of the window.
    if begin is From.NEXT and start is not None:
        begin = From.ALL
    handshake, last = _last(handshake)
    return _with_last(handshake, replace(last, begin=begin, start=start, end=end))


def _data_3(handshake: Handshake, arguments: tuple[str, ...]) -> Handshake:
    if len(arguments) > 3:
        raise Refused(ErrorCode.ARGUMENTS, "DATA takes a sequence number and two times")
    first = (arguments or ("-1",))[0]
    if first != "-1" and not re.fullmatch(r"(0[xX])?[0-9A-Fa-f]{1,16}", first):
        raise Refused(ErrorCode.ARGUMENTS, f"not a hexadecimal sequence number: {first[:30]}")
    begin = From.NEXT if first == "-1" else int(first, 16)
    return _act_3(handshake, begin, arguments[1:], Phase.STREAM)


def _fetch_3(handshake: Handshake, arguments: tuple[str, ...]) -> Handshake:
    after = _data_3(handshake, arguments)
    last = after.requests[-1]
    if not arguments:
        # All that is there: a transfer of what comes next would end at once.
        after = _with_last(after, replace(last, begin=From.ALL))
    return replace(after, is_fetching=True, phase=after.phase if after.is_multi else Phase.FETCH)


def _time_3(handshake: Handshake, arguments: tuple[str, ...]) -> Handshake:
    if len(arguments) > 2:
        raise Refused(ErrorCode.ARGUMENTS, "TIME takes two times")
    begin = From.ALL if arguments else From.NEXT
    return _act_3(handshake, begin, arguments, Phase.STREAM)


def _act_3(
    handshake: Handshake, begin: int | From, times: tuple[str, ...], phase: Phase
) -> Handshake:
    """Set where the last request begins; without STATION, the transfer begins with it."""
    start, end = _window(times, comma_time)
    handshake, last = _last(handshake)
    after = _with_last(handshake, replace(last, begin=begin, start=start, end=end))
    return after if after.is_multi else replace(after, phase=phase)


def _end(handshake: Handshake, _: tuple[str, ...]) -> Handshake:
    if not handshake.is_multi:
        raise Refused(ErrorCode.UNEXPECTED, "no station is requested")
    return replace(handshake, phase=Phase.FETCH if handshake.is_fetching else Phase.STREAM)


def _endfetch(handshake: Handshake, arguments: tuple[str, ...]) -> Handshake:
    return replace(_end(handshake, arguments), phase=Phase.FETCH)


Command = Callable[[Handshake, tuple[str, ...]], Handshake]
_COMMANDS_3: Mapping[str, Command] = {
    "SLPROTO": _slproto,
    "USERAGENT": _useragent,
    "CAPABILITIES": _capabilities,
    "ENABLE": _capabilities,
    "BATCH": _batch,
    "STATION": _station,
    "SELECT": _select,
    "DATA": _data_3,
    "FETCH": _fetch_3,
    "TIME": _time_3,
    "END": _end,
}
_COMMANDS_4: Mapping[str, Command] = {
    "SLPROTO": _slproto,
    "USERAGENT": _useragent,
    "AUTH": _auth,
    "STATION": _station,
    "SELECT": _select,
    "DATA": _data_4,
    "END": _end,
    "ENDFETCH": _endfetch,
}


def _last(handshake: Handshake) -> tuple[Handshake, Request]:
    """The request that a command is about; in version 3 all stations before any STATION."""
    if handshake.is_refused:
        raise Refused(ErrorCode.UNEXPECTED, "the last STATION was not accepted")
    if not handshake.requests:
        if handshake.protocol == 4:
            raise Refused(ErrorCode.UNEXPECTED, "STATION comes first")
        handshake = replace(handshake, requests=(Request(pattern=station_pattern("*")),))
    return handshake, handshake.requests[-1]


def _with_last(handshake: Handshake, request: Request) -> Handshake:
    return replace(handshake, requests=(*handshake.requests[:-1], request))


def _read(reader: Callable[[str], _T], text: str) -> _T:
    try:
        return reader(text)
    except FormatError as error:
        raise Refused(ErrorCode.ARGUMENTS, str(error)) from error


def _window(
    arguments: tuple[str, ...], reader: Callable[[str], Time]
) -> tuple[Time | None, Time | None]:
    times = [_read(reader, text) for text in arguments]
    return (times[0] if times else None), (times[1] if len(times) > 1 else None)
