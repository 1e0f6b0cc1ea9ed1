"""What the sources offer, held against the inventory: who is missing, on either side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from zilzal.core.errors import SourceError
from zilzal.core.packet import Offer
from zilzal.core.stage import OfferingSource, PacketSource
from zilzal.core.station import Inventory
from zilzal.core.time import Time

_NAMED = 12
"""So many stations or channels are named; the others are counted."""


@dataclass(frozen=True, slots=True)
class Tried:
    """Something that a monitor needs, and how it stands.

    Args:
        what: it is.
        wrong: why a monitor cannot do its work with it; empty where it can.
        remark: what an operator should look at, although it can.
    """

    what: str
    wrong: str = ""
    remark: str = ""


async def hold_against(
    inventory: Inventory, sources: Sequence[PacketSource], bands: Sequence[str], now: Time
) -> list[Tried]:
    """Ask the sources what they have, those that can be asked, and compare.

    Args:
        inventory: of the stations.
        sources: that can be reached.
        bands: that a monitor works on.
        now: the time for which the inventory counts where a source has no data yet.
    """
    found: list[Tried] = []
    offered: list[Offer] = []
    have_all_told = bool(sources)
    for source in sources:
        if not isinstance(source, OfferingSource):
            have_all_told = False
            continue
        try:
            offers = await source.offers()
        except SourceError as error:
            found.append(Tried(source.name, remark=f"it does not tell what it sends: {error}"))
            have_all_told = False
            continue
        offered += offers
        found.append(_compared(source.name, offers, inventory, bands, now))
    lacking = _not_offered(inventory, offered, now)
    if have_all_told and lacking:
        remark = f"sent by no source: {_named(lacking)}"
        found.append(Tried("stations of the inventory", remark=remark))
    return found


def _compared(
    name: str, offers: Sequence[Offer], inventory: Inventory, bands: Sequence[str], now: Time
) -> Tried:
    """What of a source is of use."""
    known = [offer for offer in offers if _is_known(offer, inventory, bands, now)]
    what = f"{name}: {len(known)} of {len(offers)} stations that it sends are in the inventory"
    lacking = sorted(text for offer in offers for text in _unknown(offer, inventory, bands, now))
    if not offers:
        return Tried(what, "it has nothing that is wanted; correct its streams in [[sources]]")
    if not known:
        return Tried(
            what,
            f"none of them would be worked on, no metadata of {_named(lacking)}; complete "
            "[live] inventory, or correct the streams in [[sources]]",
        )
    return Tried(what, remark=f"sent without metadata: {_named(lacking)}" if lacking else "")


def _is_known(offer: Offer, inventory: Inventory, bands: Sequence[str], now: Time) -> bool:
    """Whether picks can come of a station."""
    time = offer.newest or now
    if not offer.channel_ids:
        return any(s.station_id == offer.station_id for s in inventory.stations(time))
    usable = (c for c in offer.channel_ids if c.sensor_id.band in bands)
    return any(inventory.channel(channel_id, time) for channel_id in usable)


def _unknown(offer: Offer, inventory: Inventory, bands: Sequence[str], now: Time) -> Iterable[str]:
    """The channels, of the bands that are worked on, that the inventory does not know."""
    time = offer.newest or now
    if not offer.channel_ids:
        return () if _is_known(offer, inventory, bands, now) else (str(offer.station_id),)
    usable = [c for c in offer.channel_ids if c.sensor_id.band in bands]
    if not usable:
        codes = ", ".join(sorted(c.channel for c in offer.channel_ids))
        return (f"{offer.station_id} (only {codes}: no band of [sensors])",)
    missing = [str(c) for c in usable if inventory.channel(c, time) is None]
    return (str(offer.station_id),) if len(missing) == len(usable) else missing


def _not_offered(inventory: Inventory, offers: Sequence[Offer], now: Time) -> list[str]:
    """Stations that operate, and that no source has."""
    sent = {offer.station_id for offer in offers}
    newest = max((offer.newest for offer in offers if offer.newest is not None), default=now)
    operating = {station.station_id for station in inventory.stations(newest)}
    return sorted(str(station_id) for station_id in operating - sent)


def _named(names: Sequence[str]) -> str:
    rest = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f", and {rest} more" if rest > 0 else "")
