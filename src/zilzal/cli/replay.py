"""`zilzal replay`: a recording played as if it came in now."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from zilzal.core.errors import ConfigError

if TYPE_CHECKING:
    import ssl

    from zilzal.core.time import Time
    from zilzal.io.seedlink.server import SeedLinkServer


def replay(
    sources: Annotated[
        list[Path],
        typer.Argument(
            metavar="SOURCE...",
            help="miniSEED files, folders, an SDS root; or a scenario of `zilzal synth` (.toml).",
        ),
    ],
    *,
    speed: Annotated[
        str, typer.Option("--speed", "-s", help="Times real time; max: as fast as clients take it.")
    ] = "1",
    port: Annotated[
        int, typer.Option("--port", "-p", help="Port to listen at; 0 takes a free one.")
    ] = 18_000,
    host: Annotated[
        str, typer.Option("--host", help="Address to listen at; 0.0.0.0 for all.")
    ] = "127.0.0.1",
    start: Annotated[
        str | None, typer.Option("--start", help="Begin with data of this time (UTC, ISO 8601).")
    ] = None,
    end: Annotated[str | None, typer.Option("--end", help="End before data of this time.")] = None,
    loop: Annotated[
        bool, typer.Option("--loop", help="Again and again, each time later by the length.")
    ] = False,
    now: Annotated[
        bool, typer.Option("--now", help="Move the times so that it looks recorded now.")
    ] = False,
    faults: Annotated[
        Path | None,
        typer.Option("--faults", "-f", help="TOML file: delays, losses, outages, damage."),
    ] = None,
    ring_mb: Annotated[
        int, typer.Option("--ring-mb", help="Memory for packets to be asked for again [MB].")
    ] = 256,
    organization: Annotated[
        str, typer.Option("--organization", help="Whose server it is, told to clients.")
    ] = "zilzal replay",
    certificate: Annotated[
        Path | None, typer.Option("--certificate", help="PEM file with key: speak TLS.")
    ] = None,
    stay: Annotated[
        bool, typer.Option("--stay/--leave", help="Keep serving when all has been played.")
    ] = True,
) -> None:
    """Play an archive, or a synthetic network, through a SeedLink server (protocols 3 and 4).

    Clients see what they would see of the network itself: packets when they are full, a memory to
    resume from, and, with --faults, all that goes wrong between a digitiser and a data centre.
    """
    from zilzal.app.replay import ReplayOptions, open_recording, read_telemetry, replay
    from zilzal.io.clock import SystemClock

    options = ReplayOptions(
        speed=_speed(speed),
        start=_time(start),
        end=_time(end),
        is_looped=loop,
        is_now=now,
        host=host,
        port=port,
        organization=organization,
        ring_bytes=ring_mb * 1_000_000,
        tls=_tls(certificate),
        is_staying=stay,
    )
    recording = open_recording(sources)
    telemetry = read_telemetry(faults)

    def tell(server: SeedLinkServer) -> None:
        Console().print(
            f"{len(recording.stations)} stations, {recording.start} to {recording.end}, "
            f"at {server.host}:{server.port}; stop with Ctrl-C",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )

    try:
        asyncio.run(replay(recording, options, SystemClock(), telemetry=telemetry, on_ready=tell))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def _speed(text: str) -> float | None:
    if text == "max":
        return None
    try:
        return float(text)
    except ValueError as error:
        raise ConfigError(f"the speed is {text!r}; give a number above 0, or max") from error


def _time(text: str | None) -> Time | None:
    from zilzal.core.time import Time

    return None if text is None else Time.parse(text)


def _tls(certificate: Path | None) -> ssl.SSLContext | None:
    import ssl

    if certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certificate)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"cannot use the certificate {certificate}: {error}") from error
    return context
