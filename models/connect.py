"""How the ledger's database is spoken to: an engine for SQLite, one for PostgreSQL."""

import json
import sqlite3
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.exc import InvalidatePoolError

from models.base import follow_clock

SQLITE_NEEDS = (3, 51, 3)  # older ones can corrupt a file with several writers (sqlite.org/wal.html#walresetbug)
SQLITE_WAIT_S = 30
TRUSTED_S = 1.0  # how long a connection is not asked whether it still stands
STEP_S = 5.0  # how long the server's clock is taken not to have been set


class UnsafeSqlite(RuntimeError):
    """The SQLite library at hand may corrupt the ledger."""


def sqlite_module() -> ModuleType:
    """A SQLite library that is safe for several writers: pysqlite3's where Python's own is older.

    Raises `UnsafeSqlite` where there is none.
    """
    if sqlite3.sqlite_version_info >= SQLITE_NEEDS:
        return sqlite3
    try:
        from pysqlite3 import dbapi2
    except ImportError:
        dbapi2 = None
    if dbapi2 is not None and dbapi2.sqlite_version_info >= SQLITE_NEEDS:
        return dbapi2
    raise UnsafeSqlite(
        f"SQLite {sqlite3.sqlite_version} may corrupt a database with several writers, and no pysqlite3 wheel with "
        f"{'.'.join(map(str, SQLITE_NEEDS))} or newer is installed: install one, use a newer Python, or set "
        "DATABASE_URL to a PostgreSQL server."
    )


def _private(path: str) -> None:
    """The database's file and folder belong to this user alone."""
    file = Path(path).absolute()
    with suppress(OSError):  # what cannot be written to is told by SQLite, in the way of all its errors
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(mode=0o600, exist_ok=True)


def sqlite(url: URL) -> Engine:
    """For a file, which is made where there is none. Raises `UnsafeSqlite`."""
    if url.database not in (None, ":memory:"):
        _private(str(url.database))
    made = create_engine(
        url,
        module=sqlite_module(),
        hide_parameters=True,  # payloads among them: errors are logged
        connect_args={"timeout": SQLITE_WAIT_S, "check_same_thread": False},
        pool_size=8,
        max_overflow=64,
    )

    @event.listens_for(made, "connect")
    def _configure(connection: Any, _: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(made, "begin")
    def _begin(connection: Any) -> None:
        # A plain BEGIN that writes later fails at once when somebody else wrote meanwhile: no waiting helps it.
        reads = connection.get_execution_options().get("readonly", False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return made


# A server that a partition has swallowed is given up after half a minute; the system's own patience is two hours
_PATIENCE = {"connect_timeout": 5, "tcp_user_timeout": 30_000, "keepalives_idle": 15, "keepalives_interval": 5}


# A ledger grows faster than PostgreSQL counts its rows: a statement that was planned while there were few would go on
# reading all of them, so that none may where there is an index. And where it guesses too many, its compiler takes tens
# of milliseconds over a question that is answered in one.
_OPTIONS = "-c timezone=UTC -c enable_seqscan=off -c jit=off"


def postgresql(url: URL) -> Engine:
    """For a server; nothing is asked of it yet."""
    made = create_engine(
        url,
        hide_parameters=True,  # payloads among them: errors are logged
        json_deserializer=_json,
        connect_args={**_PATIENCE, "application_name": "callboard", "options": _OPTIONS},
        pool_size=8,
        max_overflow=64,
    )
    _ask_the_time(made)
    return made


def _ask_the_time(made: Engine) -> None:
    """As `pool_pre_ping`, but a connection that worked a moment ago is trusted: asking costs a fifth of a small act.

    What is asked is the time: nothing is done by this machine's clock, which may be wrong, and the server's may be set.
    Workers and schedulers keep step with each beat; whoever enqueues or looks has none.
    """
    asked_at: float | None = None

    @event.listens_for(made, "checkin")
    def _rest(connection: Any, record: Any) -> None:
        record.info["resting_since"] = time.monotonic()

    @event.listens_for(made, "checkout")
    def _ask(connection: Any, record: Any, _: object) -> None:
        nonlocal asked_at
        at = time.monotonic()
        if asked_at is not None and at - asked_at < STEP_S and at - record.info.get("resting_since", at) < TRUSTED_S:
            return
        try:
            follow_clock(_time(connection))
        except made.dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError from error  # a new one is made, and the others are not trusted any more
        asked_at = at


def _time(connection: Any) -> datetime:
    """The server's, in one exchange: outside of a transaction, none has to be begun and ended."""
    connection.autocommit = True
    time_there: datetime = connection.execute("SELECT clock_timestamp()").fetchone()[0]
    connection.autocommit = False
    return time_there


def _json(stored: bytes | str) -> Any:
    """JSON as it was written: PostgreSQL gives 1e300 back as a whole number of 301 digits."""
    return _decode(stored if isinstance(stored, str) else stored.decode())


def _number(digits: str) -> int | float:
    whole = int(digits)
    return whole if len(digits) < 16 or abs(whole) <= 2**53 else float(digits)


_decode = json.JSONDecoder(parse_int=_number).decode  # made once, where `json.loads` makes one for each text
