"""How far a sensor's data have come when its records arrive as they will: the live promise.

The gap policy and the stages after it work on what has been promised to be complete. Here the
promise is made, from nothing but the sensor's own records in the order in which they came: no
clock and no other sensor has a say in it. So a station that is late by an hour is worked through
as if it had been on time, and a stream that is given again leads to the same promises again.

A sensor has come to where the first of its channels has a hole or ends. A hole, and a channel that
has fallen silent, is waited for until the sensor's newest sample is `wait_s` past it; before the
first promise that much must have come.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from zilzal.core.ids import ChannelId
from zilzal.core.time import NS_PER_S
from zilzal.core.waveform import Trace

Stretch = tuple[int, int]
"""First nanosecond, and where the next sample would be."""


@dataclass(frozen=True, slots=True)
class ReachState:
    """How far a sensor has come; can be pickled.

    Args:
        first_ns: its first sample.
        newest_ns: end of its newest record.
        longest_ns: length of its longest record: by so much channels are apart at any time.
        promised_ns: all before it has come, or will not be waited for.
        ends_ns: by channel, where its data end without a hole.
        beyond: by channel, what has come after a hole, in order of time.
    """

    first_ns: int | None = None
    newest_ns: int | None = None
    longest_ns: int = 0
    promised_ns: int | None = None
    ends_ns: Mapping[ChannelId, int] = field(default_factory=dict[ChannelId, int])
    beyond: Mapping[ChannelId, tuple[Stretch, ...]] = field(
        default_factory=dict[ChannelId, tuple[Stretch, ...]]
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long records that are out of order are waited for.

    Args:
        wait_s: in the time of the data, beyond the length of the sensor's longest record.
    """

    wait_s: float

    def take(self, state: ReachState, trace: Trace, expected: frozenset[ChannelId]) -> ReachState:
        """Take note of a record.

        Args:
            state: as of the last record; not changed.
            trace: its samples.
            expected: channels of the sensor, heard or not.
        """
        channel, sample_ns = trace.channel_id, round(NS_PER_S / trace.sampling_rate)
        start_ns, end_ns = trace.start.ns, trace.next_start.ns
        first_ns = start_ns if state.first_ns is None else min(state.first_ns, start_ns)
        newest_ns = end_ns if state.newest_ns is None else max(state.newest_ns, end_ns)
        state = replace(
            state,
            first_ns=first_ns,
            newest_ns=newest_ns,
            longest_ns=max(state.longest_ns, end_ns - start_ns),
            beyond={
                **state.beyond,
                channel: tuple(sorted([*state.beyond.get(channel, ()), (start_ns, end_ns)])),
            },
        )
        given_up_ns = newest_ns - state.longest_ns - round(self.wait_s * NS_PER_S)
        if state.promised_ns is None:
            if given_up_ns < first_ns:
                return state
            return _promise(_catch_up(state, state.beyond, sample_ns), expected, given_up_ns)
        state = _promise(_catch_up(state, (channel,), sample_ns), expected, given_up_ns)
        # What is not waited for any more is no hole.
        return _catch_up(state, tuple(state.beyond), sample_ns)


def _promise(state: ReachState, expected: frozenset[ChannelId], given_up_ns: int) -> ReachState:
    """Promise as far as the channels have come that are still waited for."""
    assert state.first_ns is not None
    reached: list[int] = []
    for channel in expected:
        end_ns = state.ends_ns.get(channel, state.first_ns)
        if end_ns >= given_up_ns or channel in state.beyond:
            reached.append(max(end_ns, given_up_ns))
    promised_ns = min(reached, default=given_up_ns)
    return replace(state, promised_ns=max(promised_ns, state.promised_ns or promised_ns))


def _catch_up(state: ReachState, channels: Iterable[ChannelId], sample_ns: int) -> ReachState:
    """Move channels' ends over what came later, where no hole is left that is waited for."""
    ends, beyond = dict(state.ends_ns), dict(state.beyond)
    for channel in channels:
        known = [ns for ns in (ends.get(channel), state.promised_ns) if ns is not None]
        end_ns, rest = _join(max(known, default=None), beyond.pop(channel, ()), sample_ns)
        if end_ns is not None:
            ends[channel] = end_ns
        if rest:
            beyond[channel] = rest
    return replace(state, ends_ns=ends, beyond=beyond)


def _join(
    end_ns: int | None, stretches: Sequence[Stretch], sample_ns: int
) -> tuple[int | None, tuple[Stretch, ...]]:
    """How far stretches continue an end, and those that do not."""
    rest: list[Stretch] = []
    for start, end in stretches:
        if end_ns is None or start - end_ns <= sample_ns:
            end_ns = end if end_ns is None else max(end_ns, end)
        else:
            rest.append((start, end))
    return end_ns, tuple(rest)
