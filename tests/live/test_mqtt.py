"""Alerts over MQTT, to a real broker on this machine."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from amqtt.broker import Broker
from amqtt.client import MQTTClient

from tests.io.examples import event
from zilzal.app.configuration import read_configuration
from zilzal.app.live.alerts import message_of
from zilzal.core.errors import ConfigError
from zilzal.io.mqtt_sink import MqttSink

LIMIT_S = 60
TOPIC = "zilzal/events"


@dataclass
class Running:
    """A broker in a thread of its own."""

    loop: asyncio.AbstractEventLoop
    port: int

    @property
    def server(self) -> str:
        return f"127.0.0.1:{self.port}"

    def read(self, send) -> list[tuple[str, bytes]]:
        """What a subscriber gets that listens while something is sent."""

        async def listen() -> list[tuple[str, bytes]]:
            client = MQTTClient(config={"auto_reconnect": False})
            await client.connect(f"mqtt://{self.server}/")
            await client.subscribe([("zilzal/#", 1)])
            await asyncio.to_thread(send)
            got = await client.deliver_message(timeout_duration=LIMIT_S)
            await client.disconnect()
            return [] if got is None else [(got.topic, bytes(got.data))]

        return asyncio.run_coroutine_threadsafe(listen(), self.loop).result(LIMIT_S)


def broker(plugins: dict[str, dict[str, object]]) -> Iterator[Running]:
    """A broker that lets in whom its plug-ins let in."""
    listeners = {"default": {"type": "tcp", "bind": "127.0.0.1:0"}}
    loop, made = asyncio.new_event_loop(), []

    async def start() -> int:
        made.append(Broker({"listeners": listeners, "plugins": plugins}))
        await made[0].start()
        (server,) = made[0]._servers.values()
        return server.instance.sockets[0].getsockname()[1]

    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield Running(loop, asyncio.run_coroutine_threadsafe(start(), loop).result(LIMIT_S))
    finally:
        asyncio.run_coroutine_threadsafe(made[0].shutdown(), loop).result(LIMIT_S)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
def running() -> Iterator[Running]:
    name = "amqtt.plugins.authentication.AnonymousAuthPlugin"
    yield from broker({name: {"allow_anonymous": True}})


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[Running]:
    """It knows nobody."""
    (tmp_path / "users").touch()
    name = "amqtt.plugins.authentication.FileAuthPlugin"
    yield from broker({name: {"password_file": str(tmp_path / "users")}})


def test_subscriber_gets_the_message(running):
    sink, message = MqttSink(server=running.server, topic=TOPIC), message_of(event())
    ((topic, payload),) = running.read(lambda: sink.send(message))
    told = json.loads(payload)
    assert topic == TOPIC
    assert (told["key"], told["event_id"]) == (message.key, event().id)
    assert told["text"] == message.text


def test_retained_message_is_there_for_those_who_come_later(running):
    MqttSink(server=running.server, topic=TOPIC, is_retained=True).send(message_of(event()))
    ((_, payload),) = running.read(lambda: None)
    assert json.loads(payload)["event_id"] == event().id


def test_broker_that_is_not_there_is_a_failure_to_be_tried_again(running):
    MqttSink(server=running.server, topic=TOPIC).send(message_of(event()))
    gone = MqttSink(server="127.0.0.1:1", topic=TOPIC)
    with pytest.raises(OSError, match="refused"):
        gone.send(message_of(event()))


def test_broker_that_lets_nobody_in_is_a_failure(closed, tmp_path):
    (tmp_path / "password").write_text("wrong\n")
    sink = MqttSink(
        server=closed.server, topic=TOPIC, user="me", password_file=str(tmp_path / "password")
    )
    with pytest.raises(OSError, match="did not take a message: Not authorized"):
        sink.send(message_of(event()))


@pytest.mark.parametrize(
    "options",
    [{"server": "localhost"}, {"topic": "zilzal/#"}, {"topic": ""}, {"server": ":1883"}],
)
def test_options_that_make_no_sense_are_refused(options):
    with pytest.raises(ConfigError, match=next(iter(options))):
        MqttSink(**{"server": "localhost:1883", "topic": TOPIC, **options})


def test_sink_is_named_in_the_configuration(tmp_path):
    path = tmp_path / "zilzal.toml"
    path.write_text('[[alerts]]\nuse = "mqtt"\nserver = "localhost:1883"\ntopic = "a/b"\n')
    (sink,) = read_configuration(path).alerts
    assert sink.name == "mqtt localhost:1883 a/b"
