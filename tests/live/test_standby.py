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
from zilzal.io.seedlink.client import SeedLinkSource
from zilzal.io.store import Store


@dataclass
class Told:
    """A sink that keeps the events that it was told, and does something each time.

    Args:
        then: called with how many there are now.
        ids: of the events.
    """

    then: Callable[[int], None] = lambda _: None
    ids: list[str] = field(default_factory=list)
    name: str = "told"
    rule: AlertRule = field(default_factory=lambda: AlertRule(least_stations=0))

    def send(self, message: Message) -> None:
        if message.content["event_id"] not in self.ids:
            self.ids.append(message.content["event_id"])
        self.then(len(self.ids))


async def monitor(
    made: Synthetic, output: Path, server: Server, *, until: int, standby: bool = False,
    is_endless: bool = False,
) -> Told:  # fmt: skip
    """Monitor until so many events were told, or all has been read; what was told."""
    output.mkdir(exist_ok=True)
    loop, source = asyncio.get_running_loop(), server.source
    with Store.open(output / "zilzal.db") as store:
        sink = Told()
        configuration = replace(settings(standby=standby), alerts=(sink,))
        sources = [source.source if is_endless else source]
        assert isinstance(source.source, SeedLinkSource)
        running = monitor_of(made, output, configuration, sources, store)
        running.clock = Hasty(running.clock)

        def stop(told: int) -> None:
            if told >= until:
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
                await monitor(made, first, server, until=1, is_endless=True),
                await monitor(made, second, server, until=1, standby=True),
                await monitor(made, second, server, until=2, is_endless=True),
            ]

    before, waiting, after = asyncio.run(work())
    assert waiting.ids == []
    assert before.ids
    assert set(before.ids) <= set(after.ids) == located(second)
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
        assert sink.ids == []
        send_due(store, sink)
    assert sink.ids == ["zzlater"]
