"""Which stations are left out while the machine cannot keep up, and when they come back."""

from __future__ import annotations

from collections.abc import Mapping

from zilzal.core.ids import StationId


def shed(
    left_out: frozenset[StationId],
    waited_s: float,
    limit_s: float,
    usefulness: Mapping[StationId, float],
) -> frozenset[StationId]:
    """The stations to leave out next.

    One more each time that records have waited for too long, the least useful first; one less,
    the most useful first, when they wait less than half of that.

    Args:
        left_out: now.
        waited_s: how long the record that is worked on has waited.
        limit_s: for how long it may.
        usefulness: by station; for one that is not named it is 0.
    """

    def order(station: StationId) -> tuple[float, StationId]:
        return usefulness.get(station, 0.0), station

    if waited_s > limit_s:
        candidates = sorted(usefulness.keys() - left_out, key=order)
        return left_out | set(candidates[:1]) if len(candidates) > 1 else left_out
    if left_out and waited_s < limit_s / 2:
        return left_out - {max(left_out, key=order)}
    return left_out
