"""The heartbeat: one statement a second extends all leases and brings back what was asked of them.

It is heartbeat, cancel channel and "do I still own it" in one. Each beat also does one small batch of what keeps the
ledger moving, so that retries and rescues go on with no scheduler alive.
"""

import os
import threading
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import bindparam, literal, update

from models import now, tables, transaction
from models.db import is_away, is_postgresql
from models.unwritable import disk_is_full, in_brief
from runtime.errors import Cancelled, Disowned
from runtime.held import Held, Stage
from services import workers
from services.lifecycle import look, rescue
from services.lifecycle.batch import per_database
from services.lifecycle.needs import settle_rest
from services.lifecycle.release import release
from settings import settings

if TYPE_CHECKING:
    from runtime.process import WorkerProcess

CHORES = (release, rescue.rescue, settle_rest)  # what keeps the ledger moving with no scheduler alive

log = structlog.get_logger(__name__)


class Beat(threading.Thread):
    """Beats until stopped; what it cannot mend ends the process."""

    def __init__(self, process: "WorkerProcess") -> None:
        super().__init__(name="beat", daemon=True)
        self._process = process
        self._wake = threading.Event()
        self._stopping = False
        self._strangers: set[tuple[int, int]] = set()
        self._last_good = time.monotonic()
        self._away = False
        self._beats = 0

    def wake(self) -> None:
        """Beat now: somebody asked for a cancellation."""
        self._wake.set()

    def stop(self) -> None:
        """Beat no more."""
        self._stopping = True
        self.wake()

    def run(self) -> None:
        """Beat until stopped."""
        rescue.begin()
        while not self._stopping:
            began = time.monotonic()
            self._process.guard.hear()
            self._process.check()
            self._attempt()
            self._chores()
            self._wake.wait(max(0.0, settings().beat_s - (time.monotonic() - began)))
            if self._wake.is_set():
                self._wake.clear()
                time.sleep(0.01)  # several cancellations at once are one beat

    def _attempt(self) -> None:
        try:
            self._beat()
        except Exception as error:
            self._failed(error)
            return
        if self._away:
            log.info("beats work again")
        self._away = False
        self._last_good = time.monotonic()
        self._process.safe = True

    def _failed(self, error: Exception) -> None:
        away = is_away(error)
        if not self._away:
            log.warning("beats fail", error=in_brief(error), away=away)
        self._away = True
        self.doubt()
        nobody_can = away and (not is_postgresql() or disk_is_full(error))
        if time.monotonic() - self._last_good > 3 * settings().lease_s and not nobody_can:
            log.error("no beat for three leases: this process ends", error=type(error).__name__)
            os._exit(os.EX_SOFTWARE)

    def _beat(self) -> None:
        process = self._process
        before = {held.key for held in process.snapshot()}
        rows, row = self._extend()
        known = {held.key: held for held in process.snapshot()}
        owned = {(r.id, r.epoch) for r in rows}
        for r in rows:
            held = known.get((r.id, r.epoch))
            if held is not None and r.cancel_requested_at is not None and held.order is None:
                log.info("cancellation seen", task=r.id)
                self._cancel(held)
            elif held is not None and held.order is Disowned:
                held.withdraw(Disowned)  # nobody has taken it meanwhile
        for key in before & known.keys() - owned:
            if known[key].stage is not Stage.over:
                process.disowned(known[key])
        self._return_strangers(owned - known.keys())
        self._heed(row)

    def _extend(self) -> tuple[Any, Any]:
        process = self._process
        until = now() + timedelta(seconds=settings().lease_s)
        busy = process.busy()
        with transaction(first=True) as session:  # else a crowd of writers may cost us the lease
            rows: Sequence[Any] = ()
            if process.held or process.writer.busy() or self._strangers or self._beats % 5 == 0:
                rows = session.execute(_extension(), {"process": process.name, "until": until}).all()
            row = workers.beat(process.name, busy=busy, rss=process.rss())
        self._beats += 1
        return rows, row

    def _cancel(self, held: Held) -> None:
        if held.stage is Stage.waiting:  # not started: the hand-back of a cancelled task is its end
            self._process.hand_back(held, Stage.waiting)
        held.interrupt(Cancelled)
        self._process.watch.wake()

    def _return_strangers(self, keys: set[tuple[int, int]]) -> None:
        """Rows that are ours in the ledger and unknown here, two beats running: a claim whose reply was lost."""
        process = self._process
        strangers = keys - process.writer.holds()
        lost = strangers & self._strangers
        self._strangers = strangers - lost
        if lost:
            log.warning("claims whose reply was lost are handed back", tasks=len(lost))
            process.give_up_strangers(lost)

    def _heed(self, row: Any) -> None:
        if row is None:
            self._process.replace("the ledger does not know this worker: it was restored from a backup, or is another")
        elif row.stop_requested_at is not None:
            self._process.replace("an operator asked this worker to stop")
        elif self._beats % 10 == 1 and workers.too_old():
            self._process.replace("the ledger needs newer code")

    def doubt(self) -> None:
        """No beat for most of a lease: somebody else may own our tasks soon. On SQLite nobody else can write either."""
        silent = time.monotonic() - self._last_good
        if silent > 0.8 * settings().lease_s and self._process.safe and is_postgresql():
            log.error("no beat for most of a lease: nothing new is begun", silent_s=round(silent, 1))
            self._process.safe = False
            self._process.interrupt_all(Disowned)

    def _due(self) -> list[Callable[[], int]]:
        try:
            return look.due(CHORES)
        except Exception as error:
            log.warning("looking for chores failed", error=type(error).__name__)
            return []

    def _chores(self) -> None:
        if self._away:
            return
        for chore in self._due():
            try:
                for _ in range(20):  # a full batch means there is more
                    if chore() < 100:
                        break
            except Exception as error:
                log.warning("a chore failed", chore=chore.__name__, error=type(error).__name__)


@per_database
def _extension() -> Any:
    t = tables.tasks.c
    mine = update(tables.tasks).where(t.worker == bindparam("process"), t.status == literal("running"))
    return mine.values(lease_until=bindparam("until")).returning(t.id, t.epoch, t.cancel_requested_at)
