"""Alerts: from stored versions of events to messages in a queue, and from the queue to the sinks.

A message enters the queue in the transaction that stores its event, so that a crash loses none;
it leaves the queue when its sink has taken it. A sink that is away is tried again, ever more
seldom, and holds up neither the engine nor another sink.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from zilzal.core.alert import AlertSink, Message
from zilzal.core.errors import StoreError
from zilzal.core.event import Event, Origin
from zilzal.core.stage import Clock
from zilzal.core.units import km
from zilzal.io.store import Store

logger = logging.getLogger(__name__)

LARGEST_TRIES = 12
FIRST_RETRY_S, LONGEST_RETRY_S = 5.0, 900.0
LOOK_S = 1.0
"""The queue is looked at so often."""


def enqueue(
    store: Store,
    sinks: Iterable[AlertSink],
    events: Sequence[Event],
    renamed: Mapping[str, str] = MappingProxyType({}),
) -> int:
    """Queue what the sinks' rules want to have told; give the number of messages.

    Of an event that was told before, only what is news by the rule is told again; that it goes by
    another id now is always news.

    Args:
        store: with the queue.
        sinks: with their rules.
        events: as they were stored.
        renamed: new ids by the ones that they are in the place of.
    """
    number = 0
    for sink in sinks:
        for event in events:
            message = _news(store, sink, event, renamed)
            if message is not None:
                store.put_message(sink.name, message)
                number += 1
    return number


def _news(
    store: Store, sink: AlertSink, event: Event, renamed: Mapping[str, str]
) -> Message | None:
    """What a sink is to be told of an event; None where nothing."""
    if event.id in renamed and not isinstance(event.origin, Origin):
        return None  # It is told under its new id.
    told = store.last_message(sink.name, event.id)
    if told is not None:
        is_news = sink.rule.is_news(event, told.content)
        return message_of(event, is_update=True) if is_news else None
    for old, new in renamed.items():
        if new == event.id and store.last_message(sink.name, old) is not None:
            return message_of(event, is_update=True, replaces=old)
    return message_of(event) if sink.rule.wants(event) else None


def message_of(event: Event, *, is_update: bool = False, replaces: str = "") -> Message:
    """What is told of a version of an event.

    Args:
        event: the version.
        is_update: it was told before.
        replaces: the id that it was told by; empty where that is as it was.
    """
    subject, text = _words(event, is_update=is_update, replaces=replaces)
    content = _content(event, is_update=is_update, replaces=replaces)
    return Message(key=f"{event.id}/{event.version}", subject=subject, text=text, content=content)


def _content(event: Event, *, is_update: bool, replaces: str) -> dict[str, Any]:
    """For machines."""
    origin, magnitude = event.origin, event.magnitude
    size = None if magnitude is None else magnitude.magnitude
    common: dict[str, Any] = {
        "event_id": event.id,
        "version": event.version,
        "replaces": replaces or None,
        "time": str(event.time),
        "magnitude": None if size is None else round(size, 2),
        "magnitude_type": None if magnitude is None else magnitude.type,
        "type": event.event_type.value,
        "is_retracted": not isinstance(origin, Origin),
        "is_update": is_update,
        "evaluation_mode": event.evaluation_mode.value,
    }
    if not isinstance(origin, Origin):
        return common | dict.fromkeys(("latitude", "longitude", "depth_km", "quality"))
    return common | {
        "latitude": round(origin.latitude, 5),
        "longitude": round(origin.longitude, 5),
        "depth_km": round(km(origin.depth_m), 2),
        "quality": origin.quality,
        "stations": len(origin.used_stations),
    }


def _words(event: Event, *, is_update: bool, replaces: str) -> tuple[str, str]:
    """For people: one line, and all of it."""
    origin, magnitude = event.origin, event.magnitude
    if not isinstance(origin, Origin):
        subject = f"Retracted: event {event.id}"
        return subject, f"{subject}\n{origin.reason}\nIt had been placed at {event.time}."
    size = "no magnitude" if magnitude is None else f"{magnitude.type} {magnitude.magnitude:.1f}"
    place = f"{origin.latitude:.3f}, {origin.longitude:.3f}"
    subject = f"{'Update: ' if is_update else ''}{size} {event.event_type.value}, {place}"
    name = f"Event {event.id}{f' (told before as {replaces})' if replaces else ''}"
    return subject, (
        f"{subject}\n{origin.time} UTC, depth {km(origin.depth_m):.1f} km, "
        f"{len(origin.used_stations)} stations, quality {origin.quality}\n"
        f"{name}, version {event.version}, {event.evaluation_mode.value}"
    )


async def deliver(
    store: Store,
    sinks: Sequence[AlertSink],
    clock: Clock,
    on_told: Callable[[list[Message]], None] = lambda _: None,
) -> None:
    """Empty the queue, for ever; each sink by itself.

    Args:
        store: with the queue.
        sinks: that take messages.
        clock: that all waiting goes by.
        on_told: called with what a sink has taken.
    """
    await asyncio.gather(*(_deliver_to(store, sink, clock, on_told) for sink in sinks))


async def _deliver_to(
    store: Store, sink: AlertSink, clock: Clock, on_told: Callable[[list[Message]], None]
) -> None:
    while True:
        sent: list[Message] = []
        try:
            sent = await asyncio.to_thread(send_due, store, sink)
        except StoreError as error:
            logger.warning("%s: the queue cannot be read: %s", sink.name, error)
        on_told(sent)
        if not sent:
            await clock.sleep(LOOK_S)


async def hold_back(store: Store, sinks: Sequence[AlertSink], clock: Clock, kept_s: float) -> None:
    """Send nothing, for ever, and leave to another monitor what has been kept back for long.

    Args:
        store: with the queue.
        sinks: that take messages.
        clock: that all waiting goes by.
        kept_s: how long messages are kept, to be sent by whoever takes over.
    """
    while True:
        for sink in sinks:
            try:
                await asyncio.to_thread(store.leave_messages, sink.name, clock.now() - kept_s)
            except StoreError as error:
                logger.warning("%s: the queue cannot be written: %s", sink.name, error)
        await clock.sleep(LOOK_S)


def send_due(store: Store, sink: AlertSink) -> list[Message]:
    """Try to send what is due; give the messages that were taken."""
    sent: list[Message] = []
    for message, tries in store.due_messages(sink.name):
        try:
            sink.send(message)
        except Exception as error:  # noqa: BLE001  a sink may raise anything; the engine goes on
            is_given_up = tries + 1 >= LARGEST_TRIES
            wait_s = min(FIRST_RETRY_S * 2.0**tries, LONGEST_RETRY_S)
            store.put_failure(sink.name, message.key, str(error), wait_s, is_given_up=is_given_up)
            logger.log(
                logging.ERROR if is_given_up else logging.WARNING,
                "%s refused %s (%d. time)%s: %s",
                sink.name,
                message.key,
                tries + 1,
                ", given up" if is_given_up else f", again in {wait_s:.0f} s",
                error,
            )
            break
        store.put_sent(sink.name, message.key)
        logger.info("%s was told %s", sink.name, message.subject)
        sent.append(message)
    return sent
