"""Where and when the traces of a set were recorded, and of what: as splits must know it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from zilzal.train.seisbench_format import Metadata


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A trace's event, station and time.

    Args:
        name: of the trace.
        split: that it is in; "" where it is in none.
        event: source_id; the trace's own name where there is none.
        group: of events that belong together (`source_group`); "" where not given.
        station: network and station code; "" where not known.
        start_s: of the first sample, since the epoch; None where not known.
        end_s: of the last one; None where not known.
        origin_s: of the source; None where not known.
        category: as "earthquake" or "noise".
    """

    name: str
    split: str
    event: str
    group: str
    station: str
    start_s: float | None
    end_s: float | None
    origin_s: float | None
    category: str

    @property
    def source_s(self) -> float | None:
        """When the source was, as well as is known: its origin, else where the trace starts."""
        return self.start_s if self.origin_s is None else self.origin_s


def moments(lines: Iterable[Metadata]) -> list[Moment]:
    """One of each line, in order."""
    return [_moment(line) for line in lines]


def _moment(line: Metadata) -> Moment:
    start, origin = line.time("trace_start_time"), line.time("source_origin_time")
    rate, count = line.number("trace_sampling_rate_hz"), line.number("trace_npts")
    known = start is not None and rate and count is not None
    codes = (line.text("station_network_code"), line.text("station_code"))
    return Moment(
        name=line.text("trace_name"),
        split=line.text("split"),
        event=line.text("source_id", line.text("trace_name")),
        group=line.text("source_group"),
        station=".".join(codes) if codes[1] else "",
        start_s=start.unix_s if start else None,
        end_s=start.unix_s + (count - 1) / rate if known and start and rate and count else None,
        origin_s=origin.unix_s if origin else None,
        category=line.text("trace_category", "earthquake"),
    )
