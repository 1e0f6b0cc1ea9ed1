"""`zilzal models import`: networks of SeisBench's as ours."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from zilzal.cli.extras import need
from zilzal.core.errors import ConfigError


def import_model(
    source: Annotated[
        str,
        typer.Argument(
            help="Name of SeisBench's, as PhaseNet/original or, with a version, "
            "PhaseNet/original@2; or a path: a pair .json and .pt as SeisBench saves it, a file of "
            "parameters of PyTorch's, or .npz of arrays."
        ),
    ],
    *,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="ONNX file; left out, one of your own networks."),
    ] = None,
    kind: Annotated[
        str, typer.Option("--class", help="SeisBench's class, where the source does not tell.")
    ] = "",
    arguments: Annotated[
        str, typer.Option("--kwargs", help="Arguments of the class, as JSON.")
    ] = "{}",
    annotate: Annotated[
        str,
        typer.Option(
            help="Arguments of SeisBench's annotate and classify to be used instead of the "
            'weights\' own, as JSON: {"overlap": 2000, "P_threshold": 0.2}.'
        ),
    ] = "{}",
    name: Annotated[str, typer.Option(help="Of the network; left out, from the source.")] = "",
    training_data: Annotated[
        str, typer.Option(help="What it learned from; left out, what the weights say.")
    ] = "",
    licence: Annotated[
        str, typer.Option(help="Of the weights, as an SPDX name; SeisBench does not tell.")
    ] = "NOASSERTION",
    unpickle: Annotated[
        bool,
        typer.Option("--unpickle", help="Load a pickled object, running whatever code is in it."),
    ] = False,
) -> None:
    """Import a picker of SeisBench's, with the same picks as its classify at the same overlap."""
    need("torch", "onnx", "onnxscript", "seisbench", work="importing", extra="seisbench,train")
    from zilzal.infer.folders import user_model_folder
    from zilzal.train.seisbench import About, import_seisbench
    from zilzal.train.zoo import Construction, find_seisbench

    how = Construction(kind=kind, arguments=_mapping("--kwargs", arguments), unpickle=unpickle)
    about = About(
        training_data=training_data, licence=licence, annotate=_mapping("--annotate", annotate)
    )
    found = find_seisbench(source, how)
    called = name or found.name
    path = output or user_model_folder() / f"{called}.onnx"
    content = import_seisbench(found.model, replace(about, name=called, origin=found.origin))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    chosen = path if output else called
    Console().print(
        f'network: {path}\nin zilzal.toml: [picker] use = "neural", model = "{chosen}"\n'
        "its thresholds are SeisBench's and its uncertainties customary: zilzal models calibrate "
        "measures them",
        highlight=False, markup=False, soft_wrap=True,
    )  # fmt: skip


def _mapping(option: str, text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{option} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise ConfigError(f"{option} is {text}; give an object, as {{}}")
    return value
