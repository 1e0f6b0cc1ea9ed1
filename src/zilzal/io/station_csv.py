"""Stations in a plain table, for networks without StationXML.

One line a channel, or a band: with `HH` in the column `channel` a line stands for HHZ, HHN, HHE,
HH1 and HH2. Columns may come in any order; those of `REQUIRED` must be there. Empty means unknown.

===============  =======================================================================
network          code
station          code
location         code; often empty
channel          HHZ, or a band as HH
latitude         [deg], WGS84
longitude        [deg]
elevation_m      of the ground above sea level
depth_m          of the sensor below the ground; 0 if not given
azimuth_deg      of the sensing direction, clockwise from north; not with a band
dip_deg          of the sensing direction, down from horizontal (up is -90); not with a band
sampling_rate    [Hz]
sensitivity      counts per unit of ground motion
unit             M, M/S or M/S**2; M/S if not given
frequency_hz     where the sensitivity holds; 1 if not given
poles            [rad/s], as ``-0.037+0.037j -0.037-0.037j``
zeros            [rad/s], as ``0j 0j``
start            first instant of the epoch, ISO 8601
end              last instant of the epoch
===============  =======================================================================
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from io import StringIO
from math import isfinite
from pathlib import Path

from zilzal.core.errors import FormatError
from zilzal.core.ids import ChannelId
from zilzal.core.station import Channel, GroundMotion, Inventory, Response
from zilzal.core.time import Time

REQUIRED = ("network", "station", "location", "channel", "latitude", "longitude", "elevation_m")
COLUMNS = (
    *REQUIRED,
    *("depth_m", "azimuth_deg", "dip_deg", "sampling_rate"),
    *("sensitivity", "unit", "frequency_hz", "poles", "zeros", "start", "end"),
)
BAND_COMPONENTS = "ZNE12"
"""What a band stands for."""


def is_station_csv(path: Path) -> bool:
    """Whether a file's first line has the columns that a table of stations needs."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        header = next(csv.reader([file.readline()]), [])
    return {"station", "latitude", "longitude"} <= {name.strip() for name in header}


def read_station_csv(path: Path) -> Inventory:
    """Read a table of stations.

    Raises:
        FormatError: a column is missing or unknown, or a value is not what it should be; the
            message names the file and the line.
        OSError: the file cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError(f"{path}: not UTF-8 text ({error}); save it as UTF-8") from error
    return Inventory.of(_channels(path, text))


def write_station_csv(inventory: Inventory, path: Path) -> None:
    """Write a table that `read_station_csv` reads back as the same inventory."""
    content = StringIO()
    writer = csv.DictWriter(content, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(_row(channel) for channel in inventory.channels)
    path.write_text(content.getvalue(), encoding="utf-8")


def _channels(path: Path, text: str) -> Iterator[Channel]:
    reader = csv.DictReader(StringIO(text), skipinitialspace=True, strict=True)
    names = [name.strip() for name in reader.fieldnames or ()]
    _check_header(path, names)
    reader.fieldnames = names
    seen: dict[tuple[ChannelId, Time | None], int] = {}
    try:
        for row in reader:
            where = f"{path}, line {reader.line_num}"
            line = _Line(where, row)
            for channel in line.channels() if line.has_content() else ():
                key = (channel.channel_id, channel.start)
                if key in seen:
                    raise FormatError(
                        f"{where}: {channel.channel_id} is given again; line {seen[key]} has it"
                    )
                seen[key] = reader.line_num
                yield channel
    except csv.Error as error:
        raise FormatError(f"{path}, line {reader.line_num}: {error}") from error


def _check_header(path: Path, names: Iterable[str]) -> None:
    found = list(names)
    missing = [name for name in REQUIRED if name not in found]
    unknown = [name for name in found if name not in COLUMNS]
    twice = sorted({name for name in found if found.count(name) > 1})
    problems = [
        f"{what} {', '.join(map(repr, which))}"
        for what, which in (("missing", missing), ("unknown", unknown), ("twice", twice))
        if which
    ]
    if problems:
        raise FormatError(
            f"{path}, line 1: columns {'; '.join(problems)}; "
            f"write a header of {','.join(REQUIRED)} and any of {','.join(COLUMNS[7:])}"
        )


class _Line:
    """A line of the table, whose complaints name the file and the line."""

    def __init__(self, where: str, row: Mapping[str | None, str | None]) -> None:
        self.where = where
        self.row = {name: (value or "").strip() for name, value in row.items() if name is not None}
        if None in row:
            raise FormatError(f"{where}: more values than columns")

    def has_content(self) -> bool:
        return any(self.row.values())

    def number(
        self, name: str, default: float | None = None, limits: tuple[float, float] | None = None
    ) -> float | None:
        text = self.row.get(name, "")
        if not text:
            return default
        try:
            value = float(text)
        except ValueError as error:
            raise FormatError(f"{self.where}: {name} {text!r} is not a number") from error
        if not isfinite(value) or (limits and not limits[0] <= value <= limits[1]):
            expected = f"{limits[0]:g} to {limits[1]:g}" if limits else "a finite number"
            raise FormatError(f"{self.where}: {name} is {text}; expected {expected}")
        return value

    def required(self, name: str, limits: tuple[float, float]) -> float:
        value = self.number(name, limits=limits)
        if value is None:
            raise FormatError(f"{self.where}: {name} is empty")
        return value

    def time(self, name: str) -> Time | None:
        text = self.row.get(name, "")
        try:
            return Time.parse(text) if text else None
        except FormatError as error:
            raise FormatError(f"{self.where}: {name} is {error}") from error

    def roots(self, name: str) -> tuple[complex, ...]:
        try:
            return tuple(complex(word) for word in self.row.get(name, "").split())
        except ValueError as error:
            raise FormatError(
                f"{self.where}: {name} {self.row[name]!r} are not complex numbers as -0.1+0.2j"
            ) from error

    def response(self) -> Response | None:
        sensitivity = self.number("sensitivity")
        if sensitivity is None:
            return None
        unit = self.row.get("unit", "").upper() or "M/S"
        if unit not in tuple(GroundMotion):
            raise FormatError(f"{self.where}: unit is {unit!r}; write M, M/S or M/S**2")
        if sensitivity == 0:
            raise FormatError(f"{self.where}: sensitivity is 0; leave it empty if it is not known")
        frequency_hz = self.number("frequency_hz", 1.0)
        assert frequency_hz is not None
        return Response(
            sensitivity=sensitivity,
            ground_motion=GroundMotion(unit),
            frequency_hz=frequency_hz,
            poles=self.roots("poles"),
            zeros=self.roots("zeros"),
        )

    def channels(self) -> Iterator[Channel]:
        """The channel, or those of the band, that the line describes."""
        code = self.row["channel"]
        if not self.row["station"] or len(code) not in (2, 3):
            raise FormatError(
                f"{self.where}: station is {self.row['station']!r} and channel {code!r}; "
                "write a station code and a channel as HHZ, or a band as HH"
            )
        is_band = len(code) == 2
        if is_band and (self.row.get("azimuth_deg") or self.row.get("dip_deg")):
            raise FormatError(
                f"{self.where}: azimuth_deg and dip_deg belong to one channel, not to band {code}"
            )
        depth_m = self.number("depth_m", 0.0)
        assert depth_m is not None
        for component in BAND_COMPONENTS if is_band else ("",):
            yield Channel(
                channel_id=ChannelId(
                    self.row["network"],
                    self.row["station"],
                    self.row["location"].replace("--", ""),
                    code + component,
                ),
                latitude=self.required("latitude", (-90, 90)),
                longitude=self.required("longitude", (-180, 360)),
                elevation_m=self.required("elevation_m", (-12_000, 10_000)),
                depth_m=depth_m,
                azimuth_deg=self.number("azimuth_deg", limits=(-360, 360)),
                dip_deg=self.number("dip_deg", limits=(-90, 90)),
                sampling_rate=self.number("sampling_rate", limits=(1e-6, 1e6)),
                response=self.response(),
                start=self.time("start"),
                end=self.time("end"),
            )


def _row(channel: Channel) -> dict[str, object]:
    """A channel as a line; numbers are written so that they are read back exactly."""
    code, response = channel.channel_id, channel.response
    row: dict[str, object] = {
        "network": code.network,
        "station": code.station,
        "location": code.location,
        "channel": code.channel,
    }
    for name in ("latitude", "longitude", "elevation_m", "depth_m", "azimuth_deg", "dip_deg"):
        row[name] = getattr(channel, name)
    row["sampling_rate"] = channel.sampling_rate
    row["start"] = None if channel.start is None else _exact(channel.start)
    row["end"] = None if channel.end is None else _exact(channel.end)
    if response is not None:
        row["sensitivity"] = response.sensitivity
        row["unit"] = response.ground_motion.value
        row["frequency_hz"] = response.frequency_hz
        row["poles"] = " ".join(str(p).strip("()") for p in response.poles)
        row["zeros"] = " ".join(str(z).strip("()") for z in response.zeros)
    return row


def _exact(time: Time) -> str:
    """The time with as many decimals as it has."""
    whole = Time(time.ns // 1_000_000_000 * 1_000_000_000)
    return f"{str(whole)[:19]}.{time.ns - whole.ns:09d}Z"
