"""Clean pieces of a channel, cut out of what was recorded: for stages that look at it again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from zilzal.core.ids import ChannelId
from zilzal.core.time import Time
from zilzal.core.waveform import Trace
from zilzal.signal.continuity import GapPolicy


def clean_pieces(
    recorded: Callable[[ChannelId, Time, Time], Sequence[Trace]],
    policy: GapPolicy,
    channel_id: ChannelId,
    start: Time,
    end: Time,
) -> list[Trace]:
    """Gap-free pieces of a channel inside [start, end), in order of time.

    The gap policy looks at more than that, so that it sees what the pieces are a part of: a
    constant value or a clipped sample before them, a filler that goes on after them.

    Args:
        recorded: what there is of a channel between two instants, neither merged nor cleaned.
        policy: makes one clean record of it.
        channel_id: whose.
        start: of the pieces.
        end: of the pieces.
    """
    lead_s = max(policy.dead_s, policy.clip_hold_s, policy.shortest_s) + 1
    lag_s = max(policy.zero_run_s, policy.shortest_s) + 1
    around = recorded(channel_id, start - lead_s, end + lag_s)
    state, pieces, _ = policy.step(policy.start(channel_id), around, end + lag_s)
    pieces += policy.finish(state)[0]
    return cut_traces(pieces, start, end)


def cut_traces(traces: Iterable[Trace], start: Time, end: Time) -> list[Trace]:
    """What traces have inside [start, end); those that have nothing there are left out."""
    cut = (_cut(trace, start, end) for trace in traces)
    return [trace for trace in cut if len(trace.samples)]


def _cut(trace: Trace, start: Time, end: Time) -> Trace:
    rate, count = trace.sampling_rate, len(trace.samples)
    if start <= trace.start and trace.next_start <= end:
        return trace

    def number(time: Time) -> int:
        # Instants are whole nanoseconds: a sample within 1e-3 of its place is at the place.
        return min(max(int(np.ceil((time - trace.start) * rate - 1e-3)), 0), count)

    first, last = number(start), number(end)
    return Trace(
        channel_id=trace.channel_id,
        start=trace.start + first / rate,
        sampling_rate=rate,
        samples=trace.samples[first:last],
    )
