"""Alerts published to an MQTT broker, for displays, sirens and other machines."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from queue import Empty, Queue
from typing import TYPE_CHECKING, Any

from zilzal.core.alert import AlertRule, Message
from zilzal.core.errors import ConfigError

if TYPE_CHECKING:
    from paho.mqtt.client import Client


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttSink:
    """Publishes a message as JSON to a topic of an MQTT broker, version 3.1.1.

    Each message is published with quality of service 1 and is taken when the broker says so; one
    that is published again has the same `key`.

    Args:
        server: "host:port" of the broker.
        topic: as zilzal/events.
        rule: which events.
        is_retained: the broker keeps the last message for those who come later.
        is_encrypted: TLS is spoken, and the broker's certificate must be good.
        user: to log in as; empty for no login.
        password_file: that holds the password and nothing else.
        timeout_s: for the broker to take a message.

    Raises:
        ConfigError: an option is none, or the extra `mqtt` is not installed.
    """

    server: str
    topic: str
    rule: AlertRule = field(default_factory=AlertRule)
    is_retained: bool = False
    is_encrypted: bool = False
    user: str = ""
    password_file: str = ""
    timeout_s: float = 10.0

    def __post_init__(self) -> None:
        host, _, port = self.server.rpartition(":")
        if not host or not port.isdecimal():
            raise ConfigError(f"server is {self.server!r}; write host:port, as localhost:1883")
        if not self.topic or set(self.topic) & set("+#\0"):
            raise ConfigError(f"topic is {self.topic!r}; give one without wildcards")
        if find_spec("paho") is None:
            raise ConfigError('MQTT needs paho-mqtt; install it with pip install "zilzal[mqtt]"')

    @property
    def name(self) -> str:
        """The broker and the topic."""
        return f"mqtt {self.server} {self.topic}"

    def send(self, message: Message) -> None:
        """Publish it; a broker that does not confirm it is a failure."""
        whole = {"key": message.key, "subject": message.subject, "text": message.text}
        outcomes: Queue[str] = Queue()
        client = self._client(json.dumps({**whole, **message.content}), outcomes)
        host, _, port = self.server.rpartition(":")
        try:
            client.connect(host, int(port))
            client.loop_start()
            wrong = outcomes.get(timeout=self.timeout_s)
        except Empty:
            wrong = f"no answer in {self.timeout_s:g} s"
        finally:
            client.disconnect()
            client.loop_stop()
        if wrong:
            raise OSError(f"{self.server} did not take a message: {wrong}")

    def _client(self, payload: str, outcomes: Queue[str]) -> Client:
        """A client that publishes when it is connected; "" comes of it, or what was refused."""
        from paho.mqtt.client import Client, MQTTv311
        from paho.mqtt.enums import CallbackAPIVersion

        def connected(client: Client, _data: Any, _flags: Any, reason: Any, _more: Any) -> None:
            if reason.is_failure:
                outcomes.put(str(reason))
            else:
                client.publish(self.topic, payload, qos=1, retain=self.is_retained)

        client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv311)
        client.connect_timeout = self.timeout_s
        client.on_connect = connected
        client.on_publish = lambda *_: outcomes.put("")
        if self.is_encrypted:
            client.tls_set()
        if self.user:
            client.username_pw_set(self.user, Path(self.password_file).read_text().strip())
        return client
