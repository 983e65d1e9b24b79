"""The session: one engine a process, one transaction a thread, opened or joined."""

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache, wraps
from pathlib import Path
from types import ModuleType
from typing import Any, ParamSpec, TypeVar

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, InvalidatePoolError, OperationalError
from sqlmodel import Session

from models.turn import Turnstile
from settings import settings

SQLITE_NEEDS = (
    3,
    51,
    3,
)  # older ones can corrupt a WAL database with several writers (sqlite.org/wal.html#walresetbug)
SQLITE_WAIT_S = 30
TRUSTED_S = 1.0

P = ParamSpec("P")
T = TypeVar("T")


class UnsafeSqlite(RuntimeError):
    """The SQLite library at hand may corrupt the ledger."""


@dataclass
class _Open:
    session: Session
    writing: bool
    after: list[Callable[[], None]] = field(default_factory=list)


_open: ContextVar[_Open | None] = ContextVar("open transaction", default=None)

# Set by the runtime: what keeps a forced cancellation out of a transaction.
shield: Callable[[], AbstractContextManager[Any]] = nullcontext


@lru_cache(1)
def engine() -> Engine:
    """The process's engine, for the database of the settings."""
    return _sqlite() if make_url(settings().database).get_backend_name() == "sqlite" else _postgresql()


def is_postgresql() -> bool:
    """Whether the ledger lives in PostgreSQL; else it is SQLite."""
    return engine().dialect.name == "postgresql"


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
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.touch(mode=0o600, exist_ok=True)


def _sqlite() -> Engine:
    if (path := make_url(settings().database).database) not in (None, ":memory:"):
        _private(str(path))
    made = create_engine(
        settings().database,
        module=sqlite_module(),
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


def _postgresql() -> Engine:
    made = create_engine(
        settings().database,
        json_deserializer=_json,
        connect_args={**_PATIENCE, "application_name": "callboard", "options": "-c timezone=UTC"},
        pool_size=8,
        max_overflow=64,
    )
    _ask_after_a_rest(made)
    return made


def _ask_after_a_rest(made: Engine) -> None:
    """As `pool_pre_ping`, but a connection that worked a moment ago is trusted: asking costs a fifth of a small act."""

    @event.listens_for(made, "checkin")
    def _rest(connection: Any, record: Any) -> None:
        record.info["resting_since"] = time.monotonic()

    @event.listens_for(made, "checkout")
    def _ask(connection: Any, record: Any, _: object) -> None:
        if time.monotonic() - record.info.get("resting_since", time.monotonic()) < TRUSTED_S:
            return
        try:
            made.dialect.do_ping(connection)
        except made.dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError from error  # a new one is made, and the others are not trusted any more


def _json(stored: str) -> Any:
    """JSON as it was written: PostgreSQL gives 1e300 back as a whole number of 301 digits."""
    return json.loads(stored, parse_int=lambda digits: int(digits) if len(digits) < 16 else _number(digits))


def _number(digits: str) -> int | float:
    whole = int(digits)
    return whole if abs(whole) <= 2**53 else float(digits)


@contextmanager
def transaction() -> Iterator[Session]:
    """Open a transaction, or join the one that is open: all of it is committed by the outermost, or nothing is."""
    outer = _open.get()
    if outer is not None:
        if not outer.writing:
            raise RuntimeError("a write inside reading(): open the transaction outside of it")
        yield outer.session
        return
    with shield(), _turn(), Session(engine(), expire_on_commit=False) as session:
        mine = _Open(session, writing=True)
        token = _open.set(mine)
        try:
            with session.begin():
                yield session
        finally:
            _open.reset(token)
    for act in mine.after:
        act()


@contextmanager
def reading() -> Iterator[Session]:
    """A session for questions only: one consistent view, and on SQLite no write lock. Joins an open transaction."""
    outer = _open.get()
    if outer is not None:
        yield outer.session
        return
    with shield(), Session(engine(), expire_on_commit=False) as session:
        session.connection(execution_options={"readonly": True})
        token = _open.set(_Open(session, writing=False))
        try:
            yield session
        finally:
            _open.reset(token)
            session.expunge_all()  # what was read stays readable


@lru_cache(1)
def _turnstile() -> Turnstile | None:
    path = engine().url.database
    return None if is_postgresql() or path in (None, ":memory:") else Turnstile(f"{path}-turn")


def _turn() -> AbstractContextManager[Any]:
    turnstile = _turnstile()
    return nullcontext() if turnstile is None else turnstile.turn()


def after_commit(act: Callable[[], None]) -> None:
    """Do this once the outermost open transaction is committed; never if it is not."""
    mine = _open.get()
    if mine is None:
        act()
    else:
        mine.after.append(act)


def is_away(error: BaseException) -> bool:
    """Whether the database could not be reached or is busy, so that the same statement may succeed later."""
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated or isinstance(error, InterfaceError):
        return True
    state = getattr(error.orig, "sqlstate", None)
    if state:  # connection errors, shutdown, deadlock, serialisation, too many connections, lock not available
        return state[:2] in ("08", "57", "53") or state in ("40P01", "40001", "55P03")
    return isinstance(error, OperationalError)


def once_more(act: Callable[P, T]) -> Callable[P, T]:
    """Do an act that opens its own transaction again where the database ended it to break a deadlock."""

    @wraps(act)
    def patient(*args: P.args, **kwargs: P.kwargs) -> T:
        for _ in range(4):
            try:
                return act(*args, **kwargs)
            except DBAPIError as error:
                # Within a larger transaction only the whole of it could be done again, which is the caller's
                if _open.get() is not None or getattr(error.orig, "sqlstate", None) not in ("40P01", "40001"):
                    raise
        return act(*args, **kwargs)

    return patient


def forget_engine() -> None:
    """Close all connections and read the settings anew: for tests, and for a child after a fork."""
    if engine.cache_info().currsize:
        engine().dispose()
    engine.cache_clear()
    if turnstile := _turnstile.cache_info().currsize and _turnstile():
        turnstile.close()
    _turnstile.cache_clear()
