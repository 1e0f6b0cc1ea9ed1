"""Cutting windows out of an archive, with their rows; what is not fit is counted with a reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Shaped

from zilzal.core.arrays import Array
from zilzal.core.errors import ZilzalError
from zilzal.core.ids import StationId
from zilzal.core.station import Inventory
from zilzal.io.archive import Archive
from zilzal.io.phases import ReportedEvent
from zilzal.signal.filter import bandpass, start_filter, step_filter
from zilzal.train.sets.arrivals import StationArrivals
from zilzal.train.sets.plan import Cut, Cutting, Unit
from zilzal.train.sets.row import (
    Placed,
    label_cells,
    noise_cells,
    place_cells,
    place_of,
    source_cells,
    window_cells,
)
from zilzal.train.sets.tally import Tally
from zilzal.train.sets.window import SensorWindow, read_window

SEEN_S = 0.25
"""A label counts if a component was recorded for so long before and after it."""

TRANSIENT_BAND_HZ = (2.0, 12.0)
TRANSIENT_S = 0.5
"""Where, and how long, noise is looked at for what sticks out."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Material:
    """All that windows are cut from.

    Args:
        archive: waveforms.
        inventory: of the stations; None where there is none.
        events: of the catalogue, by id.
        arrivals: by station.
    """

    archive: Archive
    inventory: Inventory | None
    events: Mapping[str, ReportedEvent]
    arrivals: Mapping[StationId, StationArrivals]


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """A trace as it goes into a set."""

    cells: Mapping[str, str]
    samples: Shaped[Array, "3 sample"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """Cuts the windows of units.

    Args:
        material: what is cut.
        cutting: how.
    """

    material: Material
    cutting: Cutting

    def make(self, unit: Unit, tally: Tally) -> Iterator[Made]:
        """The windows of a unit that are fit; the others are counted."""
        made = 0
        for cut in unit.cuts:
            if made == unit.wanted:
                return
            told = f"{cut.sensor_id} {cut.start} {cut.event_id}".strip()
            try:
                trace = self._cut(cut, tally)
            except (ZilzalError, OSError, ValueError) as error:
                tally.add("window that could not be cut", f"{told}: {error}")
                continue
            if isinstance(trace, str):
                tally.add(trace, told)
            else:
                made += 1
                yield trace
        if made < unit.wanted and not unit.cuts[0].event_id:
            tally.add("noise window without a fit place", "", count=unit.wanted - made)

    def trace(self, window: SensorWindow, event_id: str, tally: Tally) -> Made | str:
        """A window with all that is known of it, or why it is not fit.

        Args:
            window: the samples.
            event_id: of the event it shows.
            tally: counts labels that were left out.
        """
        here = self.material.arrivals[window.sensor_id.station_id]
        placed: list[Placed] = []
        for label in here.labels:
            sample = window.number(label.pick.time)
            if 0 <= sample <= window.length - 1:
                if window.is_seen(label.pick.time, SEEN_S):
                    placed.append(Placed(label, sample))
                else:
                    told = f"{window.sensor_id} {label.pick.phase} {label.pick.time}"
                    tally.add("arrival in a gap", told)
        if not any(one.label.event_id == event_id for one in placed):
            return "window whose event's arrivals lie in a gap"
        place = place_of(self.material.inventory, window)
        event = self.material.events[event_id]
        cells = {
            **window_cells(window),
            **place_cells(place),
            **source_cells(event_id, event.source, place),
            **label_cells(window, placed, event_id, here.unknown),
        }
        return Made(cells, window.samples)

    def _cut(self, cut: Cut, tally: Tally) -> Made | str:
        """A window, or why there is none."""
        window = read_window(
            self.material.archive, self.material.inventory, cut.sensor_id, cut.start,
            self.cutting.length_s,
        )  # fmt: skip
        if window is None:
            return "window without any sample"
        if cut.event_id:
            return self._unfit(window) or self.trace(window, cut.event_id, tally)
        if reason := self._unfit(window):
            return f"noise: {reason}"
        limit = self.cutting.noise_below
        if limit is not None and loudest_ratio(window) >= limit:
            return f"noise: loudest half second {limit:g} times the median one or more"
        place = place_of(self.material.inventory, window)
        cells = {**window_cells(window), **place_cells(place), **noise_cells(window)}
        return Made(cells, window.samples)

    def _unfit(self, window: SensorWindow) -> str:
        """Why a window is not fit to be used; "" where it is."""
        share = self.cutting.least_present
        if window.present.mean(axis=1).max() < share:
            return f"window less than {share:.0%} of which was recorded"
        return "window with flat components only" if len(window.dead) == 3 else ""


def loudest_ratio(window: SensorWindow) -> float:
    """Energy of the loudest half second over that of the median one, 2 to 12 Hz.

    Of the component where it is largest; 0 where there is nothing. Stationary noise stays below
    about 5, whatever its level.
    """
    high_hz = min(TRANSIENT_BAND_HZ[1], 0.4 * window.sampling_rate)
    sections = bandpass(TRANSIENT_BAND_HZ[0], high_hz, order=2, sampling_rate=window.sampling_rate)
    _, filtered = step_filter(sections, start_filter(sections, 3), _held(window))
    block = max(1, round(TRANSIENT_S * window.sampling_rate))
    count = window.length // block
    energy = (filtered[:, : count * block] ** 2).reshape(3, count, block).mean(axis=-1)
    present = window.present[:, : count * block].reshape(3, count, block)
    whole: Bool[Array, "3 block"] = np.logical_and.reduce(present, axis=-1)
    ratios = [
        float(row[there].max() / np.median(row[there]))
        for row, there in zip(energy, whole, strict=True)
        if there.any() and np.median(row[there]) > 0
    ]
    return max(ratios, default=0.0)


def _held(window: SensorWindow) -> Shaped[Array, "3 sample"]:
    """Samples from their first value on, held through gaps, so that filters see no step there."""
    samples = np.array(window.samples, np.float64)
    for row, present in zip(samples, window.present, strict=True):
        there = np.flatnonzero(present)
        if len(there):
            last = np.maximum.accumulate(np.where(present, np.arange(len(row)), there[0]))
            row[:] = row[last] - row[there[0]]
    return samples
