"""`zilzal models list` and `show`: what there is, and a network's card."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markdown import Markdown
from rich.markup import escape
from rich.table import Column, Table

from zilzal.core.errors import SpecError

if TYPE_CHECKING:
    from zilzal.infer.spec import ModelSpec


def list_models(
    folder: Annotated[
        Path | None, typer.Argument(help="Folder to list too, besides those always looked in.")
    ] = None,
) -> None:
    """List the networks that come with the package, your own, and those of a folder."""
    from zilzal.infer.folders import user_model_folder
    from zilzal.infer.packaged import model_folder, models_in

    places = {"packaged": model_folder(), "yours": user_model_folder()}
    if folder is not None:
        places[str(folder)] = folder
    console = Console()
    for where, place in places.items():
        names = models_in(place)
        if names or where != "yours":
            console.print(_listed(where, place, names))
    console.print(f"your own networks lie in {user_model_folder()}", markup=False, highlight=False)


def _listed(where: str, place: Path, names: Sequence[str]) -> Table:
    from zilzal.infer.spec import read_spec

    table = Table(
        *(Column(text, no_wrap=True) for text in ("name", "task", "labels")),
        *(Column(escape(text), justify="right") for text in ("rate [Hz]", "size [kB]")),
        Column("million multiply-adds per s", justify="right"), "licence",
        title=escape(where), title_justify="left", box=None, padding=(0, 2, 0, 0),
    )  # fmt: skip
    for name in names:
        path = place / f"{name}.onnx"
        try:
            spec = read_spec(path)
        except SpecError as error:
            table.add_row(name, *[""] * 5, f"[yellow]{escape(str(error))}[/]")
            continue
        table.add_row(name, *_cells(spec, path.stat().st_size))
    return table


def _cells(spec: ModelSpec, n_bytes: int) -> Iterator[str]:
    yield spec.task
    yield " ".join(spec.labels)
    yield f"{spec.sampling_rate:g}"
    yield f"{n_bytes / 1000:.0f}"
    if spec.multiply_adds is None:
        yield "not counted"
    else:
        # Where neighbours are run as one window, hardly anything is seen twice.
        seen = spec.window_samples if spec.reach_samples else spec.hop_samples
        each = spec.sampling_rate / seen / 1e6
        gate, network = (spec.gate_multiply_adds or 0) * each, spec.multiply_adds * each
        yield f"{gate:.2f} to {gate + network:.2f}" if gate else f"{network:.2f}"
    yield spec.licence


def _thresholds(spec: ModelSpec) -> str:
    return ", ".join(f"{label} {value:g}" for label, value in spec.thresholds.items())


def show(
    name: Annotated[str, typer.Argument(help="Name of a packaged or own network, or a file.")],
    *,
    measure: Annotated[
        bool, typer.Option("--measure", help="Also measure how quick it is here, with each engine.")
    ] = False,
) -> None:
    """Show a network's card: data, skill, thresholds, provenance, and on demand its speed."""
    from zilzal.infer.packaged import find_model
    from zilzal.infer.spec import read_spec

    path = find_model(name)
    spec = read_spec(path)
    console = Console()
    console.print(Markdown(spec.card or f"# {spec.name} {spec.version}\n\nIt has no card."))
    table = Table("property", Column("value", overflow="fold"), show_header=False)
    for row in _properties(spec):
        table.add_row(*map(escape, row))
    table.add_row("file", escape(str(path)))
    table.add_row("SHA-256", hashlib.sha256(path.read_bytes()).hexdigest())
    console.print(table)
    if measure:
        _show_speed(path, console)


def _properties(spec: ModelSpec) -> Iterator[tuple[str, str]]:
    rate, (before, after) = spec.sampling_rate, spec.blinding
    yield "labels", ", ".join(spec.labels)
    yield "thresholds", _thresholds(spec)
    measured = spec.development_data or "customary, not measured"
    yield "thresholds and tables from", measured
    for phase, uncertainty in spec.uncertainty.items():
        yield f"uncertainty of {phase} [s]", ", ".join(f"{x:g}: {y:g}" for x, y in uncertainty)
    yield "probabilities", ", ".join(spec.calibration) or "outputs as they are"
    yield "input", f"{spec.components} at {rate:g} Hz, {_prepared(spec)}"
    yield "windows", f"{spec.window_samples / rate:g} s every {spec.hop_samples / rate:g} s"
    if spec.point_sample is not None:
        yield "output", f"one value per label, at {spec.point_sample / rate:g} s of the window"
    else:
        yield "blind", f"{before / rate:g} s at the start, {after / rate:g} s at the end"
    if spec.reach_samples is not None:
        back, ahead = spec.reach_samples
        yield "reach", f"{back / rate:g} s before, {ahead / rate:g} s after"
    if spec.gate:
        opened = ", ".join(f"{label} {value:.2g}" for label, value in spec.gate.items())
        yield "gate", f"the network is run only where the gate's output reaches {opened}"
    yield "overlap, edges, peaks", f"{spec.overlap}, {spec.edges}, {spec.peaks}"
    yield "training data", spec.training_data
    if spec.origin:
        yield "origin", spec.origin
    if spec.citation:
        yield "citation", spec.citation
    if spec.weights_sha256:
        yield "weights SHA-256", spec.weights_sha256
    if spec.parameters is not None:
        yield "parameters", f"{spec.parameters:,}"
    if spec.bf16_difference is not None:
        yield "bf16", f"outputs change by up to {spec.bf16_difference:.3g}"
    yield "licence", spec.licence
    yield "created", f"{spec.created}, seed {spec.seed}, commit {spec.commit}"


def _prepared(spec: ModelSpec) -> str:
    preparation = spec.preparation
    low_hz, high_hz = preparation.highpass_hz, preparation.lowpass_hz
    band = [f"above {low_hz:g} Hz"] if low_hz else []
    band += [f"below {high_hz:g} Hz"] if high_hz else []
    each = "all components by one" if preparation.jointly else "each component by its own"
    how = {
        "running": "divided by the running level",
        "window_std": f"divided by the window's standard deviation, {each}",
        "window_max": f"divided by the window's peak, {each}",
    }[preparation.normalisation]
    return ", ".join([*band, how])


def _show_speed(path: Path, console: Console) -> None:
    from importlib.util import find_spec
    from typing import get_args

    from zilzal.app.networks import measure_speed
    from zilzal.core.errors import ModelError
    from zilzal.infer.engine import EngineName

    table = Table(
        "engine", escape("network [s per station-day]"), escape("whole picker [s per station-day]")
    )
    for engine in get_args(EngineName):
        if engine != "onnxruntime" and find_spec("openvino") is None:
            table.add_row(engine, "needs zilzal[fast]", "")
            continue
        try:
            speed = measure_speed(path, engine)
        except ModelError as error:
            table.add_row(engine, escape(str(error)), "")
            continue
        table.add_row(engine, f"{speed.network_s:.2f}", f"{speed.picker_s:.2f}")
    console.print(table)
    console.print("Processor time of one thread, best of three, on a synthetic record.")
