"""Parameters of FDSN web services: declared once, read and described from that."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from zilzal.core.time import Time
from zilzal.web.api.values import parse_time
from zilzal.web.refusal import Refused


def bad_request(message: str) -> Refused:
    """A request that is wrong."""
    return Refused(HTTPStatus.BAD_REQUEST, message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter.

    Args:
        name: in full.
        alias: short form; "" where there is none.
        read: a text to the value; raises ValueError.
        kind: of XML Schema, for the WADL.
        default: where it is not given.
        options: all values, where they are few.
    """

    name: str
    alias: str = ""
    read: Callable[[str], Any] = str
    kind: str = "xs:string"
    default: Any = None
    options: tuple[str, ...] = ()


def time(name: str, alias: str = "") -> Parameter:
    """A time, UTC."""
    return Parameter(name=name, alias=alias, read=_time, kind="xs:dateTime")


def real(
    name: str, alias: str = "", *, low: float = -math.inf, high: float = math.inf,
    default: float | None = None,
) -> Parameter:  # fmt: skip
    """A number within bounds."""

    def read(text: str) -> float:
        value = float(text)
        if not low <= value <= high:
            raise ValueError(f"give a number from {low:g} to {high:g}")
        return value

    return Parameter(name=name, alias=alias, read=read, kind="xs:double", default=default)


def whole(name: str, *, low: int, high: int = 2**31 - 1, default: int | None = None) -> Parameter:
    """A whole number within bounds."""

    def read(text: str) -> int:
        value = int(text)
        if not low <= value <= high:
            raise ValueError(f"give a whole number from {low} to {high}")
        return value

    return Parameter(name=name, read=read, kind="xs:int", default=default)


def choice(name: str, *options: str, default: str | None = None) -> Parameter:
    """One of a few words; the first is taken if none is given."""

    def read(text: str) -> str:
        if text.lower() not in options:
            raise ValueError(f"give one of {', '.join(options)}")
        return text.lower()

    return Parameter(name=name, read=read, options=options, default=default or options[0])


def flag(name: str, *, default: bool = False) -> Parameter:
    """True or false."""

    def read(text: str) -> bool:
        if text.lower() not in ("true", "false"):
            raise ValueError("give true or false")
        return text.lower() == "true"

    return Parameter(name=name, read=read, kind="xs:boolean", default=default)


def codes(name: str, alias: str, longest: int = 24) -> Parameter:
    """Codes with `*` and `?`, between commas; `--` is an empty location."""

    def read(text: str) -> tuple[str, ...]:
        return code_patterns(text, longest)

    return Parameter(name=name, alias=alias, read=read, default=("*",))


def code_patterns(text: str, longest: int = 24) -> tuple[str, ...]:
    """Patterns between commas.

    Raises:
        ValueError: a character that no code has.
    """
    patterns = tuple("" if p.strip() in ("--", "") else p.strip() for p in text.split(","))
    for pattern in patterns:
        if len(pattern) > longest or not all(c.isascii() and (c.isalnum() or c in "*?-_")
                                             for c in pattern):  # fmt: skip
            raise ValueError(f"{pattern[:longest]!r} is no code")
    return patterns


def nodata() -> Parameter:
    """What a request gets that finds nothing."""
    return Parameter(
        name="nodata", read=_nodata, kind="xs:int", default=HTTPStatus.NO_CONTENT,
        options=("204", "404"),
    )  # fmt: skip


def _nodata(text: str) -> HTTPStatus:
    if text not in ("204", "404"):
        raise ValueError("give 204 or 404")
    return HTTPStatus(int(text))


def _time(text: str) -> Time:
    return parse_time(text)


@dataclass(frozen=True, slots=True)
class Given:
    """What a request gave, with the defaults of what it did not."""

    values: Mapping[str, Any]
    named: frozenset[str] = field(default_factory=frozenset)

    def __getitem__(self, name: str) -> Any:
        return self.values[name]


def read_parameters(parameters: Sequence[Parameter], pairs: Iterable[tuple[str, str]]) -> Given:
    """Read what a request gives.

    Raises:
        Refused: a name is not known, comes twice, or its value is wrong.
    """
    by_name = {p.name: p for p in parameters} | {p.alias: p for p in parameters if p.alias}
    values: dict[str, Any] = {}
    for name, text in pairs:
        parameter = by_name.get(name.lower())
        if parameter is None:
            raise bad_request(f"there is no parameter {name[:40]!r}")
        if parameter.name in values:
            raise bad_request(f"the parameter {parameter.name} is given twice")
        try:
            values[parameter.name] = parameter.read(text.strip())
        except (ValueError, OverflowError) as error:
            raise bad_request(f"{parameter.name}={text[:80]!r}: {error}") from error
    defaults = {p.name: p.default for p in parameters}
    return Given({**defaults, **values}, frozenset(values))


def check_ring(given: Given) -> None:
    """A circle needs its centre.

    Raises:
        Refused: half of it is missing.
    """
    centre = {"latitude", "longitude"} & given.named
    wants = {"latitude", "longitude", "minradius", "maxradius"} & given.named
    if wants and len(centre) < 2:
        raise bad_request("a circle needs latitude and longitude")


def check_times(given: Given) -> None:
    """An end comes after its start.

    Raises:
        Refused: it does not.
    """
    start, end = given["starttime"], given["endtime"]
    if start is not None and end is not None and end < start:
        raise bad_request(f"the endtime {end} lies before the starttime {start}")
