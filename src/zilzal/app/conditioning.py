"""From the traces of one sensor's channels to windows that a picker takes: gaps, then alignment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from zilzal.core.coverage import CoverageSpan
from zilzal.core.ids import ChannelId, SensorId
from zilzal.core.station import Inventory
from zilzal.core.time import Time
from zilzal.core.waveform import Trace, Window
from zilzal.signal import align
from zilzal.signal.align import AlignState
from zilzal.signal.continuity import ContinuityState, GapPolicy
from zilzal.signal.orientation import Orientation, orient

_T = TypeVar("_T", Trace, CoverageSpan)


@dataclass(frozen=True, slots=True, eq=False)
class ConditioningState:
    """A sensor between two steps; can be pickled."""

    channels: Mapping[ChannelId, ContinuityState]
    aligned: AlignState


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditioning:
    """The gap policy on each channel of a sensor, then its components on one time axis.

    Both drivers use it: the archive's promises whole chunks with `until`, a live one promises
    what its buffers allow.

    Args:
        sensor_id: whose.
        channel_ids: of its components.
        policy: for gaps.
        orientation: of its components.
    """

    sensor_id: SensorId
    channel_ids: tuple[ChannelId, ...]
    policy: GapPolicy
    orientation: Orientation

    @classmethod
    def of(
        cls,
        sensor_id: SensorId,
        channel_ids: Sequence[ChannelId],
        policy: GapPolicy,
        *,
        inventory: Inventory | None,
        time: Time,
    ) -> Conditioning:
        """With the orientation that the inventory gives for an instant, if there is one."""
        channels = inventory.sensor(sensor_id, time) if inventory is not None else ()
        orientation = orient([channel.component for channel in channel_ids], channels)
        return cls(
            sensor_id=sensor_id,
            channel_ids=tuple(channel_ids),
            policy=policy,
            orientation=orientation,
        )

    def start(self, since: Time | None = None) -> ConditioningState:
        """The state before any data; the ledger begins at `since`, or at the first sample."""
        return ConditioningState(
            {channel: self.policy.start(channel, since=since) for channel in self.channel_ids},
            align.start(self.sensor_id, self.orientation),
        )

    def step(
        self,
        state: ConditioningState,
        traces: Iterable[Trace],
        until: Time,
        *,
        corrupt: Iterable[CoverageSpan] = (),
    ) -> tuple[ConditioningState, list[Window], list[CoverageSpan]]:
        """Take traces in, in the order in which they came; no more will come before `until`."""
        by_channel = _sorted_out(self.channel_ids, traces)
        spoilt = _sorted_out(self.channel_ids, corrupt)
        channels: dict[ChannelId, ContinuityState] = {}
        clean: list[Trace] = []
        spans: list[CoverageSpan] = []
        for channel in self.channel_ids:
            channels[channel], pieces, told = self.policy.step(
                state.channels[channel], by_channel[channel], until, corrupt=spoilt[channel]
            )
            clean += pieces
            spans += told
        settled = min((s.settled for s in channels.values() if s.settled), default=until)
        aligned, windows = align.step(state.aligned, clean, settled)
        return ConditioningState(channels, aligned), windows, [*spans, *aligned.skipped]

    def finish(
        self, state: ConditioningState, end: Time | None = None
    ) -> tuple[list[Window], list[CoverageSpan]]:
        """No more data will come; the ledger goes on to `end`, if given."""
        clean: list[Trace] = []
        spans: list[CoverageSpan] = []
        for channel in self.channel_ids:
            pieces, told = self.policy.finish(state.channels[channel], end=end)
            clean += pieces
            spans += told
        last = max((trace.next_start for trace in clean), default=Time(0))
        aligned, windows = align.step(state.aligned, clean, last)
        return [*windows, *align.finish(aligned)], [*spans, *aligned.skipped]


def _sorted_out(
    channel_ids: Sequence[ChannelId], things: Iterable[_T]
) -> dict[ChannelId, list[_T]]:
    groups: dict[ChannelId, list[_T]] = {channel: [] for channel in channel_ids}
    for thing in things:
        groups[thing.channel_id].append(thing)
    return groups
