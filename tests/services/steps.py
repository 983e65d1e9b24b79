"""Two acts at once, the first of them held up before one of its statements."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event, text

from models.db import engine
from tests.support import wait_until

LOCKED = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)  # fmt: skip


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
    """Holds one thread up before its nth statement; a commit is one, too."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.reached, self.go = threading.Event(), threading.Event()
        self.whom: Act | None = None
        self._seen = 0

    def step(self, *_: Any) -> None:
        """Called before each statement of each thread."""
        if threading.current_thread() is not self.whom:
            return
        self._seen += 1
        if self._seen == self.n:
            self.reached.set()
            assert self.go.wait(30), "nobody let it go on"


@contextmanager
def held_up(n: int) -> Iterator[Stop]:
    """A stop before the nth statement of the thread that it is told of."""
    stop = Stop(n)
    for name in ("before_cursor_execute", "commit"):
        event.listen(engine(), name, stop.step)
    try:
        yield stop
    finally:
        stop.go.set()
        for name in ("before_cursor_execute", "commit"):
            event.remove(engine(), name, stop.step)


def crossed(n: int, first: Callable[[], Any], second: Callable[[], Any]) -> tuple[Any, Any] | None:
    """`first` until before its nth statement, then all of `second` (or until a lock stops it), then the rest.

    Returns what both returned or raised; None where `first` has fewer statements.
    """
    one, other = Act(first), Act(second)
    with held_up(n) as stop, engine().connect() as watcher:
        watcher = watcher.execution_options(isolation_level="AUTOCOMMIT")
        stop.whom = one
        one.start()
        wait_until(lambda: stop.reached.is_set() or not one.is_alive(), every=0.001, what="the first to come so far")
        if not stop.reached.is_set():
            return None
        other.start()
        wait_until(
            lambda: not other.is_alive() or watcher.execute(LOCKED).scalar_one() > 0,
            every=0.002, what="the second to be done or to wait",
        )  # fmt: skip
        stop.go.set()
        for each in (one, other):
            each.join(30)
            assert not each.is_alive(), "they wait for each other"
    return one.result, other.result
