"""Gap-free segments of a sensor, followed through windows of any length."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32

from zilzal.core.arrays import Array
from zilzal.core.ids import SensorId
from zilzal.core.time import Time, sample_time
from zilzal.core.waveform import Window
from zilzal.signal.flaws import true_ranges
from zilzal.signal.resample import Ratio

_OFFSET_STEP_NS = 1_000
"""A segment's shift against the grid is kept to the microsecond, so that the rounding of window
starts to nanoseconds does not reach the picks."""
_DRIFT_SAMPLES = 0.1
"""A clock that has drifted by so much is followed."""


ONE = Ratio(1, 1)


class Clock(NamedTuple):
    """From sample numbers, counted from the epoch, to true times.

    Args:
        sampling_rate: of the recorded samples.
        offset_ns: true time minus time on the grid; samples lie where they lie.
    """

    sampling_rate: float
    offset_ns: int

    @classmethod
    def of(cls, start: Time, number: int, sampling_rate: float) -> Clock:
        """The clock by which a sample has a time."""
        offset_ns = start.ns - sample_time(number, sampling_rate).ns
        return cls(sampling_rate, round(offset_ns / _OFFSET_STEP_NS) * _OFFSET_STEP_NS)

    def time_of(self, number: int, fraction: float = 0.0, ratio: Ratio = ONE) -> Time:
        """Time of a sample plus a fraction of the spacing.

        Args:
            number: at the rate after resampling by `ratio`.
            fraction: of a sample at that rate.
            ratio: by which recorded samples were resampled.
        """
        place, rest = divmod(number * ratio.down, ratio.up)
        start = sample_time(place, self.sampling_rate)
        beyond_s = (rest + fraction * ratio.down) / ratio.up / self.sampling_rate
        return Time(start.ns + self.offset_ns) + beyond_s


class Piece(NamedTuple):
    """Samples of one segment.

    Args:
        clock: of the segment, as known now.
        begins: the segment begins here.
        ends: nothing more of the segment will come.
        first_number: of the first sample, counted from the epoch.
        samples: counts; may be none where the segment only ends.
        present: which were recorded.
    """

    clock: Clock
    begins: bool
    ends: bool
    first_number: int
    samples: Float32[Array, "component sample"]
    present: Bool[Array, "component sample"]


class Follower(NamedTuple):
    """Where a sensor's data has come to.

    Args:
        next_start: where the next window must start to continue.
        number: of that sample.
        clock: of the open segment.
        is_open: whether the last sample was recorded on any component.
    """

    next_start: Time
    number: int
    clock: Clock
    is_open: bool


def follow(follower: Follower | None, window: Window) -> tuple[Follower, list[Piece]]:
    """Cut a window into pieces of segments.

    A segment is a stretch in which every sample has at least one component. Whether a gap is
    told by the mask or by the start of the next window makes no difference. Samples that are
    not finite count as not recorded, for they would poison a filter for ever.
    """
    window = _finite(window)
    pieces: list[Piece] = []
    if follower is not None and not _continues(follower, window):
        pieces = close(follower, len(window.samples))
        follower = None
    if follower is None:
        number = window.first_number
        clock = Clock.of(window.start, number, window.sampling_rate)
        follower = Follower(window.start, number, clock, is_open=False)
    follower = follower._replace(clock=_follow_drift(follower, window))
    recorded = _recorded(window)
    if follower.is_open and window.length and not (recorded and recorded[0][0] == 0):
        pieces += close(follower, len(window.samples))
    for first, end in recorded:
        begins = first > 0 or not follower.is_open
        piece = Piece(
            follower.clock, begins, end < window.length, follower.number + first,
            window.samples[:, first:end], window.present[:, first:end],
        )  # fmt: skip
        pieces.append(piece)
    is_open = follower.is_open
    if window.length:
        is_open = bool(recorded) and recorded[-1][1] == window.length
    number = follower.number + window.length
    return Follower(window.next_start, number, follower.clock, is_open), pieces


def _recorded(window: Window) -> list[tuple[int, int]]:
    """First and end of the stretches in which at least one component was recorded."""
    if window.present.all():
        return [(0, window.length)] if window.length else []
    return list(map(tuple, true_ranges(np.atleast_1d(window.present.any(axis=0))).tolist()))


def close(follower: Follower, n_components: int) -> list[Piece]:
    """The end of the open segment, if there is one."""
    if not follower.is_open:
        return []
    nothing = np.zeros((n_components, 0), np.float32)
    return [
        Piece(follower.clock, False, True, follower.number, nothing, nothing.astype(bool))  # noqa: FBT003
    ]


def rounds(windows: Iterable[Window], *, longest_samples: int) -> Iterator[list[Window]]:
    """Windows dealt out in rounds: at most one short window of each sensor in a round.

    Windows of a sensor keep their order and long ones are cut, so that memory stays bounded;
    sensors come in order of their names, whatever the order of the windows.
    """
    by_sensor: dict[SensorId, list[Window]] = {}
    for window in windows:
        by_sensor.setdefault(window.sensor_id, []).append(window)
    queues = [iter(_cut(by_sensor[key], longest_samples)) for key in sorted(by_sensor)]
    while dealt := [window for queue in queues if (window := next(queue, None)) is not None]:
        yield dealt


def _cut(windows: Sequence[Window], longest: int) -> Iterator[Window]:
    for window in windows:
        for first in range(0, window.length, longest):
            piece = slice(first, first + longest)
            yield replace(
                window,
                start=window.start + first / window.sampling_rate,
                samples=window.samples[:, piece],
                present=window.present[:, piece],
            )


def _finite(window: Window) -> Window:
    # One sample that is not finite makes the sum of squares so, in a single pass.
    with np.errstate(over="ignore"):
        if all(np.isfinite(np.dot(row, row)) for row in window.samples):
            return window
    finite = np.isfinite(window.samples)
    return replace(
        window, samples=np.where(finite, window.samples, 0), present=window.present & finite
    )


def _continues(follower: Follower, window: Window) -> bool:
    if window.sampling_rate != follower.clock.sampling_rate:
        return False
    return abs(window.start - follower.next_start) <= 0.5 / window.sampling_rate


def _follow_drift(follower: Follower, window: Window) -> Clock:
    seen = Clock.of(window.start, follower.number, window.sampling_rate)
    drift_s = abs(seen.offset_ns - follower.clock.offset_ns) / 1e9
    return seen if drift_s > _DRIFT_SAMPLES / window.sampling_rate else follower.clock
