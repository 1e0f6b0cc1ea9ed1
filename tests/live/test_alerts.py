"""Alerts: which, when again, and to real servers on this machine."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.clock import ManualClock
from tests.io.examples import event
from zilzal.app.configuration import read_configuration
from zilzal.app.live.alerts import LARGEST_TRIES, enqueue, message_of, send_due
from zilzal.app.live.service import try_alerts
from zilzal.core.alert import AlertRule
from zilzal.core.errors import ConfigError
from zilzal.core.event import Event, Unlocated
from zilzal.io.alert_sinks import CommandSink, MailSink, NtfySink, WebhookSink
from zilzal.io.store import Store


class Web(HTTPServer):
    """A server that keeps what it was sent, and answers as it is told."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: list[int] = []
        self.got: list[tuple[dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/topic"


class Handler(BaseHTTPRequestHandler):
    server: Web

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((dict(self.headers), body))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def web() -> Iterator[Web]:
    server = Web()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def moved(one: Event, **changes: float) -> Event:
    return replace(one, origin=replace(one.origin, **changes))


ANY = AlertRule(least_stations=0)


def test_rule_takes_what_it_is_made_for():
    one = event()
    size, place = one.magnitude.magnitude, one.origin
    assert ANY.wants(one)
    assert AlertRule(least_stations=0, least_magnitude=size).wants(one)
    assert not AlertRule(least_stations=0, least_magnitude=size + 0.1).wants(one)
    assert not AlertRule(least_stations=0, least_magnitude=0.0).wants(replace(one, magnitudes=()))
    assert not AlertRule(least_stations=0, south=place.latitude + 0.1).wants(one)
    assert not AlertRule(least_stations=99).wants(one)
    assert not AlertRule(least_stations=0, least_version=one.version + 1).wants(one)
    assert not ANY.wants(replace(one, origin=Unlocated(reason="gone", time=one.time)))


def test_region_may_span_the_date_line():
    rule = AlertRule(least_stations=0, west=170.0, east=-170.0)
    assert rule.wants(moved(event(), longitude=179.0))
    assert rule.wants(moved(event(), longitude=-179.0))
    assert not rule.wants(moved(event(), longitude=0.0))


def test_event_is_told_once_and_again_only_where_it_changed_enough(tmp_path):
    sink = CommandSink(command=("true",), rule=ANY)
    one = event()
    with Store.open(tmp_path / "zilzal.db") as store:
        assert enqueue(store, [sink], [one]) == 1
        near = moved(replace(one, version=2), latitude=one.origin.latitude + 0.05)
        assert enqueue(store, [sink], [near]) == 0
        far = moved(replace(one, version=3), latitude=one.origin.latitude + 0.5)
        assert enqueue(store, [sink], [far]) == 1
        gone = replace(one, version=4, origin=Unlocated(reason="dissolved", time=one.time))
        assert enqueue(store, [sink], [gone]) == 1
        assert enqueue(store, [sink], [replace(gone, version=5)]) == 0
        subjects = [message.subject for message, _ in store.due_messages(sink.name)]
    assert [subject.split(":")[0] for subject in subjects][1:] == ["Update", "Retracted"]


def test_event_that_goes_by_another_id_is_told_once_and_not_retracted(tmp_path):
    sink, old = CommandSink(command=("true",), rule=ANY), event()
    new = replace(old, id="zznew")
    gone = replace(old, version=2, origin=Unlocated(reason="renamed zznew", time=old.time))
    with Store.open(tmp_path / "zilzal.db") as store:
        enqueue(store, [sink], [old])
        assert enqueue(store, [sink], [new, gone], {old.id: "zznew"}) == 1
        assert enqueue(store, [sink], [replace(new, version=2)]) == 0
        (_, _), (message, _) = store.due_messages(sink.name)
    assert (message.content["event_id"], message.content["replaces"]) == ("zznew", old.id)
    assert message.content["is_update"]
    assert old.id in message.text


def test_webhook_is_posted_as_json(web):
    WebhookSink(url=web.url, headers={"X-Token": "t"}).send(message_of(event()))
    headers, body = web.got[0]
    told = json.loads(body)
    assert (told["event_id"], told["key"]) == (event().id, headers["Idempotency-Key"])
    assert told["latitude"] == pytest.approx(event().origin.latitude, abs=1e-4)
    assert headers["X-Token"] == "t"


def test_ntfy_gets_title_and_text(web):
    message = message_of(event())
    NtfySink(url=web.url, priority=5).send(message)
    headers, body = web.got[0]
    assert (headers["Title"], headers["Priority"]) == (message.subject, "5")
    assert body.decode() == message.text


def test_command_gets_the_message_and_its_failure_is_told(tmp_path):
    copy = f"import sys; open({str(tmp_path / 'got')!r}, 'w').write(sys.stdin.read())"
    CommandSink(command=(sys.executable, "-c", copy)).send(message_of(event()))
    assert json.loads((tmp_path / "got").read_text())["event_id"] == event().id
    fail = "import sys; sys.exit('no paper')"
    with pytest.raises(OSError, match="no paper"):
        CommandSink(command=(sys.executable, "-c", fail)).send(message_of(event()))


def test_mail_arrives_at_a_server():
    async def work() -> bytes:
        got: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        async def smtp(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"220 here\r\n")
            while line := await reader.readline():
                if line.upper().startswith(b"DATA"):
                    writer.write(b"354 go on\r\n")
                    got.set_result(await reader.readuntil(b"\r\n.\r\n"))
                writer.write(
                    b"221 bye\r\n" if line.upper().startswith(b"QUIT") else b"250 well\r\n"
                )
            writer.close()

        async with await asyncio.start_server(smtp, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            sink = MailSink(
                server=f"127.0.0.1:{port}", sender="z@example.org", is_encrypted=False,
                recipients=("a@example.org", "b@example.org"),
            )  # fmt: skip
            await asyncio.to_thread(sink.send, message_of(event()))
            return await got

    mail = asyncio.run(work()).decode()
    assert "To: a@example.org, b@example.org" in mail
    assert event().id in mail


def test_refused_message_is_tried_again_later_and_given_up_at_last(web, tmp_path):
    clock, sink = ManualClock(), WebhookSink(url=web.url, rule=ANY)
    web.answers = [503] * 2
    with Store.open(tmp_path / "zilzal.db", clock=clock.now) as store:
        enqueue(store, [sink], [event()])
        assert len(send_due(store, sink)) == 0
        assert len(send_due(store, sink)) == 0
        assert len(web.got) == 1, "not before it is due"
        clock.step(6.0)
        assert len(send_due(store, sink)) == 0
        clock.step(11.0)
        assert len(send_due(store, sink)) == 1
        clock.step(1e6)
        assert len(send_due(store, sink)) == 0
        assert len(web.got) == 3
        web.answers = [503] * LARGEST_TRIES
        enqueue(store, [sink], [replace(event(), id="zz2")])
        for _ in range(LARGEST_TRIES):
            send_due(store, sink)
            clock.step(1e4)
        assert store.due_messages(sink.name) == []


def test_alerts_are_set_in_the_configuration(tmp_path):
    path = tmp_path / "zilzal.toml"
    path.write_text(
        '[[alerts]]\nurl = "https://example.org/hook"\n[alerts.rule]\nleast_magnitude = 2.5\n'
        '[[alerts]]\nuse = "command"\ncommand = ["page", "me"]\n'
    )
    webhook, command = read_configuration(path).alerts
    assert webhook.rule.least_magnitude == 2.5
    assert command.name == "command page me"
    path.write_text('[[alerts]]\nurl = "https://example.org"\n[alerts.rule]\nleast_magnitud = 2\n')
    with pytest.raises(ConfigError, match="least_magnitud"):
        read_configuration(path)


def test_sinks_can_be_tried(web, tmp_path):
    path = tmp_path / "zilzal.toml"
    path.write_text(
        f'[[alerts]]\nurl = "{web.url}"\n[[alerts]]\nuse = "command"\ncommand = ["false"]\n'
    )
    found = try_alerts(read_configuration(path), ManualClock().now())
    assert [(tried.what, bool(tried.wrong)) for tried in found] == [
        (f"webhook {web.url}", False),
        ("command false", True),
    ]
    assert json.loads(web.got[0][1])["is_test"] is True
