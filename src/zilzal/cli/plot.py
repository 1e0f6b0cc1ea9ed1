"""`zilzal plot`: pictures of a finished run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

if TYPE_CHECKING:
    from zilzal.core.event import Event
    from zilzal.core.station import Inventory
    from zilzal.io.archive import Archive


def plot(
    run: Annotated[Path, typer.Argument(help="Folder of a run, with its zilzal.db.")],
    *,
    inventory: Annotated[list[Path], typer.Option("--inventory", "-i", help="Of the stations.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the pictures.")],
    event: Annotated[
        list[str] | None, typer.Option(help="Event to draw; repeatable. The largest if left out.")
    ] = None,
    source: Annotated[
        list[Path] | None, typer.Option("--source", "-s", help="Waveforms, for record sections.")
    ] = None,
    number: Annotated[int, typer.Option(help="How many of the largest events.")] = 1,
) -> None:
    """Draw the catalogue's map and times, and events: section, map, and their nearest sensor."""
    from zilzal.app.archive import catalogue_of, store_place
    from zilzal.core.errors import ConfigError
    from zilzal.figures.maps import catalogue_map, event_map, magnitude_time
    from zilzal.figures.style import save_figure
    from zilzal.io.archive import Archive
    from zilzal.io.inventory import read_inventory
    from zilzal.io.store import Store

    stations = read_inventory(inventory)
    archive = Archive.open(source) if source else None
    with Store.open(store_place(run), create=False) as store:
        catalogue = catalogue_of(store.events().events)
    chosen = [e for e in catalogue if event and e.id in event]
    if event and len(chosen) < len(event):
        unknown = ", ".join(set(event) - {e.id for e in chosen})
        raise ConfigError(f"no event {unknown} in {run}; catalogue.csv lists them")
    if not event:
        chosen = sorted(catalogue, key=_size, reverse=True)[:number]
    written = [
        save_figure(catalogue_map(catalogue, stations.stations()), output / "catalogue-map.png"),
        save_figure(magnitude_time(catalogue), output / "magnitude-time.png"),
    ]
    for one in chosen:
        figure = event_map(one, stations.stations(one.time))
        written.append(save_figure(figure, output / f"{one.id}-map.png"))
        if archive is not None:
            written += _draw_waveforms(one, archive, stations, output)
    console = Console()
    for path in written:
        console.print(str(path), highlight=False, markup=False)


def _draw_waveforms(
    event: Event, archive: Archive, inventory: Inventory, output: Path
) -> list[Path]:
    from zilzal.app.views import nearest_sensor, sensor_view, verticals_of
    from zilzal.figures.style import save_figure
    from zilzal.figures.waveforms import record_section, sensor_figure

    section = record_section(event, verticals_of(event, archive))
    written = [save_figure(section, output / f"{event.id}-section.png")]
    sensor = nearest_sensor(event)
    if sensor is not None:
        window, picks, curves = sensor_view(event, sensor, archive, inventory)
        figure = sensor_figure(window, picks, curves)
        written.append(save_figure(figure, output / f"{event.id}-{sensor}.png"))
    return written


def _size(event: Event) -> float:
    magnitude = event.magnitude
    return -9.0 if magnitude is None or magnitude.magnitude is None else magnitude.magnitude
