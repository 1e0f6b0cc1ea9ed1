"""Earthquake monitoring: from a packet of data to a located, typed event."""

__version__ = "0.1.0"
