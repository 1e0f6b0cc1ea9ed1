"""From a cut of a sensor and what is known of it to the cells of a SeisBench table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Shaped

from zilzal.core.arrays import Array
from zilzal.core.event import EventType
from zilzal.core.geo import azimuth_deg, distance_m
from zilzal.core.pick import Phase
from zilzal.core.station import Channel, Inventory
from zilzal.core.units import km
from zilzal.core.waveform import COMPONENTS
from zilzal.io.phases.reported import ReportedPick, stamp
from zilzal.io.tables import CatalogueRow
from zilzal.pick.measure import cut_around, measure
from zilzal.train.sets.arrivals import Label, UnknownSpan
from zilzal.train.sets.window import SensorWindow

NOISE = "noise"
_SURFACE = (EventType.LANDSLIDE, EventType.ROCKSLIDE, EventType.SNOW_AVALANCHE)


def number(value: float | None, decimals: int) -> str:
    """A number without trailing zeros; "" for None and NaN."""
    if value is None or np.isnan(value):
        return ""
    text = f"{value:z.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def trace_name(window: SensorWindow) -> str:
    """Network, station, location, band and instant, which no two cuts of a sensor share."""
    sensor = window.sensor_id
    codes = [sensor.network, sensor.station, sensor.location, sensor.band]
    return "_".join([*(code for code in codes if code), stamp(window.start)])


def window_cells(window: SensorWindow) -> dict[str, str]:
    """What a cut says of itself: when, at which rate, of which channels, what is missing."""
    dead = window.dead
    cells = {
        "trace_name": trace_name(window),
        "trace_start_time": str(window.start),
        "trace_sampling_rate_hz": repr(float(window.sampling_rate)),
        "trace_npts": str(window.length),
        "trace_component_order": COMPONENTS,
        "trace_channel": ",".join(channel.channel for channel in window.channels),
        "trace_unit": "counts",
        "trace_dead_components": dead,
        "trace_completeness": number(float(window.present.mean()), 4),
        "trace_orientation_note": "; ".join(window.notes),
        "station_network_code": window.sensor_id.network,
        "station_code": window.sensor_id.station,
        "station_location_code": window.sensor_id.location,
    }
    for letter in COMPONENTS:
        if letter not in dead:
            cells[f"trace_{letter.lower()}_missing_spans"] = spans_cell(
                window.missing_spans(letter)
            )
    return cells


def spans_cell(spans: Iterable[tuple[float, float]]) -> str:
    """Spans as `first-last` joined by `;`."""
    return ";".join(f"{number(first, 2)}-{number(last, 2)}" for first, last in spans)


def place_of(inventory: Inventory | None, window: SensorWindow) -> Channel | None:
    """What the inventory says of where a cut was recorded."""
    if inventory is None:
        return None
    found = (inventory.channel(channel, window.start) for channel in window.channels)
    return next((channel for channel in found if channel is not None), None)


def place_cells(place: Channel | None) -> dict[str, str]:
    """Where a sensor stands."""
    if place is None:
        return {}
    return {
        "station_latitude_deg": number(place.latitude, 6),
        "station_longitude_deg": number(place.longitude, 6),
        "station_elevation_m": number(place.sensor_elevation_m, 1),
    }


def source_cells(
    event_id: str, source: CatalogueRow | None, place: Channel | None
) -> dict[str, str]:
    """The event, and the path from it."""
    cells = {"source_id": event_id, "trace_category": "earthquake"}
    if source is None:
        return cells
    if source.event_type in _SURFACE:
        cells["trace_category"] = "surface event"
    cells |= {
        "source_origin_time": str(source.time),
        "source_latitude_deg": number(source.latitude, 6),
        "source_longitude_deg": number(source.longitude, 6),
        "source_depth_km": "" if source.depth_m is None else number(km(source.depth_m), 4),
        "source_magnitude": number(source.magnitude, 3),
        "source_magnitude_type": source.magnitude_type,
        "source_type": source.event_type,
    }
    if place is None or source.latitude is None or source.longitude is None:
        return cells
    here = source.latitude, source.longitude
    there = place.latitude, place.longitude
    epicentral_m = float(distance_m(*here, *there))
    cells |= {
        "path_ep_distance_km": number(km(epicentral_m), 4),
        "path_azimuth_deg": number(float(azimuth_deg(*here, *there)), 2),
        "path_back_azimuth_deg": number(float(azimuth_deg(*there, *here)), 2),
    }
    if source.depth_m is not None:
        height_m = source.depth_m + place.sensor_elevation_m
        cells["path_hyp_distance_km"] = number(km(float(np.hypot(epicentral_m, height_m))), 4)
    return cells


def noise_cells(window: SensorWindow) -> dict[str, str]:
    """A cut of noise: an hour of a station is what a split must not divide."""
    hour = f"{window.start.to_datetime():%Y%m%dT%H}"
    return {
        "trace_category": NOISE,
        "source_type": NOISE,
        "source_id": f"noise_{window.sensor_id.station_id}_{hour}",
    }


@dataclass(frozen=True, slots=True)
class Placed:
    """A label and its place in a cut, in samples from the first."""

    label: Label
    sample: float


def label_cells(
    window: SensorWindow, placed: Sequence[Placed], event_id: str, unknown: Sequence[UnknownSpan]
) -> dict[str, str]:
    """All arrivals in a cut; the single columns hold its event's first P, and the S after it.

    Args:
        window: the cut.
        placed: labels in it, in order of time.
        event_id: the event that it was cut for.
        unknown: spans of which nobody knows whether a phase arrives.
    """
    cells: dict[str, str] = {}
    p_sample = -np.inf
    for phase in Phase:
        here = [one for one in placed if one.label.pick.phase is phase]
        cells |= _list_cells(phase, here)
        own = [o for o in here if o.label.event_id == event_id and o.sample > p_sample]
        if own:
            cells |= _single_cells(phase, own[0].label.pick, own[0].sample)
            p_sample = own[0].sample
        spans = [span for span in unknown if span.phase is phase]
        cells[f"trace_{phase.lower()}_unlabelled_spans"] = spans_cell(_inside(window, spans))
    cells["trace_s_labelled"] = str(not cells["trace_s_unlabelled_spans"])
    cells["trace_snr_db"] = _snr_cell(window, placed)
    return cells


def _inside(window: SensorWindow, spans: Iterable[UnknownSpan]) -> list[tuple[float, float]]:
    """Spans in samples, cut at the window's ends."""
    last = window.length - 1
    found = ((window.number(span.start), window.number(span.end)) for span in spans)
    return [(max(0.0, a), min(float(last), b)) for a, b in found if a < last and b > 0]


def _list_cells(phase: Phase, placed: Sequence[Placed]) -> dict[str, str]:
    """Lists joined by `;`, see `train.line_labels`."""
    if not placed:
        return {}
    stem = f"trace_{phase.lower()}"
    picks = [one.label.pick for one in placed]
    lists = {
        "arrival_samples": [number(one.sample, 3) for one in placed],
        "statuses": [str(pick.status) for pick in picks],
        "weights": [number(pick.weight, 4) for pick in picks],
        "uncertainties_s": [number(pick.uncertainty_s, 4) for pick in picks],
        "source_ids": [one.label.event_id for one in placed],
    }
    if phase is Phase.P:
        lists["polarities"] = [pick.polarity or "" for pick in picks]
    return {f"{stem}_{what}": ";".join(cells) for what, cells in lists.items() if any(cells)}


def _single_cells(phase: Phase, pick: ReportedPick, sample: float) -> Mapping[str, str]:
    stem = f"trace_{phase.lower()}"
    cells = {
        f"{stem}_arrival_sample": number(sample, 3),
        f"{stem}_status": str(pick.status),
        f"{stem}_weight": number(pick.weight, 4),
        f"{stem}_uncertainty_s": number(pick.uncertainty_s, 4),
    }
    return cells | ({"trace_polarity": pick.polarity or ""} if phase is Phase.P else {})


def _snr_cell(window: SensorWindow, placed: Sequence[Placed]) -> str:
    """Of the first P, or of the first S where there is none."""
    for phase in Phase:
        first = next((one for one in placed if one.label.pick.phase is phase), None)
        if first is not None:
            seen = window.samples, window.present
            return number(snr_db(*seen, first.sample, phase, window.sampling_rate), 1)
    return ""


def snr_db(
    samples: Shaped[Array, "3 sample"],
    present: Bool[Array, "3 sample"],
    onset: float,
    phase: Phase,
    sampling_rate: float,
) -> float | None:
    """Signal to noise of an arrival as `pick.measure` has it [dB]; None where not measurable."""
    counts = samples.astype(np.float32, copy=False)
    (measured,) = measure([cut_around(counts, present, round(onset), sampling_rate)], [phase])
    return 20 * float(np.log10(measured.snr)) if measured.snr else None
