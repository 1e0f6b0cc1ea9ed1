"""The store of results: SQLite by default, PostgreSQL by URL."""

from zilzal.io.store.query import EventQuery, EventSummary, Order
from zilzal.io.store.store import Store, configuration_hash

__all__ = ["EventQuery", "EventSummary", "Order", "Store", "configuration_hash"]
