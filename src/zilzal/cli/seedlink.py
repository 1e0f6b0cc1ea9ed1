"""`zilzal seedlink`: looking at SeedLink servers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from zilzal.core.time import Time
    from zilzal.io.seedlink.query import ServerInfo

app = typer.Typer(no_args_is_help=True, help="Look at SeedLink servers.")


@app.callback()
def seedlink() -> None:
    """Look at SeedLink servers."""


@app.command()
def info(
    server: Annotated[str, typer.Argument(metavar="HOST[:PORT]", help="Server; port 18000.")],
    *,
    stations: Annotated[
        str, typer.Option("--stations", "-s", help="Pattern of stations, as CI_*.")
    ] = "*",
    streams: Annotated[
        bool, typer.Option("--streams", help="A line for each stream, not each station.")
    ] = False,
    clients: Annotated[
        bool, typer.Option("--clients", help="Who is connected, where the server tells.")
    ] = False,
    protocol: Annotated[
        int | None, typer.Option("--protocol", help="3 or 4; the highest it speaks if left out.")
    ] = None,
    tls: Annotated[
        bool | None, typer.Option("--tls/--no-tls", help="Use TLS; on port 18500 if left out.")
    ] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Take any certificate of the server's.")
    ] = False,
) -> None:
    """Show what a server has: stations, their newest data, how late these are, and gaps."""
    from zilzal.io.clock import SystemClock
    from zilzal.io.seedlink.query import ask
    from zilzal.io.seedlink.selector import station_pattern

    wanted = station_pattern(stations)
    level = "CONNECTIONS" if clients else "STREAMS"
    told = asyncio.run(ask(server, level, protocol=protocol, tls=tls, is_verified=not insecure))
    console = Console()
    console.print(
        f"{told.software}\n{told.organization}", markup=False, highlight=False, soft_wrap=True
    )
    if clients:
        console.print(_client_table(told))
        return
    chosen = [s for s in told.stations if wanted.fullmatch(s.code)]
    now = SystemClock().now()
    table = Table(box=None)
    for name in ("station", "stream", "from", "to", "late") if streams else (
        "station", "streams", "newest data", "late"
    ):  # fmt: skip
        table.add_column(name)
    for station in chosen:
        if not streams:
            newest = station.end
            row = (station.code, str(len(station.streams)), _shown(newest), _late(newest, now))
            table.add_row(*map(escape, row))
        for stream in station.streams if streams else ():
            row = (station.code, stream.code, _shown(stream.start), _shown(stream.end))
            table.add_row(*map(escape, row), _late(stream.end, now))
    console.print(table)
    console.print(f"{len(chosen)} of {len(told.stations)} stations", highlight=False)


def _client_table(told: ServerInfo) -> Table:
    table = Table("client", "program", "since", "packets", box=None)
    for client in told.clients:
        row = (client.host, client.agent, client.since, str(client.packets))
        table.add_row(*map(escape, row))
    return table


def _shown(time: Time | None) -> str:
    return "?" if time is None else str(time)[:-5].replace("T", " ")


def _late(time: Time | None, now: Time) -> str:
    """For how long there have been no newer data, in the unit that reads best."""
    if time is None:
        return "?"
    late_s = now - time
    for unit, size_s in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if abs(late_s) >= 2 * size_s:
            return f"{late_s / size_s:.1f} {unit}"
    return f"{late_s:.1f} s"
