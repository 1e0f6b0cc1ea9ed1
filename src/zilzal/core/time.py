"""Instants in UTC as whole nanoseconds since 1970-01-01T00:00:00Z; spans are seconds as float.

Leap seconds are not counted, as in POSIX time and in miniSEED readers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import overload

from zilzal.core.errors import FormatError

NS_PER_S = 1_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FORM = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,9}))?)?(Z|\+00:?00)?")


@dataclass(frozen=True, slots=True, order=True)
class Time:
    """An instant in UTC.

    Args:
        ns: nanoseconds since 1970-01-01T00:00:00Z; negative before.
    """

    ns: int

    @classmethod
    def parse(cls, text: str) -> Time:
        """Read ISO 8601, with up to nine decimals of the second; no zone means UTC.

        Raises:
            FormatError: the text is not such a time, or names another zone than UTC.
        """
        match = _FORM.fullmatch(text.strip())
        if match is None:
            raise FormatError(f"not a UTC time: {text!r}; write it as 2019-07-07T08:02:17.180000Z")
        day, clock, decimals, _ = match.groups()
        try:
            whole = datetime.fromisoformat(f"{day}T{clock or '00:00'}+00:00")
        except ValueError as error:
            raise FormatError(f"not a UTC time: {text!r} ({error})") from error
        return cls.of_datetime(whole) + int((decimals or "0").ljust(9, "0")) / NS_PER_S

    @classmethod
    def of_datetime(cls, moment: datetime) -> Time:
        """Convert an aware `datetime`.

        Raises:
            ValueError: the datetime is naive.
        """
        if moment.tzinfo is None:
            raise ValueError(f"naive datetime {moment}; give it a time zone")
        span = moment - _EPOCH
        return cls((span.days * 86_400 + span.seconds) * NS_PER_S + span.microseconds * 1_000)

    @classmethod
    def of_unix(cls, seconds: float) -> Time:
        """Convert seconds since the epoch; a float64 resolves about 0.2 µs today."""
        return cls(round(seconds * NS_PER_S))

    @property
    def unix_s(self) -> float:
        """Seconds since the epoch, to about 0.2 µs."""
        return self.ns / NS_PER_S

    def to_datetime(self) -> datetime:
        """The instant as an aware `datetime`, rounded to its microsecond."""
        return _EPOCH + timedelta(microseconds=round(self.ns / 1_000))

    def __add__(self, span_s: float) -> Time:
        return Time(self.ns + round(span_s * NS_PER_S))

    @overload
    def __sub__(self, other: Time) -> float: ...
    @overload
    def __sub__(self, other: float) -> Time: ...
    def __sub__(self, other: Time | float) -> float | Time:
        """Seconds between two instants, or the instant that many seconds earlier."""
        if isinstance(other, Time):
            return (self.ns - other.ns) / NS_PER_S
        return self + -other

    def __str__(self) -> str:
        """ISO 8601 with microseconds and Z, as every file of ours writes it."""
        return self.to_datetime().strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def sample_number(time: Time, sampling_rate: float) -> int:
    """Number of the sample nearest to an instant, on the grid whose sample 0 is the epoch.

    Exact for rates that are whole multiples of 0.001 Hz, whatever the date.
    """
    rate_mhz = round(sampling_rate * 1_000)
    if abs(rate_mhz / 1_000 - sampling_rate) < 1e-9 * sampling_rate:
        return (time.ns * rate_mhz + 500 * NS_PER_S) // (1_000 * NS_PER_S)
    return round(time.ns / NS_PER_S * sampling_rate)


def sample_time(number: int, sampling_rate: float) -> Time:
    """Instant of a sample of the epoch grid, to the nanosecond; the inverse of `sample_number`."""
    rate_mhz = round(sampling_rate * 1_000)
    if abs(rate_mhz / 1_000 - sampling_rate) < 1e-9 * sampling_rate:
        return Time((number * 1_000 * NS_PER_S + rate_mhz // 2) // rate_mhz)
    return Time(round(number / sampling_rate * NS_PER_S))
