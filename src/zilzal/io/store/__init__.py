"""The store of results: SQLite by default, PostgreSQL by URL."""

from zilzal.io.store.query import EventColumns, EventQuery, EventSummary, Order, VersionStamp
from zilzal.io.store.store import Store
from zilzal.io.store.work import configuration_hash

__all__ = [
    "EventColumns",
    "EventQuery",
    "EventSummary",
    "Order",
    "Store",
    "VersionStamp",
    "configuration_hash",
]
