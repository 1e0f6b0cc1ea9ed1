"""Figures say what the event says; what they look like is for eyes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from zilzal.core.catalogue import Catalogue
from zilzal.core.event import (
    Arrival,
    Ellipse,
    Event,
    Magnitude,
    Origin,
    StationMagnitude,
    Unlocated,
)
from zilzal.core.geo import distance_m
from zilzal.core.ids import ChannelId, SensorId, StationId
from zilzal.core.pick import Phase, Pick, Provenance
from zilzal.core.probability import Probabilities
from zilzal.core.station import Station
from zilzal.core.time import Time
from zilzal.core.waveform import Trace, Window
from zilzal.figures.maps import catalogue_map, ellipse_outline, event_map, magnitude_time
from zilzal.figures.style import save_figure
from zilzal.figures.waveforms import describe, record_section, sensor_figure

TIME = Time.parse("2026-01-01T00:00:10Z")
MAKER = Provenance(method="truth", version="1")
STATIONS = [
    Station(StationId("XX", f"S{i}"), 36.0 + 0.1 * i, -117.0 + 0.07 * i * (-1) ** i, 0.0)
    for i in range(4)
]


@pytest.fixture
def event() -> Event:
    picks, arrivals = [], []
    for number, station in enumerate(STATIONS):
        for phase, travel_s in ((Phase.P, 3.0 + number), (Phase.S, 5.2 + 1.7 * number)):
            pick = Pick(
                channel_id=ChannelId("XX", station.station_id.station, "", "HHZ"),
                phase=phase,
                time=TIME + travel_s,
                probability=0.9,
                uncertainty_s=0.05,
                provenance=MAKER,
            )
            picks.append(pick)
            arrivals.append(
                Arrival(
                    pick_id=pick.id,
                    station_id=station.station_id,
                    phase=phase,
                    distance_m=10e3 * number + 5e3,
                    azimuth_deg=90.0 * number,
                    takeoff_angle_deg=None,
                    residual_s=0.1,
                    weight=1.0 if number else 0.0,
                )
            )
    origin = Origin(
        id="origin/1", time=TIME, latitude=36.1, longitude=-117.0, depth_m=8e3,
        covariance=np.diag([1e6, 4e6, 9e6, 0.04]),
        ellipse=Ellipse(semi_major_m=3e3, semi_minor_m=1.5e3, azimuth_deg=0.0, level=0.68),
        arrivals=tuple(arrivals), rms_s=0.1, azimuthal_gap_deg=90.0, nearest_station_m=5e3,
        quality="A", depth_fixed=False, earth_model="ak135", provenance=MAKER,
    )  # fmt: skip
    station_magnitude = StationMagnitude(
        channel_id=ChannelId("XX", "S1", "", "HHN"), magnitude=2.3, type="ML", amplitude_m=1e-6,
        period_s=0.3, distance_m=17e3, snr=20.0, residual=0.0,
    )  # fmt: skip
    magnitude = Magnitude(
        id="magnitude/1", origin_id=origin.id, magnitude=2.3, type="ML", uncertainty=None,
        station_magnitudes=(station_magnitude,), provenance=MAKER,
    )  # fmt: skip
    return Event(id="zz1", version=1, origin=origin, magnitudes=(magnitude,), picks=tuple(picks))


def test_line_about_an_event_holds_its_numbers(event):
    assert describe(event) == (
        "ML 2.3  2026-01-01T00:00:10.00  depth 8.0 km  3 P 3 S  rms 0.10 s  quality A"
    )


def test_record_section_has_a_row_for_each_station_by_distance(event):
    traces = {
        s.station_id: [
            Trace(
                channel_id=ChannelId("XX", s.station_id.station, "", "HHZ"),
                start=TIME,
                sampling_rate=20.0,
                samples=np.sin(np.arange(400.0)),
            )
        ]
        for s in STATIONS
    }
    (axes,) = record_section(event, traces).axes
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["XX.S0  5 km", "XX.S1  15 km", "XX.S2  25 km", "XX.S3  35 km"]


def test_section_and_map_need_a_located_event(event):
    unlocated = Event(id="zz2", version=1, origin=Unlocated(reason="two stations", time=TIME))
    for draw in (lambda e: record_section(e, {}), lambda e: event_map(e, STATIONS)):
        with pytest.raises(ValueError, match="two stations"):
            draw(unlocated)


def test_sensor_figure_shows_three_components_spectrogram_and_curves():
    generator = np.random.default_rng(0)
    window = Window(
        sensor_id=SensorId("XX", "S1", "", "HH"),
        start=TIME,
        sampling_rate=100.0,
        samples=generator.normal(size=(3, 3000)).astype(np.float32),
        present=np.ones((3, 3000), bool),
    )
    curves = Probabilities(
        sensor_id=window.sensor_id,
        start=TIME,
        sampling_rate=100.0,
        labels=("P", "S", "detection"),
        values=generator.random((3, 3000)).astype(np.float32),
    )
    assert len(sensor_figure(window, (), curves).axes) == 5
    assert len(sensor_figure(window, ()).axes) == 4


def test_ellipse_outline_has_its_axes_where_they_belong():
    ellipse = Ellipse(semi_major_m=3e3, semi_minor_m=1e3, azimuth_deg=90.0, level=0.68)
    latitude, longitude = ellipse_outline(36.0, -117.0, ellipse)
    away = distance_m(36.0, -117.0, latitude, longitude)
    assert away.max() == pytest.approx(3e3, rel=1e-3)
    assert away.min() == pytest.approx(1e3, rel=1e-2)
    # The longer axis points east: the farthest point has the latitude of the centre.
    assert latitude[away.argmax()] == pytest.approx(36.0, abs=1e-4)


def test_figures_of_a_catalogue_are_written(event, tmp_path):
    catalogue = Catalogue.of([event])
    for name, figure in {
        "map.png": catalogue_map(catalogue, STATIONS),
        "event.svg": event_map(event, STATIONS),
        "time.png": magnitude_time(catalogue),
    }.items():
        assert save_figure(figure, tmp_path / "new" / name).stat().st_size > 5_000


def test_map_names_stations_and_leaves_far_ones_out(event):
    far = Station(StationId("YY", "FAR"), 36.0, -110.0, 0.0)
    for figure in (catalogue_map(Catalogue.of([event]), [*STATIONS, far]),
                   event_map(event, [*STATIONS, far])):  # fmt: skip
        texts = {text.get_text() for text in figure.axes[0].texts}
        assert {text for text in texts if not text.endswith(" km")} == {"S0", "S1", "S2", "S3"}
        assert len(texts) == 5  # with the scale
    title = catalogue_map(Catalogue.of([event])).axes[0].get_title(loc="left")
    assert title == "1 located event, 2026-01-01 00:00 to 00:00 UTC"


def test_no_station_of_a_map_is_cut_off(event):
    tall = [replace(s, longitude=-117.0 + 0.01 * n) for n, s in enumerate(STATIONS)]
    for figure in (catalogue_map(Catalogue.of([event]), tall), event_map(event, tall)):
        axes = figure.axes[0]
        (west, east), (south, north) = axes.get_xlim(), axes.get_ylim()
        assert all(west < s.longitude < east and south < s.latitude < north for s in tall)
        figure.draw_without_rendering()
        box = axes.get_window_extent()
        east_km = (east - west) * np.cos(np.radians(36.15)) / box.width
        # Titles and tick labels move the layout by some percent when it is drawn at last.
        assert east_km == pytest.approx((north - south) / box.height, rel=0.06)


def test_number_of_events_along_time_counts_those_without_a_magnitude(event):
    others = [
        replace(
            event, id=f"zz{n}", magnitudes=(), origin=replace(event.origin, time=TIME + 60.0 * n)
        )
        for n in (1, 2)
    ]
    figure = magnitude_time(Catalogue.of([event, *others]))
    axes, count = figure.axes
    assert axes.get_title(loc="left") == (
        "1 of 3 events with a magnitude, 2026-01-01 00:00 to 00:02 UTC"
    )
    assert list(count.lines[0].get_ydata()) == [0, 1, 2, 3]
    assert axes.get_xlabel() == "time (UTC)"


def test_empty_catalogue_is_drawn_as_empty(tmp_path):
    for draw in (catalogue_map, magnitude_time):
        save_figure(draw(Catalogue(())), tmp_path / "empty.png")
