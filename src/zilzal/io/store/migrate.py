"""Bringing a database to the schema of this code, or refusing it."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from zilzal.core.errors import StoreError
from zilzal.io.store.engine import READING, write_ahead
from zilzal.io.store.schema import METADATA

HEAD = "0005"
"""The newest migration in `migrations/versions`."""

VERSION_TABLE = "zilzal_schema"
"""Alembic's table of the version, under a name that leaves other users of alembic alone."""

_LOCK = 0x7A696C7A616C
"""Key of PostgreSQL's advisory lock: "zilzal" in ASCII."""


def upgrade(engine: Engine, where: str, *, create: bool = True) -> None:
    """Create the tables or run the migrations that are missing.

    Processes that open the same store together wait for each other.

    Args:
        engine: of the database.
        where: it is, for people.
        create: whether a database without any tables of ours gets them.

    Raises:
        StoreError: the schema is newer than this code, or the database is of something else.
    """
    with engine.connect().execution_options(**READING) as connection:
        version = _version(connection)
    if version is None and not create:
        raise StoreError(
            f"the database {where} holds no results of zilzal, and was left as it is; check the "
            "path or URL, or make a store with zilzal run or zilzal monitor"
        )
    write_ahead(engine)
    if version == HEAD:
        return
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        version = _version(connection)
        if version == HEAD:
            return
        _check(connection, version, where)
        _run(connection)


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608 - a constant


def _check(connection: Connection, version: str | None, where: str) -> None:
    if version is None:
        strangers = sorted(set(inspect(connection).get_table_names()) & set(METADATA.tables))
        if strangers:
            raise StoreError(
                f"the database {where} was not made by zilzal, and has a table {strangers[0]!r} "
                "of its own; choose another path or an empty database"
            )
    elif version > HEAD:
        raise StoreError(
            f"the store {where} was made by a newer zilzal (schema {version}, this one knows up "
            f"to {HEAD}); upgrade zilzal, or choose another store"
        )


def _run(connection: Connection) -> None:
    # Alembic is slow to import and needed once in a store's life.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    command.upgrade(config, HEAD)
