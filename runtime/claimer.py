"""One thread a process claims for all its queues and types, so that the best task gets the next free thread."""

import random
import threading
import time
from typing import TYPE_CHECKING

import structlog

from models.db import is_away
from services.lifecycle.claim import claim
from settings import settings

if TYPE_CHECKING:
    from runtime.process import WorkerProcess

log = structlog.get_logger(__name__)


class Claimer(threading.Thread):
    """Claims when threads are free; sleeps until the bell or the next poll when it has taken all there was."""

    def __init__(self, process: "WorkerProcess") -> None:
        super().__init__(name="claimer", daemon=True)
        self._process = process
        self._bell = threading.Event()
        self._stopping = False
        self._types: set[str] = set()  # of the last claim: what is likely to come next
        self._away = False

    def wake(self) -> None:
        """There may be something."""
        self._bell.set()

    def stop(self) -> None:
        """Claim no more."""
        self._stopping = True
        self.wake()
        self._process.freed.set()

    def run(self) -> None:
        """Claim until stopped."""
        more = False  # the last claim got all that it asked for
        while not self._stopping:
            wanted = self._wait_for_room()
            if wanted <= 0:
                continue
            rung = self._bell.is_set()
            self._bell.clear()  # a ring from here on is about something this claim may not see
            more = self._claim(wanted, expecting=rung or more) == wanted
            if not more:
                self._bell.wait(settings().poll_s * random.uniform(0.8, 1.2))

    def _wait_for_room(self) -> int:
        """How many to claim; 0 where nothing may be claimed now."""
        process = self._process
        most = process.pace.room(process.threads, self._types)
        # Few and large claims: only at half empty, but never with a thread that has nothing to do
        process.refill_at = max(min(process.threads, most - 1), most // 2)
        process.freed.clear()
        if len(process.held) > process.refill_at:
            process.freed.wait(0.5)
        if process.draining or not process.safe:
            process.freed.wait(0.2)
            return 0
        return most - len(process.held) if len(process.held) <= process.refill_at else 0

    def _claim(self, wanted: int, expecting: bool) -> int:
        process = self._process
        try:
            claimed = claim(process.name, process.types, process.queues, wanted, settings().lease_s, expecting)
        except Exception as error:
            if not self._away:
                log.warning("claims fail", error=type(error).__name__, away=is_away(error))
            self._away = True
            time.sleep(0.2)
            return 0
        if self._away:
            self._away = False
            log.info("claims work again")
        if claimed:
            self._types = {one.type for one in claimed}
            process.take_in(claimed)
            process.watch.wake()
        return len(claimed)
