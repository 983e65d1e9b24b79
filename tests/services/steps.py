"""Two acts at once, the first of them held up before one of its statements, or inside of it.

Most statements are held up before they begin only: what their transaction did until then is locked. One that commits by
itself has nothing before it and nothing behind it. It is held up where it has begun and locked nothing (of claims, by a
word in their text), and where all is locked and nothing written (by a trigger).
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, event, text

from models.db import engine
from tests.support import wait_until

GATE = 20_26  # of advisory locks; the other half of each is the backend that stops there
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND "
LOCKED = text(f"{WAITING} wait_event <> 'advisory'")
INSIDE = text(f"{WAITING} wait_event = 'advisory' AND pid = :pid")
LOOK = f"WHERE (SELECT cast(pg_advisory_xact_lock_shared({GATE}, pg_backend_pid()) AS text)) IS NOT NULL AND"
SNAPSHOT = ("CROSS JOIN LATERAL", "WHERE paused_at IS NULL", f"{LOOK} paused_at IS NULL")  # in claims; and what for


class Act(threading.Thread):
    """Does something once, and keeps what it returned or raised."""

    def __init__(self, act: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self._act = act
        self.result: Any = None

    def run(self) -> None:
        """Do it."""
        try:
            self.result = self._act()
        except Exception as error:
            self.result = error


class Stop:
    """Holds one thread up at its nth step: before a statement or a commit, or inside what is both."""

    def __init__(self, n: int, gates: Connection) -> None:
        self.n = n
        self.whom: Act | None = None
        self.inside = 0  # the backend that is to wait inside a statement
        self._gates = gates
        self._reached, self._go = threading.Event(), threading.Event()
        self._seen = 0

    def statement(self, _: Any, cursor: Any, statement: str, values: Any, *__: Any) -> tuple[str, Any]:
        """Called before each statement of each thread; returns what is to be sent."""
        if threading.current_thread() is self.whom:
            self._step()
            if cursor.connection.autocommit:
                mark, old, new = SNAPSHOT
                if mark in statement and self._is_here():
                    assert old in statement, "it cannot be held up there any more"
                    statement = statement.replace(old, new, 1)
                    self._close_gate(cursor.connection.info.backend_pid)
                if self._is_here():
                    self._close_gate(cursor.connection.info.backend_pid)
        return statement, values

    def commit(self, connection: Any) -> None:
        """Called before each commit of each thread."""
        by_itself = connection.connection.driver_connection.autocommit  # and was done before
        if threading.current_thread() is self.whom and not by_itself:
            self._step()

    def reached(self) -> bool:
        """Whether it stands still."""
        return self._reached.is_set() or bool(
            self.inside and self._gates.execute(INSIDE, {"pid": self.inside}).scalar_one()
        )

    def let_go(self) -> None:
        """It may go on."""
        self._go.set()
        if self.inside:
            self._gates.execute(text("SELECT pg_advisory_unlock_all()"))

    def _is_here(self) -> bool:
        self._seen += 1
        return self._seen == self.n

    def _step(self) -> None:
        if self._is_here():
            self._reached.set()
            assert self._go.wait(30), "nobody let it go on"

    def _close_gate(self, backend: int) -> None:
        self._gates.execute(text("SELECT pg_advisory_lock(:gate, :pid)"), {"gate": GATE, "pid": backend})
        self.inside = backend


@contextmanager
def gated() -> Iterator[None]:
    """Who writes a task passes the gate that may be closed to its backend."""
    with engine().begin() as connection:
        connection.exec_driver_sql(
            "CREATE FUNCTION pass_gate() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"PERFORM pg_advisory_xact_lock_shared({GATE}, pg_backend_pid()); RETURN NEW; END $$"
        )
        connection.exec_driver_sql(
            "CREATE TRIGGER gate BEFORE INSERT OR UPDATE ON tasks FOR EACH ROW EXECUTE FUNCTION pass_gate()"
        )
    try:
        yield
    finally:
        with engine().begin() as connection:
            connection.exec_driver_sql("DROP FUNCTION pass_gate CASCADE")


@contextmanager
def held_up(n: int, whom: Act, gates: Connection) -> Iterator[Stop]:
    """A stop at the nth step of this thread."""
    stop = Stop(n, gates.execution_options(isolation_level="AUTOCOMMIT"))
    stop.whom = whom
    event.listen(engine(), "before_cursor_execute", stop.statement, retval=True)
    event.listen(engine(), "commit", stop.commit)
    try:
        yield stop
    finally:
        stop.let_go()
        event.remove(engine(), "before_cursor_execute", stop.statement)
        event.remove(engine(), "commit", stop.commit)


def crossed(n: int, first: Callable[[], Any], second: Callable[[], Any]) -> tuple[Any, Any] | None:
    """`first` until its nth step, then all of `second` (or until a lock stops it), then the rest.

    Returns what both returned or raised; None where `first` has fewer steps.
    """
    one, other = Act(first), Act(second)
    with engine().connect() as watcher, held_up(n, one, watcher) as stop:
        one.start()
        wait_until(lambda: stop.reached() or not one.is_alive(), every=0.001, what="the first to come so far")
        if not (stop.reached() or stop.inside):
            return None
        other.start()
        wait_until(
            lambda: not other.is_alive() or watcher.execute(LOCKED).scalar_one() > 0,
            every=0.002, what="the second to be done or to wait",
        )  # fmt: skip
        stop.let_go()
        for each in (one, other):
            each.join(30)
            assert not each.is_alive(), "they wait for each other"
    return one.result, other.result
