"""What happens, as it happens: server-sent events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from pydantic import Field

from zilzal.app.display.news import Cursor, News, Reader
from zilzal.app.display.tail import Tail
from zilzal.app.display.traces import Unit, View
from zilzal.web.api.event_values import EventLine
from zilzal.web.api.origin_values import PickAnswer
from zilzal.web.api.stations import StationAnswer
from zilzal.web.api.trace_values import SegmentAnswer
from zilzal.web.api.values import Answer, Asked, Held, Instant, sensor_of
from zilzal.web.api.waveforms import CurveSegment

router = APIRouter(prefix="/live", tags=["live"])

POLL_S = 0.25
"""The store is asked so often whether anything was written."""
HEARTBEAT_S = 15.0
STATIONS_S = 5.0
"""Ages of data are told anew so often."""
CURVES_S = 2.0
MOST_SENSORS = 50


class LiveFilter(Asked):
    """Sensors whose waveforms are wanted, and how they are looked at.

    Without `component` all components come. With `step_s` traces come as the least and largest
    sample of each step, and probabilities as the largest value, when the step is over; without it
    every sample comes.
    """

    sensor: list[Annotated[str, Field(max_length=40)]] = Field(
        default_factory=list[str], max_length=MOST_SENSORS
    )
    low_hz: Annotated[float, Field(gt=0, le=1_000)] | None = None
    high_hz: Annotated[float, Field(gt=0, le=1_000)] | None = None
    probabilities: bool = True
    component: list[Annotated[str, Field(pattern="^[A-Z0-9]$")]] = Field(
        default_factory=list[str], max_length=9
    )
    step_s: Annotated[float, Field(gt=0, le=60)] | None = None
    since: Annotated[str, Field(max_length=40)] = ""


class LiveStart(Answer):
    """The first message; `cursor` given back as `since` goes on from there."""

    kind: Literal["start"] = "start"
    time: Instant
    cursor: str


class LiveEvents(Answer):
    """New versions of events; one without a latitude is not, or no longer, located."""

    kind: Literal["events"] = "events"
    items: list[EventLine]


class LivePicks(Answer):
    """New picks, final ones and, where a monitor runs, those of events before they are."""

    kind: Literal["picks"] = "picks"
    items: list[PickAnswer]


class LiveStations(Answer):
    """Stations that something changed at."""

    kind: Literal["stations"] = "stations"
    items: list[StationAnswer]


class LiveWaveform(Answer):
    """What was recorded since the last message of the channel."""

    kind: Literal["waveform"] = "waveform"
    sensor: str
    channel: str
    segments: list[SegmentAnswer]


class LiveProbabilities(Answer):
    """What the network says of a sensor's record, some seconds behind it."""

    kind: Literal["probabilities"] = "probabilities"
    sensor: str
    segments: list[CurveSegment]


LiveMessage = LiveStart | LiveEvents | LivePicks | LiveStations | LiveWaveform | LiveProbabilities


class EventStream(StreamingResponse):
    """Server-sent events."""

    media_type = "text/event-stream"


@router.get(
    "",
    response_class=EventStream,
    responses={200: {"model": LiveMessage, "description": "Each message's data, without end"}},
)
async def live(
    request: Request,
    held: Held,
    wanted: Annotated[LiveFilter, Query()],
    last_event_id: Annotated[str, Header(max_length=100)] = "",
) -> EventStream:
    """Event versions, picks, stations, and waveforms of chosen sensors, as they are stored.

    The messages' types are their `kind`; the browser's Last-Event-ID makes a broken connection go
    on where it broke.
    """
    sensors = [sensor_of(text) for text in wanted.sensor]
    view = View(low_hz=wanted.low_hz, high_hz=wanted.high_hz, unit=Unit.COUNTS, points=20_000)
    reader = Reader(held, Cursor.parse(last_event_id or wanted.since))
    tail = Tail(
        held, request.app.state.curves, sensors, view,
        components=frozenset(wanted.component), step_s=wanted.step_s,
    )  # fmt: skip
    stream = _messages(request, reader, tail, with_curves=wanted.probabilities)
    return EventStream(stream, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})


async def _messages(
    request: Request, reader: Reader, tail: Tail, *, with_curves: bool
) -> AsyncIterator[str]:
    """Messages until the client goes, or the server stops."""
    clock, is_stopping = asyncio.get_running_loop().time, request.app.state.is_stopping
    cursor = await run_in_threadpool(reader.start)
    yield _message(LiveStart(time=reader.held.now(), cursor=str(cursor)), str(cursor))
    told_s = stations_s = curves_s = clock()
    is_growing = bool(tail.sensors) and reader.held.waveforms.is_growing
    with reader.held.store.watch() as version:
        # What was written before the first answer is looked for whatever that answer is.
        before: object = None
        while not (is_stopping() or await request.is_disconnected()):
            now_s = clock()
            answer = await run_in_threadpool(version)
            texts: list[str] = []
            if answer != before or now_s - stations_s > STATIONS_S:
                before, stations_s = answer, now_s
                news = await run_in_threadpool(reader.look)
                texts += _texts(news, str(reader.cursor))
            if is_growing:
                texts += await run_in_threadpool(_grown, tail)
                if with_curves and now_s - curves_s > CURVES_S:
                    curves_s = now_s
                    texts += await run_in_threadpool(_curves, tail)
            if now_s - told_s > HEARTBEAT_S:
                texts.append(": still here\n\n")
            for text in texts:
                told_s = now_s
                yield text
            await asyncio.sleep(POLL_S)


def _texts(news: News, cursor: str) -> list[str]:
    """The news as messages; only the last one moves the cursor on, so that none is lost."""
    answers: list[Answer] = []
    if news.stations:
        answers.append(LiveStations(items=[StationAnswer.of(line) for line in news.stations]))
    if news.picks:
        answers.append(LivePicks(items=[PickAnswer.of(pick) for pick in news.picks]))
    if news.events:
        answers.append(LiveEvents(items=[EventLine.of(event) for event in news.events]))
    return [
        _message(answer, cursor if number == len(answers) else None)
        for number, answer in enumerate(answers, 1)
    ]


def _grown(tail: Tail) -> list[str]:
    return [
        _message(
            LiveWaveform(
                sensor=str(channel.sensor_id),
                channel=str(channel),
                segments=[SegmentAnswer.of(segment) for segment in segments],
            )
        )
        for channel, segments in tail.grow().items()
    ]


def _curves(tail: Tail) -> list[str]:
    return [
        _message(
            LiveProbabilities(sensor=str(curves.sensor_id), segments=[CurveSegment.of(curves)])
        )
        for curves in tail.curves()
    ]


def _message(answer: Answer, cursor: str | None = None) -> str:
    """One server-sent event; JSON has no line breaks of its own."""
    content = answer.model_dump(mode="json")
    lines = [f"event: {content['kind']}", f"data: {json.dumps(content, separators=(',', ':'))}"]
    if cursor is not None:
        lines.insert(0, f"id: {cursor}")
    return "\n".join(lines) + "\n\n"
