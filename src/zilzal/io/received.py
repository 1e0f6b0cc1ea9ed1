"""Which time of a channel has been received, so that what comes again is told from what is new."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from zilzal.core.errors import FormatError
from zilzal.core.time import Time
from zilzal.core.waveform import Trace

LARGEST_SPANS = 200
"""Older ones than the newest so many are taken for one, with the holes between them."""


@dataclass(frozen=True, slots=True)
class Received:
    """What has been received of a channel.

    Args:
        floor: nothing from before it is wanted any more.
        spans: from when to when, exclusive; in order, apart from each other, after the floor.
    """

    floor: Time
    spans: tuple[tuple[Time, Time], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Received:
        """Read what `str` wrote.

        Raises:
            FormatError: it is something else.
        """
        floor, *spans = text.split()
        pairs = [span.split("/") for span in spans]
        if any(len(pair) != 2 for pair in pairs):
            raise FormatError(f"not received times: {text!r}")
        times = tuple((Time.parse(start), Time.parse(end)) for start, end in pairs)
        return cls(Time.parse(floor), times)

    def __str__(self) -> str:
        return " ".join([_exact(self.floor), *(f"{_exact(a)}/{_exact(b)}" for a, b in self.spans)])

    @property
    def end(self) -> Time:
        """Of the newest data, or the floor."""
        return self.spans[-1][1] if self.spans else self.floor

    def new(self, trace: Trace) -> Iterator[Trace]:
        """The pieces of a trace that have not been received."""
        rate, count = trace.sampling_rate, len(trace.samples)
        is_new = np.ones(count, bool)
        # A sample within a tenth of its distance to the next is at the edge, and not before it.
        for start, end in ((Time(-(2**62)), self.floor), *self.spans):
            first, last = (
                min(max(int(np.ceil((t - trace.start) * rate - 0.1)), 0), count)
                for t in (start, end)
            )
            is_new[first:last] = False
        edges = np.flatnonzero(np.diff(is_new, prepend=False, append=False)).tolist()
        for first, last in zip(edges[::2], edges[1::2], strict=True):
            start = trace.start + first / rate
            yield replace(trace, start=start, samples=trace.samples[first:last])

    def with_spans(self, added: Iterable[tuple[Time, Time]], *, floor: Time) -> Received:
        """After more has come.

        Args:
            added: from when to when.
            floor: nothing from before it is wanted any more; it never goes back.
        """
        floor = max(floor, self.floor)
        merged: list[tuple[Time, Time]] = []
        for start, end in sorted((*self.spans, *added)):
            if end <= floor:
                continue
            # Stamps are good to a microsecond at best.
            if merged and start - merged[-1][1] < 1e-5:
                merged[-1] = merged[-1][0], max(merged[-1][1], end)
            else:
                merged.append((start, end))
        if len(merged) > LARGEST_SPANS:
            floor = max(floor, merged[-LARGEST_SPANS][0])
            merged = merged[-LARGEST_SPANS:]
        return Received(floor, tuple(merged))


def _exact(time: Time) -> str:
    """ISO 8601 to the nanosecond."""
    return f"{str(Time(time.ns // 10**9 * 10**9))[:-8]}.{time.ns % 10**9:09}Z"
