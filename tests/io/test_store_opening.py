"""Making, upgrading and refusing stores; failing without harm."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import select, text

from tests.io.examples import START, classification, event, pick, plain
from zilzal.core.errors import StoreError
from zilzal.io.store import EventQuery, Order, Store
from zilzal.io.store.engine import connect, url_of
from zilzal.io.store.migrate import HEAD, VERSION_TABLE
from zilzal.io.store.query import paged
from zilzal.io.store.schema import EVENT, METADATA


def _execute(place: str, statement: str) -> None:
    engine = connect(url_of(place), timeout_s=5)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def test_migrations_make_the_schema_of_the_code(place: str):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    Store.open(place).close()
    engine = connect(url_of(place), timeout_s=5)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        differences = compare_metadata(context, METADATA)
    engine.dispose()
    assert differences == []


def test_code_knows_the_newest_migration():
    from alembic.script import ScriptDirectory

    import zilzal.io.store.migrate as here

    folder = Path(here.__file__).with_name("migrations")
    assert ScriptDirectory(str(folder)).get_heads() == [HEAD]


def _downgrade(place: str, revision: str) -> list[str]:
    """Take migrations back; the tables that are left."""
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import inspect

    import zilzal.io.store.migrate as here

    engine = connect(url_of(place), timeout_s=5)
    with engine.begin() as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(Path(here.__file__).with_name("migrations")))
        command.downgrade(config, revision)
        left = inspect(connection).get_table_names()
    engine.dispose()
    return left


def test_migrations_go_down_to_nothing(place: str):
    Store.open(place).close()
    assert _downgrade(place, "base") == [VERSION_TABLE]


def test_store_without_stations_types_keeps_its_events_as_they_are(place: str):
    old = event(classification=classification(station_classifications=()))
    with Store.open(place) as store:
        store.put_event(old)
    assert "station_classification" not in _downgrade(place, "0003")
    with Store.open(place) as store:
        assert plain(store.event(old.id)) == plain(old)
        assert store.put_event(old).version == 1
        store.put_event(event())
        assert plain(store.event(old.id)) == plain(event(version=2))


def test_opening_again_keeps_what_is_there(place: str):
    with Store.open(place) as store:
        store.put_event(event())
    with Store.open(place) as store:
        assert store.event(event().id) is not None


def test_newer_schema_is_refused_with_what_to_do(place: str):
    Store.open(place).close()
    _execute(place, f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    with pytest.raises(StoreError, match=r"newer zilzal \(schema 9999.*upgrade zilzal"):
        Store.open(place)


def test_database_of_something_else_is_refused(place: str):
    _execute(place, "CREATE TABLE event (name TEXT)")
    with pytest.raises(StoreError, match="not made by zilzal"):
        Store.open(place)


def test_many_may_make_the_same_store_at_once(place: str):
    failed: list[Exception] = []

    def make(number: int) -> None:
        try:
            with Store.open(place) as store:
                store.put_picks([pick(number)])
        except StoreError as error:
            failed.append(error)

    threads = [threading.Thread(target=make, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with Store.open(place) as store:
        assert len(store.picks()) == 6


def test_sqlite_runs_with_write_ahead_log_and_foreign_keys(tmp_path: Path):
    with Store.open(tmp_path / "a.db") as store, store._database.reading() as connection:
        settings = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "foreign_keys", "busy_timeout")
        ]
    assert settings == ["wal", 1, 30_000]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("no/such/folder/a.db", "no folder .*no/such/folder.* make it first"),
        (".", "is a folder; name a file in it"),
    ],
)
def test_path_that_cannot_be_a_store_is_told(tmp_path: Path, name: str, message: str):
    with pytest.raises(StoreError, match=message):
        Store.open(tmp_path / name)


def test_store_that_must_be_there_is_not_made(tmp_path: Path):
    with pytest.raises(StoreError, match=r"no store at .*check the path"):
        Store.open(tmp_path / "a.db", create=False)
    assert not (tmp_path / "a.db").exists()


def test_database_without_a_store_is_left_as_it_is(place: str):
    if "sqlite" in url_of(place).drivername:
        sqlite3.connect(place).execute("CREATE TABLE customers (name TEXT)").connection.close()
    else:
        _execute(place, "CREATE TABLE customers (name TEXT)")
    before = Path(place).read_bytes() if "://" not in place else b""
    with pytest.raises(StoreError, match=r"holds no results of zilzal.*check the path or URL"):
        Store.open(place, create=False)
    assert not before or Path(place).read_bytes() == before
    Store.open(place).close()
    Store.open(place, create=False).close()


def test_file_that_is_no_database_is_left_alone(tmp_path: Path):
    file = tmp_path / "picks.csv"
    file.write_text("network,station\n" * 100)
    with pytest.raises(StoreError, match=r"cannot open the store .*picks.csv: it is no SQLite"):
        Store.open(file)
    assert file.read_text() == "network,station\n" * 100


@pytest.mark.parametrize("url", ["mysql://localhost/a", "postgresql://host:port/a", "://"])
def test_other_urls_are_refused(url: str):
    with pytest.raises(StoreError, match="postgresql://user@host/database"):
        Store.open(url)


def test_server_that_does_not_answer_is_told_without_the_password():
    with pytest.raises(StoreError, match="cannot be reached") as caught:
        Store.open("postgresql://me:secret@127.0.0.1:1/zilzal", timeout_s=2)
    assert "secret" not in str(caught.value)
    assert "me:***@127.0.0.1:1/zilzal" in str(caught.value)


def test_database_that_is_not_on_the_server_is_told(postgresql: str):
    with pytest.raises(StoreError, match="does not exist"):
        Store.open(f"{postgresql}nowhere")


def test_full_disk_is_told_and_leaves_whole_transactions(tmp_path: Path):
    with Store.open(tmp_path / "a.db") as store:
        store.put_picks([pick(0)])
        with store._database.reading() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 2}")
        with pytest.raises(StoreError, match=r"the disk is full; free some space"):
            store.put_picks([pick(n) for n in range(2_000)])
        assert store.picks() == [pick(0)]


def test_full_server_disk_is_told(postgresql: str):
    with (
        Store.open(f"{postgresql}postgres") as store,
        pytest.raises(StoreError, match="server's disk is full"),
        store._database.writing() as connection,
    ):
        connection.execute(text("DO $$ BEGIN RAISE SQLSTATE '53100'; END $$"))


def test_other_writer_is_waited_for_and_then_told(place: str):
    with Store.open(place) as holder, Store.open(place, timeout_s=0.2) as store:
        with holder.transaction():
            holder.put_event(event())
            with pytest.raises(StoreError, match="another process is writing to it; wait"):
                store.put_event(event(1))
        assert store.put_event(event(1)).version == 1


def test_read_only_database_is_told(place: str):
    with Store.open(place) as store:
        store.put_picks([pick()])
    if place.startswith("postgresql"):
        _execute(place, "ALTER DATABASE postgres SET default_transaction_read_only = on")
    else:
        place = f"sqlite:///file:{place}?mode=ro&uri=true"
    with Store.open(place) as store:
        assert store.picks() == [pick()]
        with pytest.raises(StoreError, match="it is read-only; "):
            store.put_picks([pick(1)])


def test_damaged_file_is_told(tmp_path: Path):
    path = tmp_path / "a.db"
    with Store.open(path) as store:
        store.put_picks([pick(n) for n in range(1_000)])
    content = bytearray(path.read_bytes())
    content[4096:-4096] = b"\x5a" * len(content[4096:-4096])
    path.write_bytes(content)
    with pytest.raises(StoreError, match="the file is damaged"), Store.open(path) as store:
        store.picks()


_KILLED = """
import sys
from tests.io.examples import event, pick
from zilzal.io.store import Store

with Store.open(sys.argv[1]) as store:
    with store.transaction():
        store.put_picks([pick(0)])
        store.save_checkpoint("CI.CCC", b"first", "abc")
    with store.transaction():
        store.put_picks([pick(n) for n in range(1, 5_000)])
        store.put_event(event())
        store.save_checkpoint("CI.CCC", b"second", "abc")
        print("inside", flush=True)
        sys.stdin.read()
"""


def test_kill_in_a_transaction_leaves_the_one_before(place: str):
    process = subprocess.Popen(
        [sys.executable, "-c", _KILLED, place],
        cwd=Path(__file__).parents[2], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "inside\n"
        process.send_signal(signal.SIGKILL)
        process.wait()
    with Store.open(place, timeout_s=10) as store:
        assert store.picks() == [pick(0)]
        assert len(store.events()) == 0
        assert store.load_checkpoint("CI.CCC", "abc") == b"first"
        store.put_picks([pick(n) for n in range(3)])
        assert len(store.picks()) == 3


def test_file_passes_sqlites_own_check(tmp_path: Path):
    path = tmp_path / "a.db"
    with Store.open(path) as store:
        store.put_events([event(n) for n in range(20)])
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (EventQuery(start=START, end=START + 3600, limit=50), "ix_event_time_id"),
        (EventQuery(order=Order.NEWEST, limit=50), "ix_event_time_id"),
        (EventQuery(order=Order.LARGEST, limit=50), "ix_event_magnitude_time_id"),
        (EventQuery(min_magnitude=3.0, max_magnitude=4.0), "ix_event_magnitude_time_id"),
    ],
)
def test_events_are_searched_by_an_index(tmp_path: Path, query: EventQuery, index: str):
    with Store.open(tmp_path / "a.db") as store, store._database.reading() as connection:
        statement = paged(select(EVENT), query).compile(
            connection, compile_kwargs={"literal_binds": True}
        )
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}").all()
    assert any(index in row[3] for row in plan), plan
