"""Deadlines of what this process holds: hand-backs, timeouts, and orders that were not followed."""

import threading
import time
from typing import TYPE_CHECKING

import structlog

from runtime.errors import Cancelled, Disowned, Stopping, TimedOut
from runtime.held import Held, Stage
from settings import settings

if TYPE_CHECKING:
    from runtime.process import WorkerProcess

log = structlog.get_logger(__name__)

NOT_STARTED_S = 0.25  # then others may have it
TICK_S = 0.05
TOLD_AFTER_S = 0.02  # bodies that end sooner need no word of their start
CHECK_S = 0.2  # a body gets this long to see its timeout at a checkpoint


class Watch(threading.Thread):
    """Looks at what is held every 50 ms, and at the beat; sleeps while nothing is held."""

    def __init__(self, process: "WorkerProcess") -> None:
        super().__init__(name="watch", daemon=True)
        self._process = process
        self._awake = threading.Event()
        self._stopping = False

    def wake(self) -> None:
        """Something is held, or was ordered."""
        self._awake.set()

    def stop(self) -> None:
        """Watch no more."""
        self._stopping = True
        self.wake()

    def run(self) -> None:
        """Watch until stopped."""
        while not self._stopping:
            busy = self._awake.wait(settings().lease_s / 2)
            if not self._process.beat.is_alive():
                self._process.check()
            if not busy:
                continue
            time.sleep(TICK_S)
            held = self._process.snapshot()
            if not held:
                self._awake.clear()
                if self._process.held:  # came in between
                    self._awake.set()
                continue
            try:
                self._process.beat.doubt()  # which may itself hang in a statement
                for one in held:
                    self._look(one, time.monotonic())
            except Exception as error:
                log.warning("watching failed", error=str(error)[:200])

    def _look(self, held: Held, at: float) -> None:
        if held.stage is Stage.waiting:
            if at - held.claimed_mono > NOT_STARTED_S:
                self._hand_back(held)
        elif held.stage is Stage.started and held.started_mono is not None:
            if not held.told and at - held.started_mono > TOLD_AFTER_S:
                held.told = True
                self._process.writer.started(held.key, held.started_at)
            self._process.pace.slower(held.claimed.type, at - held.started_mono)
            if held.order is None and held.deadline_mono is not None and at > held.deadline_mono:
                log.info("timed out", task=held.claimed.id, timeout_s=held.claimed.timeout_s)
                held.interrupt(TimedOut)
            elif held.order is not None:
                self._enforce(held, at - held.ordered_mono)

    def _hand_back(self, held: Held) -> None:
        if self._process.hand_back(held, Stage.waiting):
            log.debug("handed back, not started", task=held.claimed.id)

    def _enforce(self, held: Held, since_s: float) -> None:
        grace = {Cancelled: settings().cancel_grace_s, TimedOut: CHECK_S, Stopping: CHECK_S, Disowned: CHECK_S}
        patience = grace.get(held.order or Cancelled, 0.0)
        if since_s < patience:
            return
        if held.order is Disowned and held.kill is None:
            return  # it may finish, and is fenced if somebody else was faster
        stuck = since_s > patience + max(settings().cancel_grace_s, 1.0)
        # Raised into it, and still there: it is inside C code, which only the end of the process can end
        if held.force() and stuck and held.gate is not None:
            self._process.replace(f"#{held.claimed.id} does not leave its body")
