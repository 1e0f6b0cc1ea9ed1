"""NonLinLoc's observation files (.obs), which ObsPy writes but does not read.

A line a phase; events end with a blank line. A file's PUBLIC_ID names the event that follows.

Source:
    Lomax, NonLinLoc formats, alomax.free.fr/nlloc/soft7.00/formats.html, "NonLinLoc Phase file
    format".
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from zilzal.core.errors import DataError, FormatError
from zilzal.core.ids import StationId
from zilzal.core.pick import Polarity
from zilzal.core.time import Time
from zilzal.io.phases.names import phase_of
from zilzal.io.phases.reported import ReportedEvent, ReportedPick, stamp

_POLARITIES = {
    **dict.fromkeys("cCuU+", Polarity.POSITIVE),
    **dict.fromkeys("dD-", Polarity.NEGATIVE),
}
_LEAST_WORDS = 14
_HEAD_BYTES = 4_096


def is_observations(path: Path) -> bool:
    """Whether a file's first line that is neither blank nor a comment is such a phase."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES).decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    words = next((line.split() for line in head.splitlines() if _is_content(line)), [])
    return (
        len(words) >= _LEAST_WORDS
        and len(words[6]) == 8
        and len(words[7]) in (3, 4)
        and (words[6] + words[7]).isdigit()
        and words[9] in ("GAU", "BOX", "FIX", "NONE")
    )


def _is_content(line: str) -> bool:
    return bool(line.strip()) and not line.startswith(("#", "PUBLIC_ID"))


def read_observations(path: Path) -> list[ReportedEvent]:
    """The events of a file; they have picks and no origin.

    Raises:
        DataError: the file cannot be read.
        FormatError: a line is not what it should be.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}; check the path") from error
    except UnicodeDecodeError as error:
        raise FormatError(f"{path} is not text in UTF-8: {error}") from error
    events: list[ReportedEvent] = []
    for public_id, block in _blocks(lines):
        read = (_pick(path, number, line) for number, line in block)
        picks = tuple(pick for pick in read if pick is not None)
        if picks:
            first = min(pick.time for pick in picks)
            name = public_id or f"{path.stem}_{stamp(first)}"
            events.append(ReportedEvent(event_id=name, picks=picks))
    return events


def _blocks(lines: list[str]) -> Iterator[tuple[str, list[tuple[int, str]]]]:
    """Each event's PUBLIC_ID ("" without) and its lines with their numbers."""
    public_id: str = ""
    block: list[tuple[int, str]] = []
    for number, line in enumerate([*lines, ""], 1):
        if line.startswith("PUBLIC_ID"):
            public_id = line.partition(" ")[2].strip()
        elif _is_content(line):
            block.append((number, line))
        elif not line.strip() and block:
            yield public_id, block
            public_id, block = "", []


def _pick(path: Path, number: int, line: str) -> ReportedPick | None:
    """A phase; None where it is neither P nor S."""
    words = line.partition(">")[0].split()
    if len(words) < _LEAST_WORDS:
        raise FormatError(
            f"{path}, line {number}: {len(words)} words; expected {_LEAST_WORDS} or more, as "
            "STATION ? Z i P U 20240305 1158 20.12 GAU 0.05 -1 -1 -1"
        )
    phase = phase_of(words[4])
    if phase is None:
        return None
    try:
        day, minute = words[6], words[7].zfill(4)
        whole = Time.parse(f"{day[:4]}-{day[4:6]}-{day[6:]}T{minute[:2]}:{minute[2:]}")
        # Seconds may be 60 and more, or below 0.
        time = whole + float(words[8])
        error_s = float(words[10])
        weight = float(words[14]) if len(words) > _LEAST_WORDS else -1.0
    except (ValueError, FormatError) as error:
        raise FormatError(f"{path}, line {number}: {line.strip()!r} ({error})") from error
    channel = "" if words[2] == "?" else words[2]
    return ReportedPick(
        station_id=StationId("", words[0]),
        channel=channel,
        phase=phase,
        time=time,
        weight=min(weight, 1.0) if weight >= 0 else None,
        uncertainty_s=error_s if error_s > 0 else None,
        polarity=_POLARITIES.get(words[5]),
    )
