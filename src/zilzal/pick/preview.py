"""What a network sees in the newest data, before the windows that will decide are complete.

Each sensor's newest samples go through the network in a short window (`infer.newest`). Picks that
it is settled about are kept from preview to preview, neither inferred nor measured again; those
after them are read anew. Where too little has been seen before, all that is not final is looked
at in the long windows, as if the data ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from jaxtyping import Float32

from zilzal.core.arrays import Array
from zilzal.core.ids import SensorId
from zilzal.core.pick import Pick
from zilzal.core.stage import Preview
from zilzal.core.time import Time
from zilzal.infer.newest import newest_curves, newest_window, unsettled_samples
from zilzal.infer.spec import ModelSpec
from zilzal.pick.read import Peak, Reading, start_reading, step_reading
from zilzal.pick.tell import Segment, Teller
from zilzal.signal.edge import EdgeWindow

_NEVER = Time(-(2**62))


class Look(NamedTuple):
    """A short window over a sensor's newest samples.

    Args:
        sensor: whose.
        segment: that is open.
        window: for the network.
        seen: the preview before; None where there was none.
    """

    sensor: SensorId
    segment: Segment
    window: EdgeWindow
    seen: Preview | None

    def read(
        self,
        spec: ModelSpec,
        reading: Reading,
        teller: Teller,
        output: Float32[Array, "label sample"],
    ) -> Preview:
        """Picks that were settled before, and those in the window.

        Args:
            spec: of the network with its long windows.
            reading: of its curves.
            teller: measures.
            output: of the network for the window.
        """
        segment = self.segment
        curves, first = newest_curves(
            spec, segment.overlap, segment.cutting.frames, self.window, output
        )
        begun = segment.reader
        if first is not None:
            begun = start_reading(reading, curves.first_number)._replace(frontier=first)
        _, peaks, _ = step_reading(reading, begun, curves, None)
        kept: list[Pick] = []
        since = _NEVER
        if self.seen is not None:
            since = self.seen.settled
            final = segment.time_of(segment.reader.frontier)
            kept = [pick for pick in self.seen.picks if final <= pick.time < since]
        apart_s = reading.separation_samples / segment.preparation.sampling_rate
        # What was just after the limit may be just before it now.
        new = [
            peak
            for peak in peaks
            if (time := segment.time_of(peak.number)) >= since - apart_s
            and not _is_among(peak, time, kept, apart_s)
        ]
        return Preview((*kept, *teller.picks(new)), settled_of(spec, segment))


def looks_at(
    spec: ModelSpec, segments: Mapping[SensorId, Segment], before: Mapping[SensorId, Preview]
) -> list[Look]:
    """Short windows of the sensors of which they show all that has not been seen."""
    looks: list[Look] = []
    for sensor, segment in segments.items():
        frames, seen = segment.cutting.frames, before.get(sensor)
        window = newest_window(spec, frames)
        if window is None:
            continue
        shows_all = window.start == frames.kept.first
        if shows_all or (seen is not None and segment.time_of(window.first) <= seen.settled):
            looks.append(Look(sensor, segment, window, seen))
    return looks


def settled_of(spec: ModelSpec, segment: Segment | None) -> Time:
    """Picks before have seen as much after them as final ones."""
    if segment is None:
        return _NEVER
    return segment.time_of(segment.end_number - unsettled_samples(spec))


def by_sensor(
    sensors: Iterable[SensorId], picks: Iterable[Pick]
) -> dict[SensorId, tuple[Pick, ...]]:
    """Each sensor's picks; none of those that have none."""
    found: dict[SensorId, list[Pick]] = {sensor: [] for sensor in sensors}
    for pick in picks:
        found[pick.channel_id.sensor_id].append(pick)
    return {sensor: tuple(members) for sensor, members in found.items()}


def _is_among(peak: Peak, time: Time, picks: Iterable[Pick], apart_s: float) -> bool:
    return any(pick.phase == peak.label and abs(pick.time - time) < apart_s for pick in picks)
