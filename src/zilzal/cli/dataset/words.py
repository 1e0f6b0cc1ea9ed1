"""What the commands on sets have in common."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from zilzal.core.errors import ConfigError

if TYPE_CHECKING:
    from zilzal.io.phases import Status
    from zilzal.train.sets.build import Choices
    from zilzal.train.sets.tally import Tally

SetFolder = Annotated[
    Path, typer.Argument(metavar="DIR", help="Folder of a set: metadata.csv and waveforms.hdf5.")
]
SetFolders = Annotated[
    list[Path], typer.Argument(metavar="DIR...", help="Folders of sets, as written by build.")
]
NewFolder = Annotated[
    Path, typer.Option("--output", "-o", help="Folder for the new set; must hold none.")
]
Statuses = Annotated[
    str,
    typer.Option(
        "--status",
        help="Picks that become labels: manual, automatic, unknown, joined by commas. The "
        "surroundings of others are marked as unknown.",
    ),
]
Loose = Annotated[
    bool, typer.Option("--loose/--no-loose", help="Picks that belong to no event are labels too.")
]
EarthModel = Annotated[
    str,
    typer.Option(
        "--earth-model", help="For arrivals that nobody picked: built-in, or a TOML or CSV file."
    ),
]
Reach = Annotated[float, typer.Option(min=0.0, help="How far events are expected to be seen [km].")]
Quick = Annotated[bool, typer.Option("--quick", help="Leave the samples unread.")]


def need_h5py() -> None:
    """Raise ConfigError where the extra `train` is not installed."""
    from importlib.util import find_spec

    if find_spec("h5py") is None:
        raise ConfigError('sets need h5py; install it with pip install "zilzal[train]"')


def statuses(text: str) -> frozenset[Status]:
    """The statuses of an option.

    Raises:
        ConfigError: one is unknown.
    """
    from zilzal.io.phases import Status

    given = [part.strip() for part in text.split(",") if part.strip()]
    unknown = [part for part in given if part not in set(Status)]
    if unknown or not given:
        raise ConfigError(
            f"status is {text!r}; give one or more of {', '.join(Status)}, joined by commas"
        )
    return frozenset(Status(part) for part in given)


def show_tally(console: Console, tally: Tally, *, title: str = "left out") -> None:
    """Print counts by reason with an example, if there are any."""
    if not tally.counts:
        return
    table = Table(title, "number", "such as")
    for reason, count in tally.counts.items():
        examples = tally.examples.get(reason, [])
        table.add_row(Text(reason), str(count), Text(examples[0] if examples else ""))
    console.print(table)


def choices(
    *, cutting: dict[str, object], status: str, loose: bool, earth_model: str, reach_km: float,
    margins: dict[str, float],
) -> Choices:  # fmt: skip
    """What the options say, as one value.

    Raises:
        ConfigError: an option is out of range.
    """
    from zilzal.core.units import metres
    from zilzal.train.sets.arrivals import Taking
    from zilzal.train.sets.build import Choices
    from zilzal.train.sets.expected import Expectation
    from zilzal.train.sets.plan import Cutting
    from zilzal.travel import load_model

    try:
        return Choices(
            cutting=Cutting(**cutting),  # pyright: ignore[reportArgumentType]  # checked by typer
            taking=Taking(statuses=statuses(status), with_loose=loose, **margins),
            expectation=Expectation(model=load_model(earth_model), reach_m=metres(reach_km)),
        )
    except ValueError as error:
        raise ConfigError(str(error)) from error
