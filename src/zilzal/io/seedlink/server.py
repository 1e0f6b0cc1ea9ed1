"""A SeedLink server, versions 3 and 4, that gives out what is put into its ring.

One task reads a client's commands, another sends it packets from its own place in the ring: a slow
client waits for itself alone, and is sent away when the ring has overtaken it.
"""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
from collections.abc import AsyncGenerator
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import zilzal
from zilzal.core.stage import Clock
from zilzal.core.time import Time
from zilzal.io.seedlink.answers import answer, farewell
from zilzal.io.seedlink.handshake import take
from zilzal.io.seedlink.knowledge import Connection, Contents, Identity, Knowledge
from zilzal.io.seedlink.request import Handshake, Phase
from zilzal.io.seedlink.ring import Overrun, Ring
from zilzal.io.seedlink.transfer import BATCH_BYTES, Transfer
from zilzal.io.seedlink.words import END, LARGEST_COMMAND_BYTES, ErrorCode, refusal

logger = logging.getLogger(__name__)

LARGEST_CLIENTS = 1_000
FAREWELL_S = 10.0
"""A client that is sent away can take what is on its way to it for so long."""
_LINE_END = re.compile(rb"[\r\n]")


@dataclass(slots=True, eq=False)
class Client:
    """A connected client.

    Args:
        host: its address.
        port: of it.
        since: when it came.
        handshake: what has been agreed.
        place: in the ring, of the next entry to be looked at; None before the transfer began.
        packets: sent.
        sent_bytes: sent in packets.
        sequence: of the last one sent.
    """

    host: str
    port: int
    since: Time
    writer: asyncio.StreamWriter = field(repr=False)
    handshake: Handshake
    place: int | None = None
    packets: int = 0
    sent_bytes: int = 0
    sequence: int = 0

    def connection(self, ring: Ring) -> Connection:
        """As INFO CONNECTIONS shows it."""
        return Connection(
            host=self.host,
            port=self.port,
            since=self.since,
            protocol=self.handshake.protocol,
            agent=self.handshake.agent,
            packets=self.packets,
            sent_bytes=self.sent_bytes,
            sequence=self.sequence,
            behind=0 if self.place is None else ring.next_place - self.place,
        )


@dataclass(slots=True, eq=False)
class SeedLinkServer:
    """A server; made by `serve`.

    Args:
        ring: what it gives out.
        stations: that will be in it, as CI_CCC, so that clients can ask before data come.
        clock: for the times in INFO.
        organization: told to clients.
        tls: with a certificate, to speak TLS.
        host: address it listens at.
        port: it listens at.
        clients: connected now.
        farthest: place in the ring up to which any client has been sent packets.
        failures: how often it has failed, on purpose.
    """

    ring: Ring
    stations: AbstractSet[str]
    clock: Clock
    organization: str
    tls: ssl.SSLContext | None = None
    host: str = ""
    port: int = 0
    clients: set[Client] = field(default_factory=set)
    farthest: int = 0
    failures: int = 0
    _identity: Identity = field(init=False)
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _moved: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        version = f"SeedLink v4.0 (zilzal/{zilzal.__version__}) :: SLPROTO:4.0 SLPROTO:3.1"
        capabilities = "CAP EXTREPLY NSWILDCARD BATCH TIME"
        self._identity = Identity(
            software=f"{version} {capabilities}",
            organization=self.organization,
            started=self.clock.now(),
        )

    @property
    def is_listening(self) -> bool:
        """Whether clients can come."""
        return self._server is not None

    async def listen(self, host: str, port: int) -> None:
        """Let clients come.

        Raises:
            OSError: the port is taken, or not ours to take.
        """
        self._server = await asyncio.start_server(self._meet, host, port, ssl=self.tls)
        self.host, self.port = host, self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Let nobody come any more, and cut all connections at once."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for client in self.clients:
            _cut(client.writer)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def finish(self) -> None:
        """Let nobody come any more, and part with all who are there when they have what is sent."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for client in self.clients:
            client.writer.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL_S):
                await asyncio.gather(
                    *(client.writer.wait_closed() for client in self.clients),
                    return_exceptions=True,
                )

    async def fail(self, *, is_forgetful: bool) -> None:
        """Be gone, as after a crash, until it is opened again.

        Args:
            is_forgetful: what was in the ring is lost, and numbers begin anew.
        """
        self.failures += 1
        await self.close()
        if is_forgetful:
            self.ring = Ring(limit_bytes=self.ring.limit_bytes)
            self.farthest = 0

    async def reopen(self) -> None:
        """Let clients come again, at the same port."""
        await self.listen(self.host, self.port)

    async def read_up_to(self, place: int) -> None:
        """Return when all clients have been sent what is before a place in the ring.

        While no packets are sent to anybody, the client counts that has been farthest.
        """
        while min(self._readers(), default=self.farthest) < place:
            await self._moved.wait()

    def _readers(self) -> list[int]:
        """Places in the ring of the clients that are being sent packets."""
        return [c.place for c in self.clients if c.place is not None]

    def _move(self, client: Client, place: int | None) -> None:
        client.place = place
        self.farthest = max(self.farthest, place or 0)
        self._moved.set()
        self._moved = asyncio.Event()

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        host, port = (writer.get_extra_info("peername") or ("?", 0))[:2]
        client = Client(host, port, self.clock.now(), writer, Handshake(stations=self.stations))
        if len(self.clients) >= LARGEST_CLIENTS:
            logger.warning(
                "%s:%d is turned away: there are %d clients", host, port, len(self.clients)
            )
            _cut(writer)
            return
        self._tasks.add(task)
        self.clients.add(client)
        logger.info("%s:%d came", host, port)
        try:
            await self._converse(client, reader)
        except (ConnectionError, asyncio.CancelledError, ssl.SSLError):
            pass
        finally:
            self.clients.discard(client)
            self._tasks.discard(task)
            writer.close()
            logger.info("%s:%d left after %d packets", host, port, client.packets)

    async def _converse(self, client: Client, reader: asyncio.StreamReader) -> None:
        """Take commands until the client leaves; packets go out beside that."""
        sending: asyncio.Task[None] | None = None
        rest = b""
        try:
            while client.handshake.phase is not Phase.CLOSED:
                received = await reader.read(LARGEST_COMMAND_BYTES)
                if not received:
                    return
                *lines, rest = _LINE_END.split(rest + received)
                for line in lines:
                    await self._obey(client, line.decode("ascii", "replace"))
                    if sending is None and client.handshake.phase in (Phase.STREAM, Phase.FETCH):
                        transfer = Transfer.begin(client.handshake, self.ring)
                        self._move(client, transfer.place)
                        sending = asyncio.create_task(self._send(client, transfer))
                if len(rest) > LARGEST_COMMAND_BYTES:
                    message = f"a command has at most {LARGEST_COMMAND_BYTES} bytes"
                    protocol = client.handshake.protocol
                    client.writer.write(refusal(protocol, ErrorCode.LIMIT, message))
                    return
        finally:
            if sending is not None:
                sending.cancel()
                with suppress(asyncio.CancelledError, ConnectionError):
                    await sending

    async def _obey(self, client: Client, line: str) -> None:
        step = take(client.handshake, line)
        client.handshake = step.handshake
        reply = step.reply
        if step.question is not None:
            reply = answer(step.question, client.handshake, self._knowledge())
        if reply:
            client.writer.write(reply)
            await client.writer.drain()

    def _knowledge(self) -> Knowledge:
        clients = sorted(self.clients, key=lambda client: (client.since, client.port))
        return Knowledge(
            identity=self._identity,
            contents=Contents.of(self.ring, self.stations),
            connections=[client.connection(self.ring) for client in clients],
            now=self.clock.now(),
        )

    async def _send(self, client: Client, transfer: Transfer) -> None:
        """Send packets from the client's place on, until it leaves or has all it wanted."""
        try:
            while True:
                frames = transfer.take(self.ring)
                if frames:
                    client.writer.write(b"".join(frames))
                    client.packets += len(frames)
                    client.sent_bytes += sum(map(len, frames))
                    client.sequence = transfer.sequence
                    await self._drained(client, transfer.place)
                self._move(client, transfer.place)
                if transfer.place < self.ring.next_place:
                    await asyncio.sleep(0)
                elif transfer.is_complete(self.ring):
                    client.writer.write(END)
                    await client.writer.drain()
                    break
                else:
                    await self.ring.grown(transfer.place)
        except Overrun as error:
            self._dismiss(client, str(error))
        except ConnectionError:
            pass
        finally:
            self._move(client, None)

    async def _drained(self, client: Client, place: int) -> None:
        """Return when the client has taken most of what it was sent.

        Raises:
            Overrun: the ring has overtaken it meanwhile.
        """
        if client.writer.transport.get_write_buffer_size() < BATCH_BYTES:
            return
        draining = asyncio.create_task(client.writer.drain())
        try:
            while not draining.done():
                growing = asyncio.create_task(self.ring.grown(self.ring.next_place))
                await asyncio.wait({draining, growing}, return_when=asyncio.FIRST_COMPLETED)
                growing.cancel()
                if place < self.ring.first_place:
                    self.ring[place]
            await draining
        finally:
            draining.cancel()

    def _dismiss(self, client: Client, message: str) -> None:
        """Part with a client that the ring has overtaken; it is told if it still listens."""
        logger.warning("%s:%d is too slow and sent away: %s", client.host, client.port, message)
        client.writer.write(farewell(client.handshake, self._knowledge(), f"too slow: {message}"))
        client.writer.close()
        self.clients.discard(client)
        asyncio.get_running_loop().call_later(FAREWELL_S, _cut, client.writer)


def _cut(writer: asyncio.StreamWriter) -> None:
    """End a connection at once; one that has ended is left alone."""
    if writer.get_extra_info("socket").fileno() >= 0:
        writer.transport.abort()


@asynccontextmanager
async def serve(
    ring: Ring,
    stations: AbstractSet[str],
    clock: Clock,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    organization: str = "zilzal replay",
    tls: ssl.SSLContext | None = None,
) -> AsyncGenerator[SeedLinkServer]:
    """Run a server while the block runs.

    Args:
        ring: what it gives out; what is appended later goes out as it comes.
        stations: that will be in it, as CI_CCC.
        clock: for the times in INFO.
        host: address to listen at; "0.0.0.0" for all.
        port: to listen at; 0 takes any that is free.
        organization: told to clients.
        tls: with a certificate, to speak TLS.

    Raises:
        OSError: the port is taken, or not ours to take.
    """
    server = SeedLinkServer(ring, stations, clock, organization, tls)
    await server.listen(host, port)
    try:
        yield server
    finally:
        await server.close()
