"""Running loops: functions that do one batch, return how many, and may run twice at once."""

import threading
import time
from collections.abc import Collection

import structlog

from models.db import is_away
from models.unwritable import in_brief
from services.lifecycle.look import Loop, due

log = structlog.get_logger(__name__)


class Rounds:
    """Runs loops one after another, each until it finds nothing more, and keeps quiet about what was told already."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._failing: set[Loop] = set()

    def stop(self) -> None:
        """Begin no further batch."""
        self._stopping.set()

    def run(self, loops: Collection[Loop], at_most_s: float = 0.5) -> bool:
        """Run each loop that has something to do, for at most so many seconds. Returns whether all went well.

        A failure is told once, and once when it is over: the database may be away for hours.
        """
        went = [self._run(loop, at_most_s) for loop in self._with_work(loops)]
        return all(went)

    def _with_work(self, loops: Collection[Loop]) -> Collection[Loop]:
        if self._failing.intersection(loops):  # each says for itself whether it works again
            return loops
        try:
            return due(loops)
        except Exception:  # each says for itself what is wrong
            return loops

    def _run(self, loop: Loop, at_most_s: float) -> bool:
        try:
            self._until_done(loop, time.monotonic() + at_most_s)
        except Exception as error:
            if loop not in self._failing:
                away = is_away(error)
                tell = log.warning if away else log.exception
                tell("a loop fails; it is tried again", loop=name_of(loop), error=in_brief(error), away=away)
            self._failing.add(loop)
            return False
        if loop in self._failing:
            log.info("the loop works again", loop=name_of(loop))
        self._failing.discard(loop)
        return True

    def _until_done(self, loop: Loop, until: float) -> None:
        while not self._stopping.is_set():
            began = time.monotonic()
            if not loop():
                return
            at = time.monotonic()
            if at + (at - began) >= until:
                return
            # As long a pause as the batch took: SQLite's only write lock is not shared fairly
            self._stopping.wait(at - began)


def name_of(loop: Loop) -> str:
    """`folding.fold` for `services.folding.fold`."""
    return f"{loop.__module__.rpartition('.')[2]}.{loop.__name__}"
