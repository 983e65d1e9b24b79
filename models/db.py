"""The session: one engine a process, one transaction a thread, opened or joined."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache, wraps
from typing import Any, ParamSpec, TypeVar

from sqlalchemy import Engine, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlmodel import Session

from models import connect
from models.base import forget_clock
from models.turn import Turnstile
from settings import settings

P = ParamSpec("P")
T = TypeVar("T")


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
    url = make_url(settings().database)
    return connect.sqlite(url) if url.get_backend_name() == "sqlite" else connect.postgresql(url)


def is_postgresql() -> bool:
    """Whether the ledger lives in PostgreSQL; else it is SQLite."""
    return engine().dialect.name == "postgresql"


@contextmanager
def transaction(first: bool = False, single: bool = False) -> Iterator[Session]:
    """Open a transaction, or join the one that is open: all of it is committed by the outermost, or nothing is.

    `first`: on SQLite, before all others who wait to write. `single`: what must be all or nothing in it is one
    statement, which PostgreSQL commits by itself, two round trips sooner.
    """
    outer = _open.get()
    if outer is not None:
        if not outer.writing:
            raise RuntimeError("a write inside reading(): open the transaction outside of it")
        yield outer.session
        return
    with shield(), Session(engine(), expire_on_commit=False) as session:
        mine = _Open(session, writing=True)
        token = _open.set(mine)
        try:
            with _turn(first), session.begin():
                if is_postgresql():  # what is written now is to bear the server's time, which this takes after a rest
                    session.connection(execution_options={"isolation_level": "AUTOCOMMIT"} if single else None)
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


def _turn(first: bool) -> AbstractContextManager[Any]:
    try:
        turnstile = _turnstile()
    except OSError:  # nothing can be written here: SQLite says so
        turnstile = None
    return nullcontext() if turnstile is None else turnstile.first() if first else turnstile.turn()


def after_commit(act: Callable[[], None]) -> None:
    """Do this once the outermost open transaction is committed; never if it is not."""
    mine = _open.get()
    if mine is None:
        act()
    else:
        mine.after.append(act)


def is_away(error: BaseException) -> bool:
    """Whether the database could not be reached or is busy, so that the same statement may succeed later."""
    if isinstance(error, NoConnection):  # all connections were taken
        return True
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated or isinstance(error, InterfaceError):
        return True
    state = getattr(error.orig, "sqlstate", None)
    if state:  # connection errors, shutdown, full, deadlock, serialisation, lock not available, a standby for a while
        return state[:2] in ("08", "57", "53") or state in ("40P01", "40001", "55P03", "25006")
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
    forget_clock()
    if engine.cache_info().currsize:
        engine().dispose()
    engine.cache_clear()
    if turnstile := _turnstile.cache_info().currsize and _turnstile():
        turnstile.close()
    _turnstile.cache_clear()
