"""What can go wrong, as types.

    ZilzalError
    ├── ConfigError        a setting is unknown, missing or out of range
    ├── DataError          the input is not what it should be
    │   ├── FormatError      bytes that are not in the format they claim
    │   ├── GapError         samples are missing where they are required
    │   ├── InventoryError   a station or its response is unknown or unusable
    │   └── RangeError       a value outside the range a formula was made for
    ├── ModelError         a network cannot be used
    │   └── SpecError        its ModelSpec is missing or contradicts the network
    ├── SourceError        waveforms cannot be had
    │   ├── SourceTimeout    the source did not answer in time
    │   └── SourceClosed     the source ended the connection
    ├── PluginError        a plug-in is missing, broken or fails its kit
    ├── ClusterError       workers cannot be had, or cannot do what they are asked for
    └── StoreError         results cannot be written or read
        └── StaleVersion     somebody has changed an event meanwhile

What seismology expects to fail (an event that cannot be located) is a value with a
reason, not an exception: see `core.event.Unlocated`. Wrong use of a function is a
`ValueError` or `TypeError`.
"""


class ZilzalError(Exception):
    """Root of all errors that zilzal raises on purpose."""


class ConfigError(ZilzalError):
    """A setting is unknown, missing or out of range."""


class DataError(ZilzalError):
    """The input is not what it should be."""


class FormatError(DataError):
    """Bytes that are not in the format they claim."""


class GapError(DataError):
    """Samples are missing where they are required."""


class InventoryError(DataError):
    """A station or its response is unknown or unusable."""


class RangeError(DataError):
    """A value outside the range a formula was made for."""


class ModelError(ZilzalError):
    """A network cannot be used."""


class SpecError(ModelError):
    """The ModelSpec of a network is missing or contradicts the network."""


class SourceError(ZilzalError):
    """Waveforms cannot be had."""


class SourceTimeout(SourceError):
    """The source did not answer in time."""


class SourceClosed(SourceError):
    """The source ended the connection."""


class PluginError(ZilzalError):
    """A plug-in is missing, broken or fails its kit."""


class ClusterError(ZilzalError):
    """Workers cannot be had, or cannot do what they are asked for."""


class StoreError(ZilzalError):
    """Results cannot be written or read."""


class StaleVersion(StoreError):
    """Somebody has changed an event since it was read."""
