"""`zilzal seedlink`: looking at SeedLink servers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from zilzal.core.errors import ConfigError

if TYPE_CHECKING:
    from zilzal.core.time import Time
    from zilzal.io.seedlink.query import ServedStation, ServerInfo

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
    gaps: Annotated[
        bool, typer.Option("--gaps", help="A line for each gap; servers tell by protocol 3.")
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
    """Show what a server has: stations, their newest data, and how late these are."""
    from zilzal.io.clock import SystemClock
    from zilzal.io.seedlink.query import ask
    from zilzal.io.seedlink.selector import station_pattern

    if sum((streams, gaps, clients)) > 1:
        raise ConfigError("give one of --streams, --gaps and --clients")
    wanted = station_pattern(stations)
    level = "CONNECTIONS" if clients else "GAPS" if gaps else "STREAMS"
    protocol = 3 if gaps and protocol is None else protocol
    told = asyncio.run(ask(server, level, protocol=protocol, tls=tls, is_verified=not insecure))
    console = Console()
    console.print(
        f"{told.software}\n{told.organization}", markup=False, highlight=False, soft_wrap=True
    )
    if clients:
        console.print(_client_table(told))
        return
    chosen = [s for s in told.stations if wanted.fullmatch(s.code)]
    make = _gap_table if gaps else _stream_table if streams else _station_table
    console.print(make(chosen, SystemClock().now()))
    console.print(f"{len(chosen)} of {len(told.stations)} stations", highlight=False)


def _station_table(stations: Sequence[ServedStation], now: Time) -> Table:
    table = Table("station", "streams", "newest data", "late", box=None)
    for station in stations:
        end = station.end
        row = (station.code, str(len(station.streams)), _shown(end), _late(end, now))
        table.add_row(*map(escape, row))
    return table


def _stream_table(stations: Sequence[ServedStation], now: Time) -> Table:
    table = Table("station", "stream", "from", "to", "late", box=None)
    for station in stations:
        for stream in station.streams:
            row = (station.code, stream.code, _shown(stream.start), _shown(stream.end))
            table.add_row(*map(escape, row), _late(stream.end, now))
    return table


def _gap_table(stations: Sequence[ServedStation], _: Time) -> Table:
    table = Table("station", "stream", "from", "to", "seconds", box=None)
    for station in stations:
        for stream in station.streams:
            for start, end in stream.gaps:
                row = (station.code, stream.code, _shown(start), _shown(end))
                table.add_row(*map(escape, row), f"{end - start:.1f}")
    return table


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
