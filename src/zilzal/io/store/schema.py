"""The tables, with QuakeML's names; times are integer nanoseconds, quantities as in `core`.

Picks, detections, origins, magnitudes, classifications and provenances are stored once by
content: `digest` is a hash of all that a row says, so that writing one again changes nothing
and versions of an event share what did not change. A row of `event_version` points at its
parts and is never altered. `event` has one row an event, its current version, with the
columns that are searched.

A change here needs a migration in `migrations/versions`; a test compares the two.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)

_SERIAL = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows by itself only where the type is INTEGER."""


def _text(name: str, *, null: bool = False) -> Column[str]:
    return Column(name, Text, nullable=null)


def _real(name: str, *, null: bool = True) -> Column[float]:
    """A float64; NULL is None, or NaN where the field cannot be None."""
    return Column(name, Double, nullable=null)


def _whole(name: str, *, null: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=null)


def _digest() -> Column[int]:
    return Column("digest", BigInteger, primary_key=True, autoincrement=False)


def _refers(name: str, to: str, *, null: bool = False, key: bool = False) -> Column[int]:
    return Column(
        name, BigInteger, ForeignKey(to), nullable=null, primary_key=key, autoincrement=False
    )


def _codes(last: str | None) -> list[Column[str]]:
    names = ["network", "station"] + (["location", last] if last else [])
    return [_text(name) for name in names]


def _position() -> Column[int]:
    return Column("position", Integer, primary_key=True, autoincrement=False)


PROVENANCE = Table(
    "provenance", METADATA, _digest(),
    _text("method"), _text("version"), _text("model"), _text("configuration"),
)  # fmt: skip

PICK = Table(
    "pick", METADATA,
    Column("number", _SERIAL, primary_key=True),
    Column("digest", BigInteger, nullable=False, unique=True),
    _text("id"), *_codes("channel"), _text("phase"), _whole("time"),
    _real("probability", null=False), _real("uncertainty_s", null=False),
    _real("amplitude_counts"), _real("snr"),
    _text("onset", null=True), _text("polarity", null=True), _text("evaluation_mode"),
    _refers("provenance", "provenance.digest"),
    Index(None, "time", "id"),
)  # fmt: skip

DETECTION = Table(
    "detection", METADATA,
    Column("number", _SERIAL, primary_key=True),
    Column("digest", BigInteger, nullable=False, unique=True),
    _text("id"), *_codes("band"), _whole("start_time"), _whole("end_time"),
    _real("probability", null=False),
    _refers("provenance", "provenance.digest"),
    Index(None, "start_time", "id"),
)  # fmt: skip

ORIGIN = Table(
    "origin", METADATA, _digest(),
    _text("id"), _whole("time"),
    _real("latitude", null=False), _real("longitude", null=False), _real("depth_m"),
    Column("covariance", LargeBinary, nullable=False),
    _real("semi_major_m"), _real("semi_minor_m"), _real("ellipse_azimuth_deg"),
    _real("ellipse_level"), _real("rms_s"), _real("azimuthal_gap_deg"),
    _real("nearest_station_m"), _text("quality"),
    Column("depth_fixed", Boolean, nullable=False),
    _text("earth_model"), _text("evaluation_mode"),
    _refers("provenance", "provenance.digest"),
)  # fmt: skip

ARRIVAL = Table(
    "arrival", METADATA,
    _refers("origin", "origin.digest", key=True), _position(),
    _text("pick_id"), *_codes(None), _text("phase"),
    _real("distance_m"), _real("azimuth_deg"), _real("takeoff_angle_deg"),
    _real("residual_s"), _real("weight"), _real("correction_s"),
    Index(None, "pick_id"),
)  # fmt: skip

MAGNITUDE = Table(
    "magnitude", METADATA, _digest(),
    _text("id"), _text("origin_id"), _real("magnitude"), _text("type"), _real("uncertainty"),
    _text("reason"), _text("evaluation_mode"),
    _refers("provenance", "provenance.digest"),
)  # fmt: skip

STATION_MAGNITUDE = Table(
    "station_magnitude", METADATA,
    _refers("network_magnitude", "magnitude.digest", key=True), _position(),
    *_codes("channel"), _real("magnitude"), _text("type"), _real("amplitude_m"),
    _real("period_s"), _real("distance_m"), _real("snr"), _real("residual"), _text("reason"),
)  # fmt: skip

CLASSIFICATION = Table(
    "classification", METADATA, _digest(),
    _text("event_type"), _text("label"), _real("probability"), _text("probabilities"),
    _text("reason"),
    _refers("provenance", "provenance.digest"),
)  # fmt: skip

STATION_CLASSIFICATION = Table(
    "station_classification", METADATA,
    _refers("classification", "classification.digest", key=True), _position(),
    *_codes(None), _text("model"), _text("probabilities"), _real("weight", null=False),
    _text("reason"),
)  # fmt: skip

EVENT_VERSION = Table(
    "event_version", METADATA,
    Column("key", BigInteger, primary_key=True, autoincrement=False),
    _text("event_id"), Column("version", Integer, nullable=False),
    _whole("content"), _whole("time"),
    _refers("preferred_origin", "origin.digest", null=True),
    _refers("preferred_magnitude", "magnitude.digest", null=True),
    _text("unlocated_reason", null=True),
    _refers("classification", "classification.digest", null=True),
    _text("evaluation_mode"), _text("comment"), _whole("written"),
    Column("author", Text, nullable=False, server_default=""),
    UniqueConstraint("event_id", "version"),
)  # fmt: skip


def _link(part: str) -> Table:
    """The parts of a version, in order."""
    return Table(
        f"event_{part}", METADATA,
        _refers("event_version", "event_version.key", key=True), _position(),
        _refers(part, f"{part}.digest"),
    )  # fmt: skip


EVENT_MAGNITUDE = _link("magnitude")
EVENT_PICK = _link("pick")
EVENT_DETECTION = _link("detection")

EVENT = Table(
    "event", METADATA,
    Column("id", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    _refers("current", "event_version.key"),
    _whole("time"), _real("latitude"), _real("longitude"), _real("depth_m"),
    _real("magnitude"), _text("magnitude_type", null=True), _text("event_type"),
    _text("evaluation_mode"), _text("quality", null=True), _whole("written"),
    Index(None, "time", "id"), Index(None, "magnitude", "time", "id"),
    Index(None, "latitude", "longitude"), Index(None, "written"),
)  # fmt: skip

COVERAGE = Table(
    "coverage", METADATA,
    *(Column(name, Text, primary_key=True)
      for name in ("network", "station", "location", "channel", "reason", "note")),
    Column("start_time", BigInteger, primary_key=True, autoincrement=False),
    _whole("end_time"),
    Index(None, "start_time"),
)  # fmt: skip

STATION_PERFORMANCE = Table(
    "station_performance", METADATA,
    Column("network", Text, primary_key=True), Column("station", Text, primary_key=True),
    Column("time", BigInteger, primary_key=True, autoincrement=False),
    Column("is_hour", Boolean, nullable=False), _real("span_s", null=False),
    _whole("packets"), _whole("picks"), _real("arrival_s"), _real("silent_s"),
    _real("data_age_s"), _real("behind_s"), _real("noise_db"),
    Index(None, "is_hour", "time"),
)  # fmt: skip

CONFIGURATION = Table(
    "configuration", METADATA, Column("hash", Text, primary_key=True), _text("text")
)

RUN = Table(
    "run", METADATA,
    Column("number", _SERIAL, primary_key=True),
    Column("configuration", Text, ForeignKey("configuration.hash"), nullable=False),
    _text("version"), _whole("started"),
    UniqueConstraint("configuration", "version", "started"),
)  # fmt: skip

CHECKPOINT = Table(
    "checkpoint", METADATA,
    Column("configuration", Text, primary_key=True), Column("key", Text, primary_key=True),
    Column("state", LargeBinary, nullable=False), Column("done", Boolean, nullable=False),
    _whole("written"),
)  # fmt: skip

BOOKMARK = Table(
    "bookmark", METADATA,
    Column("source", Text, primary_key=True), Column("part", Text, primary_key=True),
    _text("place"),
)  # fmt: skip

NOTE = Table(
    "note", METADATA, Column("key", Text, primary_key=True), _text("content"), _whole("written")
)

MESSAGE = Table(
    "message", METADATA,
    Column("sink", Text, primary_key=True), Column("key", Text, primary_key=True),
    _text("content"), _whole("due"), Column("tries", Integer, nullable=False),
    _text("state"), _text("error"), _whole("written"),
    Index(None, "state", "due"),
)  # fmt: skip

Row = dict[str, Any]
"""Values by name of column."""
