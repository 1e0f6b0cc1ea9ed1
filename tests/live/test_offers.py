"""`zilzal monitor --check`: what servers send, held against the inventory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.live.network import served, settings
from zilzal.app.live.offers import Tried, hold_against
from zilzal.app.live.service import Settings, check
from zilzal.core.ids import ChannelId, StationId
from zilzal.core.packet import Offer
from zilzal.core.station import Channel, Inventory
from zilzal.core.time import Time
from zilzal.io.clock import SystemClock
from zilzal.io.inventory import read_inventory
from zilzal.io.seedlink.client import SeedLinkSource
from zilzal.io.seedlink.query import ServedStation, ServedStream
from zilzal.io.seedlink.subscription import Wanted, offers_of


def checked(
    made, tmp_path, change: Callable[[Channel], Channel | None], *, streams=("*",), protocol=None
) -> dict[str, Tried]:
    """What a check says of a server and an inventory of which channels are changed or left out."""
    channels = [change(channel) for channel in read_inventory([made.inventory]).channels]
    inventory = Inventory.of(channel for channel in channels if channel is not None)

    async def work() -> list[Tried]:
        async with served(made) as server:
            source = SeedLinkSource(server=server.address, streams=streams, protocol=protocol)
            tried = Settings(
                configuration=settings(),
                inventory=inventory,
                output=tmp_path / "out",
                sources=(source,),
            )
            return await check(tried, SystemClock())

    return {tried.what.partition(": ")[2] or tried.what: tried for tried in asyncio.run(work())}


def renamed(channel: Channel, station: str) -> Channel:
    return replace(channel, channel_id=replace(channel.channel_id, station=station))


@pytest.mark.parametrize("protocol", [3, 4])
def test_server_whose_stations_are_all_known_is_good(made, tmp_path, protocol):
    found = checked(made, tmp_path, lambda channel: channel, protocol=protocol)
    assert not any(tried.wrong or tried.remark for tried in found.values())
    assert "6 of 6 stations that it sends are in the inventory" in found


def test_server_of_which_no_station_is_known_is_wrong(made, tmp_path):
    found = checked(made, tmp_path, lambda channel: renamed(channel, "ELSE"))
    wrong = found["0 of 6 stations that it sends are in the inventory"].wrong
    assert "no metadata of SY.S01, SY.S02, SY.S03, SY.S04, SY.S05, SY.S06;" in wrong
    assert found["stations of the inventory"].remark == "sent by no source: SY.ELSE"


def test_what_is_missing_on_either_side_is_named_and_is_no_failure(made, tmp_path):
    def change(channel: Channel) -> Channel | None:
        code = channel.channel_id
        if code.station == "S02" and code.component == "N":
            return None
        return renamed(channel, "NEW") if code.station == "S05" else channel

    found = checked(made, tmp_path, change)
    tried = found["5 of 6 stations that it sends are in the inventory"]
    assert not tried.wrong
    names = tried.remark.removeprefix("sent without metadata: ").split(", ")
    assert names[0].startswith("SY.S02.")
    assert names[0].endswith("N")
    assert names[1:] == ["SY.S05"]
    assert found["stations of the inventory"].remark == "sent by no source: SY.NEW"


def test_only_what_is_wanted_of_the_server_counts(made, tmp_path):
    found = checked(made, tmp_path, lambda channel: channel, streams=("SY_S01", "SY_S02:BH?"))
    assert "1 of 1 stations that it sends are in the inventory" in found
    missing = "sent by no source: SY.S02, SY.S03, SY.S04, SY.S05, SY.S06"
    assert found["stations of the inventory"].remark == missing


def served_station(code: str, *streams: str, kind: str = "D") -> ServedStation:
    return ServedStation(
        code=code,
        description="",
        streams=tuple(ServedStream(code=s, kind=kind, start=None, end=None) for s in streams),
    )


@pytest.mark.parametrize("selector", ["HH?", "00HHZ", "*_H_H_?", "00_H_H_Z.2D", "D", "*"])
def test_selectors_of_either_version_choose_what_is_offered(selector):
    station = served_station("CI_CCC", "00_H_H_Z", "00_B_D_F")
    (offer,) = offers_of([Wanted.parse(f"CI_*:{selector} !*_B_D_F")], [station])
    assert offer.station_id == StationId("CI", "CCC")
    assert offer.channel_ids == {ChannelId("CI", "CCC", "00", "HHZ")}


def test_station_without_data_yet_is_offered_and_one_with_logs_alone_is_not():
    stations = [served_station("CI_AAA"), served_station("CI_BBB", "00_L_O_G", kind="L")]
    assert offers_of([Wanted("*_*")], stations) == (Offer(station_id=StationId("CI", "AAA")),)


class Telling:
    """A source that offers what it is given."""

    name = "telling"

    def __init__(self, *offers: Offer) -> None:
        self._offers = offers

    def open(self, _bookmarks, _clock):
        raise AssertionError

    async def offers(self) -> tuple[Offer, ...]:
        return self._offers


def test_inventory_of_the_time_of_the_data_counts():
    now, old = Time.parse("2026-01-01T00:00:00Z"), Time.parse("2019-07-07T00:00:00Z")
    code = ChannelId("CI", "CCC", "", "HHZ")
    inventory = Inventory.of([
        Channel(
            channel_id=code, latitude=35.0, longitude=-117.0, elevation_m=0.0, azimuth_deg=0.0,
            dip_deg=-90.0, sampling_rate=100.0, start=old - 1e6, end=old + 1e6,
        )
    ])  # fmt: skip

    def wrong(newest: Time) -> str:
        offer = Offer(station_id=code.station_id, channel_ids=frozenset({code}), newest=newest)
        (tried, *_) = asyncio.run(hold_against(inventory, [Telling(offer)], ["HH"], now))
        return tried.wrong

    assert not wrong(old)
    assert "no metadata of CI.CCC" in wrong(now)


def test_band_that_is_not_worked_on_is_told():
    code = ChannelId("CI", "CCC", "", "LHZ")
    offer = Offer(station_id=code.station_id, channel_ids=frozenset({code}))
    (tried,) = asyncio.run(hold_against(Inventory.of([]), [Telling(offer)], ["HH"], Time(0)))
    assert "CI.CCC (only LHZ: no band of [sensors])" in tried.wrong
