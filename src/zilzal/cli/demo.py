"""`zilzal demo`: the whole graph on what the package brings along."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from zilzal.cli.progress import showing
from zilzal.cli.run import show_summary
from zilzal.cli.serve.beside import ServePort, console_beside

if TYPE_CHECKING:
    from zilzal.app.demonstration import RealEvent, Shown
    from zilzal.synth.scenario import Scenario


def demo(
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for everything that is made.")
    ] = Path("zilzal-demo"),
    picker: Annotated[str, typer.Option(help="Picker to use, as neural or stalta.")] = "neural",
    scenario: Annotated[
        Path | None, typer.Option("--scenario", "-s", help="Another synthetic network (TOML).")
    ] = None,
    serve: ServePort = None,
) -> None:
    """Find the earthquakes of a synthetic network, and pick a real one; no network is needed.

    Twelve stations record eight earthquakes and a blast, with noise, gaps and glitches. They go
    through the same pipeline as `zilzal run`, and the result is held against the truth. Then
    recordings of a real event of 2010 that come with ObsPy are picked and drawn.
    """
    from zilzal.app.synthetic import make_synthetic, read_scenario

    planned = read_scenario(scenario)
    # Made before, so that a console finds it; the demonstration uses it again.
    made = make_synthetic(planned, output)
    place = output / "zilzal.db"
    with console_beside(
        serve, place, inventory=[made.inventory], waveforms=[made.waveforms]
    ) as wait_for_end:
        _demonstrate(planned, output, picker)
        wait_for_end()


def _demonstrate(planned: Scenario, output: Path, picker: str) -> None:
    from zilzal.app.demonstration import pick_real_event, run_demo

    console = Console()
    with showing(Console(stderr=True)) as report:
        shown = run_demo(planned, output, picker, report)
    show_summary(console, shown.summary, output)
    table = Table("event", "M", "type", "epicentre", "depth", "time", "magnitude")
    for row in shown.rows:
        table.add_row(*row)
    console.print(table)
    console.print(
        f"[bold]{shown.found}[/] of {len(shown.rows)} found, {shown.missed} missed, "
        f"{shown.false} false"
    )
    for phase, score in shown.picks.items():
        console.print(
            f"{phase} picks: precision {score.precision.value:.2f}, recall "
            f"{score.recall.value:.2f} of the visible arrivals, median residual "
            f"{score.residuals.median_s.value:+.3f} s"
        )
    real = pick_real_event(output, picker)
    console.print(f"{len(real.picks)} picks of a real event of 2010: {real.table}", markup=False)
    for path in [*_draw_found(shown, output), *_draw_real(real, output)]:
        console.print(f"picture: {path}", highlight=False, markup=False)


def _draw_found(shown: Shown, output: Path) -> list[Path]:
    """The catalogue and its largest event."""
    from zilzal.app.views import nearest_sensor, sensor_view, verticals_of
    from zilzal.figures.maps import catalogue_map, event_map
    from zilzal.figures.style import save_figure
    from zilzal.figures.waveforms import record_section, sensor_figure
    from zilzal.io.archive import Archive

    inventory = shown.made.network.inventory
    figures = {"catalogue-map": catalogue_map(shown.catalogue, inventory.stations())}
    sized = [(e.magnitude.magnitude or 0.0, e) for e in shown.catalogue if e.magnitude]
    if sized:
        largest = max(sized, key=lambda pair: pair[0])[1]
        archive = Archive.open([shown.made.waveforms])
        figures["event-map"] = event_map(largest, inventory.stations())
        figures["record-section"] = record_section(largest, verticals_of(largest, archive))
        sensor = nearest_sensor(largest)
        if sensor is not None:
            figures["sensor"] = sensor_figure(*sensor_view(largest, sensor, archive, inventory))
    return [save_figure(f, output / "figures" / f"{name}.png") for name, f in figures.items()]


def _draw_real(real: RealEvent, output: Path) -> list[Path]:
    """Each station of the real event with its picks."""
    from zilzal.app.views import read_windows
    from zilzal.figures.style import save_figure
    from zilzal.figures.waveforms import sensor_figure

    written: list[Path] = []
    for sensor in real.archive.sensors():
        span = real.archive.span(sensor)
        if span is None:
            continue
        window = max(read_windows(sensor, span, real.archive, None), key=lambda w: w.length)
        picks = [pick for pick in real.picks if pick.channel_id.sensor_id == sensor]
        path = output / "figures" / f"real-{sensor}.png"
        written.append(save_figure(sensor_figure(window, picks), path))
    return written
