"""Two monitors on the same data: they agree, and one takes over from the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.clock import ManualClock
from tests.io.examples import event
from tests.live.faults import Hasty
from tests.live.network import Server, monitor_of, served, settings
from zilzal.app.live.alerts import enqueue, hold_back, send_due
from zilzal.app.synthetic import Synthetic
from zilzal.core.alert import AlertRule, Message
from zilzal.core.event import Origin
from zilzal.io.store import Store


@dataclass
class Told:
    """A sink that keeps the ids of the events that it was told, as a receiver would.

    Args:
        then: called after each.
        ids: of the events; one that goes by another id now is there once.
    """

    then: Callable[[], None] = lambda: None
    ids: set[str] = field(default_factory=set)
    name: str = "told"
    rule: AlertRule = field(default_factory=lambda: AlertRule(least_stations=0))

    def send(self, message: Message) -> None:
        self.ids.discard(message.content["replaces"])
        self.ids.add(message.content["event_id"])
        self.then()


async def monitor(
    made: Synthetic, output: Path, server: Server, *, standby: bool = False,
    until: Callable[[set[str]], bool] | None = None,
) -> Told:  # fmt: skip
    """Monitor until what was told is enough, or all has been read if not said; what was told."""
    output.mkdir(exist_ok=True)
    loop, source = asyncio.get_running_loop(), server.source
    with Store.open(output / "zilzal.db") as store:
        sink = Told()
        configuration = replace(settings(standby=standby), alerts=(sink,))
        sources = [source if until is None else source.source]
        running = monitor_of(made, output, configuration, sources, store)
        running.clock = Hasty(running.clock)

        def stop() -> None:
            if until is not None and until(sink.ids):
                loop.call_soon_threadsafe(running.stop.set)

        sink.then = stop
        await running.run()
        return sink


def located(output: Path) -> set[str]:
    with Store.open(output / "zilzal.db", create=False) as store:
        return {e.id for e in store.events() if isinstance(e.origin, Origin)}


def test_standby_takes_over_what_the_first_monitor_cannot_tell_any_more(made, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"

    async def work() -> list[Told]:
        async with served(made) as server:
            return [
                await monitor(made, first, server, until=bool),
                await monitor(made, second, server, standby=True),
                await monitor(made, second, server, until=lambda ids: ids == located(second)),
            ]

    before, waiting, after = asyncio.run(work())
    assert before.ids
    assert not waiting.ids
    assert after.ids == located(second)
    assert len(after.ids) == 2


def test_what_was_kept_back_for_long_is_left_to_the_other_monitor(tmp_path):
    clock, sink = ManualClock(), Told()

    async def wait(store: Store) -> None:
        holding = asyncio.create_task(hold_back(store, [sink], clock, 900.0))
        await clock.asleep()
        holding.cancel()

    with Store.open(tmp_path / "zilzal.db", clock=clock.now) as store:
        enqueue(store, [sink], [event()])
        clock.step(600.0)
        enqueue(store, [sink], [replace(event(), id="zzlater")])
        clock.step(301.0)
        asyncio.run(wait(store))
        assert not sink.ids
        send_due(store, sink)
    assert sink.ids == {"zzlater"}
