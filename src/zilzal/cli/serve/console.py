"""`zilzal serve PLACE`: look at results, judge events, offer web services."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from zilzal.core.errors import ConfigError

PORT = 8_223


def console(
    place: Annotated[
        str, typer.Argument(metavar="[PLACE]", help="Folder of a run or monitor, a store, a URL.")
    ] = ".",
    *,
    host: Annotated[str, typer.Option("--host", help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", "-p", min=0, max=65535, help="0 takes a free one.")
    ] = PORT,
    inventory: Annotated[
        list[Path] | None,
        typer.Option("--inventory", "-i", help="StationXML or CSV of stations; repeatable."),
    ] = None,
    waveforms: Annotated[
        list[Path] | None,
        typer.Option("--waveforms", "-w", help="SDS root, files or folders; repeatable."),
    ] = None,
    analyst: Annotated[
        str | None,
        typer.Option("--analyst", help="Let everyone on this machine judge events, as NAME."),
    ] = None,
    accounts: Annotated[
        Path | None, typer.Option("--accounts", help="File of accounts; see zilzal serve accounts.")
    ] = None,
    public: Annotated[
        bool, typer.Option("--public", help="Let those look who have not logged in.")
    ] = False,
    host_name: Annotated[
        list[str] | None,
        typer.Option("--host-name", help="Name that browsers call it by; repeatable."),
    ] = None,
    proxy_header: Annotated[
        str | None,
        typer.Option("--proxy-header", help="Header in which a reverse proxy names the user."),
    ] = None,
    proxy: Annotated[
        list[str] | None,
        typer.Option("--proxy", help="Address or network of that proxy; repeatable."),
    ] = None,
    audit: Annotated[
        Path | None, typer.Option("--audit", help="Log of who did what; audit.jsonl by the store.")
    ] = None,
    certificate: Annotated[
        Path | None, typer.Option("--certificate", help="PEM file, to speak TLS.")
    ] = None,
    key: Annotated[Path | None, typer.Option("--key", help="PEM file of its key.")] = None,
    title: Annotated[str, typer.Option("--title", help="Of the page.")] = "zilzal",
) -> None:
    """Serve the console and FDSN web services of a store, until Ctrl-C.

    Where waveforms and stations lie, a run's or monitor's store knows itself. Only this machine
    can look, and nobody can change anything, unless options say so.
    """
    from zilzal.app.display.holdings import Places
    from zilzal.web.access.gate import Access
    from zilzal.web.serving import ServeOptions, serve

    if (certificate is None) != (key is None):
        raise ConfigError("--certificate and --key go together")
    default = Access()
    access = Access(
        accounts=accounts,
        is_public=public,
        analyst=analyst,
        proxy_header=proxy_header,
        proxies=tuple(proxy or default.proxies),
        hosts=(*default.hosts, *(name.lower() for name in host_name or ())),
    )
    options = ServeOptions(
        host=host, port=port, access=access, audit=audit, certificate=certificate, key=key,
        title=title,
    )  # fmt: skip
    places = Places(inventory=tuple(inventory or ()), waveforms=tuple(waveforms or ()))
    shown = Console()
    serve(
        place,
        places,
        options,
        ready=lambda address: shown.print(
            f"the console: {address}   (Ctrl-C stops it)", highlight=False
        ),
    )
    shown.print("the console has stopped")
