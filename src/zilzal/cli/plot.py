"""`zilzal plot`: pictures of a finished run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

if TYPE_CHECKING:
    from zilzal.core.event import Event
    from zilzal.core.stage import Waveforms
    from zilzal.core.station import Inventory


def plot(
    run: Annotated[Path, typer.Argument(help="Folder of a run, with its zilzal.db.")],
    *,
    inventory: Annotated[
        list[Path] | None,
        typer.Option("--inventory", "-i", help="Of the stations, if the store does not know."),
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the pictures.")],
    event: Annotated[
        list[str] | None, typer.Option(help="Event to draw; repeatable. The largest if left out.")
    ] = None,
    source: Annotated[
        list[Path] | None,
        typer.Option("--source", "-s", help="Waveforms, if the store does not know."),
    ] = None,
    number: Annotated[int, typer.Option(help="How many of the largest events.")] = 1,
) -> None:
    """Draw the catalogue's map and times, and events: section, map, and their nearest sensor.

    Where stations are described and waveforms lie, the store knows from the run that made it.
    """
    from zilzal.app.archive import catalogue_of
    from zilzal.app.display.holdings import Places, open_holdings
    from zilzal.core.errors import ConfigError
    from zilzal.figures.maps import catalogue_map, event_map, magnitude_time
    from zilzal.figures.style import save_figure

    places = Places(inventory=tuple(inventory or ()), waveforms=tuple(source or ()))
    with open_holdings(run, places) as holdings:
        catalogue = catalogue_of(holdings.store.events().events)
    chosen = [e for e in catalogue if event and e.id in event]
    if event and len(chosen) < len(event):
        unknown = ", ".join(set(event) - {e.id for e in chosen})
        raise ConfigError(f"no event {unknown} in {run}; catalogue.csv lists them")
    if not event:
        chosen = sorted(catalogue, key=_size, reverse=True)[:number]
    stations = holdings.inventory
    written = [
        save_figure(catalogue_map(catalogue, stations.stations()), output / "catalogue-map.png"),
        save_figure(magnitude_time(catalogue), output / "magnitude-time.png"),
    ]
    console = Console(highlight=False, markup=False)
    if not stations.channels:
        console.print("no stations known; --inventory says where they are described")
    for one in chosen:
        figure = event_map(one, stations.stations(one.time))
        written.append(save_figure(figure, output / f"{one.id}-map.png"))
        drawn = _draw_waveforms(one, holdings.waveforms, stations, output)
        if not drawn:
            console.print(f"{one.id}: no waveforms found; --source says where they lie")
        written += drawn
    for path in written:
        console.print(str(path), soft_wrap=True)


def _draw_waveforms(
    event: Event, waveforms: Waveforms, inventory: Inventory, output: Path
) -> list[Path]:
    """The record section and the nearest sensor, as far as there are waveforms of them."""
    from zilzal.app.views import nearest_sensor, sensor_view, verticals_of
    from zilzal.figures.style import save_figure
    from zilzal.figures.waveforms import record_section, sensor_figure

    verticals = verticals_of(event, waveforms)
    if not any(verticals.values()):
        return []
    section = record_section(event, verticals)
    written = [save_figure(section, output / f"{event.id}-section.png")]
    sensor = nearest_sensor(event)
    if sensor is not None and verticals.get(sensor.station_id):
        window, picks, curves = sensor_view(event, sensor, waveforms, inventory)
        figure = sensor_figure(window, picks, curves)
        written.append(save_figure(figure, output / f"{event.id}-{sensor}.png"))
    return written


def _size(event: Event) -> float:
    magnitude = event.magnitude
    return -9.0 if magnitude is None or magnitude.magnitude is None else magnitude.magnitude
