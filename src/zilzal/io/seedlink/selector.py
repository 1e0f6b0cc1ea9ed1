"""Patterns for stations and streams, in the syntax of either version."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from zilzal.core.errors import FormatError

_LETTERS_3 = re.compile(r"[A-Z0-9?*-]*", re.IGNORECASE)
_LETTERS_4 = re.compile(r"[A-Z0-9_?*]*", re.IGNORECASE)
_STATION = re.compile(r"[A-Z0-9_?*-]+", re.IGNORECASE)
_FORM_3 = re.compile(r"(!?)([A-Z0-9?-]{2})?([A-Z0-9?]{3})(?:\.([A-Z]))?", re.IGNORECASE)
_FORM_4 = re.compile(
    r"(!?)([A-Z0-9?]{2}|\*|)_([A-Z0-9?])_([A-Z0-9?])_([A-Z0-9?])(?:\.([0-9?][A-Z?]?))?",
    re.IGNORECASE,
)
KINDS_3 = "DECOTL"
"""Types of packets in version 3: data, event, calibration, blockette, timing, log."""


@dataclass(frozen=True, slots=True)
class Selector:
    """A pattern of streams.

    Args:
        pattern: matched against stream, format and subformat, as "00_B_H_Z.2D".
        is_excluding: what matches is left out, whatever else matches.
    """

    pattern: re.Pattern[str]
    is_excluding: bool = False


def selects(selectors: Sequence[Selector], name: str) -> bool:
    """Whether a stream is chosen: all are, unless a selector says what is.

    Args:
        selectors: of a station.
        name: stream, format and subformat, as "00_B_H_Z.2D".
    """
    including = [s for s in selectors if not s.is_excluding]
    return (not including or any(s.pattern.fullmatch(name) for s in including)) and not any(
        s.pattern.fullmatch(name) for s in selectors if s.is_excluding
    )


def station_pattern(text: str) -> re.Pattern[str]:
    """A pattern of stations, as "CI_*"; ? is one letter, * any number.

    Raises:
        FormatError: other letters.
    """
    if not _STATION.fullmatch(text):
        raise FormatError(f"not a station pattern: {text!r}; write NET_STA, with * and ?")
    return re.compile(_wild(text, "."), re.IGNORECASE)


def selector_3(text: str) -> Selector:
    """Read [!][LL]CCC[.T], [!]LL:CCC[.T] or [!]T; ? is one letter, * any number, - no letter.

    Raises:
        FormatError: something else.
    """
    is_excluding, body = text.startswith("!"), text.removeprefix("!")
    stream, _, kind = body.partition(".")
    location, colon, channel = stream.partition(":")
    if not colon:
        location, channel = (stream[:-3], stream[-3:]) if len(stream) > 2 else ("", stream)
        if len(stream) == 1 and stream != "*" and not kind:
            channel, kind = "", stream
    if (
        not body
        or len(location) > 2
        or len(channel) not in (0, 1, 3)
        or (len(channel) == 1 and channel != "*")
        or (kind and kind.upper() not in (*KINDS_3, "?", "*"))
        or not _LETTERS_3.fullmatch(location + channel)
    ):
        raise FormatError(f"not a selector: {text!r}; write LLCCC.T, as 00BH?.D")
    where = _wild(location.replace("-", ""), "[^_]") if location else "[^_]*"
    if location.strip("?") == "" and location:
        where = "[^_]{0,2}"
    which = ".*" if channel in ("", "*") else "_".join(_wild(c, "[^_]") for c in channel)
    what = _wild(kind, ".") if kind else "."
    return Selector(re.compile(rf"{where}_{which}\..{what}", re.IGNORECASE), is_excluding)


def selector_4(text: str) -> Selector:
    """Read [!]stream[.format][:filter], as "*_B_H_?.2D" or "!*.3"; the one filter is "native".

    Raises:
        FormatError: something else.
    """
    is_excluding, body = text.startswith("!"), text.removeprefix("!")
    body, colon, converted = body.partition(":")
    stream, _, form = body.partition(".")
    if colon and (is_excluding or converted != "native"):
        raise FormatError(f"no filter in {text!r}: records come as they are; leave it out")
    if not stream or not _LETTERS_4.fullmatch(stream) or not _LETTERS_4.fullmatch(form):
        raise FormatError(f"not a selector: {text!r}; write LOC_B_S_SS.FS, as 00_B_H_?.2D")
    # A format's pattern is matched from its beginning only.
    pattern = rf"{_wild(stream, '[^.]')}\.{_wild(form, '.')}.*"
    return Selector(re.compile(pattern, re.IGNORECASE), is_excluding)


def either_selector(text: str) -> Selector:
    """Read a selector of either version.

    Raises:
        FormatError: it is neither.
    """
    if "_" in text or text.removeprefix("!").startswith("*"):
        try:
            return selector_4(text)
        except FormatError:
            return selector_3(text)
    return selector_3(text)


def selector_for(protocol: int, text: str) -> str:
    """A selector in the syntax of a version, where it can be said in it; else as it is.

    Args:
        protocol: 3 or 4.
        text: of either version, as "00BH?.D" or "00_B_H_?.2D".
    """
    if protocol == 4 and (match := _FORM_3.fullmatch(text)):
        sign, location, channel, kind = match.groups()
        where = "*" if location is None else location.replace("-", "")
        form = f".?{kind}" if kind else ""
        return f"{sign}{where}_{'_'.join(channel)}{form}"
    if protocol == 3 and (match := _FORM_4.fullmatch(text)):
        sign, location, *channel, form = match.groups()
        where = {"*": "", "": "--"}.get(location, location)
        kind = f".{form[1]}" if len(form or "") == 2 and form[1] != "?" else ""
        return f"{sign}{where}{''.join(channel)}{kind}"
    return text


def _wild(text: str, letter: str) -> str:
    """A regular expression of a pattern with ? and *."""
    parts: Iterable[str] = (
        letter if c == "?" else f"{letter}*" if c == "*" else re.escape(c) for c in text
    )
    return "".join(parts)
