"""One worker process: what it holds, and the threads that claim, beat, watch and write for it."""

import gc
import os
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any

import psutil
import structlog
from sqlalchemy import select

from models import Move, Outcome, now, reading, tables
from runtime import capture, interrupt, outcome
from runtime.beat import Beat
from runtime.bell import Listener
from runtime.claimer import Claimer
from runtime.errors import Cancelled, Disowned, Interrupted, Stopping, TimedOut
from runtime.guard import Guard
from runtime.held import Held, Stage
from runtime.isolation import Nursery
from runtime.pace import Pace
from runtime.watch import Watch
from runtime.writer import MOST_ENDINGS, Writer
from services import bell, catalog, workers
from services.lifecycle.ending import Ending
from services.marks import Marks
from settings import settings

log = structlog.get_logger(__name__)

SLICE_S = 0.01  # of the interpreter, twice Python's own: threads hand it on half as often, and commits are larger


class WorkerProcess:
    """The state of this process as a worker. Threads that run bodies call `begin` and `finish`."""

    def __init__(self, threads: int, queues: Sequence[str] | None) -> None:
        self.threads = threads
        self.queues = sorted(queues) if queues else None
        self.types = sorted(catalog.local())
        self.name = workers.register(queues=self.queues, types=self.types, threads=threads)
        self.marks = Marks(self.name, threads + 2 * MOST_ENDINGS)
        self.nursery = Nursery()
        self.pace = Pace()
        self.held: dict[tuple[int, int], Held] = {}
        self.ready: list[Held] = []
        self.arrived = threading.Condition()  # for consumers: something is ready
        self.freed = threading.Event()  # for the claimer: there is room again
        self.refill_at = threads  # the claimer is told when no more than this is held
        self.draining = False
        self.safe = True  # False: the lease may be lost, so nothing new is begun
        self.replaced: str | None = None  # why this process wants to be replaced
        self.writer = Writer()
        self.writer.fenced, self.writer.written = self._fenced, self._written
        self.claimer, self.beat = Claimer(self), Beat(self)
        self.watch, self.listener = Watch(self), Listener(self)
        self.guard = Guard()
        self._os_process = psutil.Process()
        self.exit_code = os.EX_OK

    def start(self) -> None:
        """Begin to claim."""
        sys.setswitchinterval(SLICE_S)
        gc.collect()
        gc.freeze()  # what is imported stays: no collection need look at it again
        interrupt.protect_transactions()
        capture.install()
        bell.listen_here(self.hear)
        threads = (self.writer, self.beat, self.watch, self.claimer, self.listener)
        for thread in threads:
            thread.start()
        self.guard.include(threads)

    # What the claimer brings and the consumers take

    def take_in(self, claimed: Sequence[Any]) -> None:
        """Tasks that were claimed; consumers hand them to threads."""
        new = [Held(one) for one in claimed]
        self.held.update({held.key: held for held in new})
        with self.arrived:
            self.ready += new
            self.arrived.notify_all()
        if self.draining:  # the claim was under way when that began
            for held in new:
                self.hand_back(held, Stage.waiting)

    def all_ready(self, timeout_s: float) -> list[Held]:
        """What is claimed and waits for a thread; nothing where there is none for a while."""
        with self.arrived:
            if not self.ready:
                self.arrived.wait(0.05 if self.draining else timeout_s)
            ready, self.ready = self.ready, []
        return ready

    # What threads do with a task

    def begin(self, key: tuple[int, int]) -> Held | None:
        """The body is about to start; None where the task was handed back."""
        held = self.held.get(key)
        if held is None or not held.start():
            return None
        self.marks.set(*key)
        return held

    def finish(self, held: Held, ending: Ending) -> None:
        """The body has left: the ledger is told, unless somebody told it already."""
        if held.started_mono is not None:
            self.pace.ran(held.claimed.type, time.monotonic() - held.started_mono)
        if held.close():
            self._tell(held, ending)

    def hand_back(self, held: Held, only_from: Stage | None = None) -> bool:
        """Give a task back to the line; False where it is over or has started meanwhile."""
        if not held.close(only_from):
            return False
        self._tell(held, self._unfinished(held, Move.hand_back, Outcome.handed_back))
        return True

    def write_off(self, held: Held) -> None:
        """Tell how an attempt ends whose body does not leave; the process must end after this."""
        if not held.close():
            return
        why = held.order if held.order in (Cancelled, TimedOut) else Stopping
        ending = outcome.ended(held, why(), self.name)
        ending.forced = why is not Stopping
        self._tell(held, ending)

    def _tell(self, held: Held, ending: Ending) -> None:
        self.writer.hand_over(ending)
        self.held.pop(held.key, None)
        if len(self.held) <= self.refill_at and not self.freed.is_set():
            self.freed.set()

    def _unfinished(self, held: Held, move: Move, outcome: Outcome) -> Ending:
        c = held.claimed
        return Ending(
            c.id, c.epoch, c.type, c.queue, self.name, move, outcome, now(), started_at=held.started_at,
            queued_at=c.queued_at, concurrency_key=c.concurrency_key, code_version=settings().version[:100],
        )  # fmt: skip

    # Orders

    def hear(self, word: str) -> None:
        """The bell was rung."""
        if word == bell.CANCEL:
            self.beat.wake()
        elif self.queues is None or word in self.queues:
            self.claimer.wake()

    def snapshot(self) -> list[Held]:
        """What is held now."""
        return list(self.held.values())

    def interrupt_all(self, order: type[Interrupted]) -> None:
        """Order every started body to leave."""
        for held in self.snapshot():
            if held.stage is Stage.started:
                held.interrupt(order)
        self.watch.wake()

    def disowned(self, held: Held) -> None:
        """The ledger says that the task is no longer ours."""
        log.warning("disowned", task=held.claimed.id, epoch=held.claimed.epoch)
        held.interrupt(Disowned)
        self.watch.wake()

    def drain(self) -> None:
        """Claim no more; hand back what has not started."""
        with self.arrived:
            if self.draining:
                return
            self.draining = True
            self.arrived.notify_all()
        for held in self.snapshot():
            self.hand_back(held, Stage.waiting)

    def stop(self, grace_s: float) -> bool:
        """Drain, let bodies finish for `grace_s`, hand back what is left; False where bodies are still inside."""
        self.drain()
        self._show_draining()
        last = min(1.0, grace_s / 4)  # of the grace: for bodies to leave at a checkpoint
        self.wait_for_bodies(grace_s - last)
        self.interrupt_all(Stopping)
        self.wait_for_bodies(last)
        left = self.snapshot()
        for held in left:
            self.write_off(held)
        return not left

    def _show_draining(self) -> None:
        try:
            workers.draining(self.name)
        except Exception as error:
            log.warning("draining could not be shown", error=type(error).__name__)

    def wait_for_bodies(self, seconds: float) -> bool:
        """Wait until nothing is held any more; False when time ran out."""
        deadline = time.monotonic() + seconds
        while self.held and time.monotonic() < deadline:
            time.sleep(0.02)
        return not self.held

    def close(self, why: str) -> None:
        """Write what is left and say goodbye."""
        bell.unlisten_here(self.hear)
        for thread in (self.claimer, self.watch, self.listener):
            thread.stop()
        self.claimer.join(1.0)  # a claim under way is handed back
        written = self.writer.stop(5.0)
        self.beat.stop()
        try:
            workers.goodbye(self.name, why)
        except Exception as error:
            log.warning("goodbye could not be said", error=type(error).__name__)
        if written:
            self.marks.remove()
        else:
            self.exit_code = os.EX_SOFTWARE  # so that the supervisor reports a death
        bell.flush(0.5)
        self.guard.dismiss()

    def check(self) -> None:
        """A process that has lost one of its threads is replaced."""
        name = None if self.draining else self.guard.dead()
        if name is not None and not self.draining:
            self.replace(f"its thread {name} died")

    def give_up_strangers(self, keys: set[tuple[int, int]]) -> None:
        """Hand back rows that are ours in the ledger although we never got them."""
        t = tables.tasks.c
        wanted = select(t.id, t.epoch, t.type, t.queue, t.queued_at, t.concurrency_key)
        with reading() as session:
            rows = session.execute(wanted.where(t.id.in_([task_id for task_id, _ in keys]))).all()
        for row in rows:
            if (row.id, row.epoch) in keys:
                self.writer.hand_over(
                    Ending(
                        row.id, row.epoch, row.type, row.queue, self.name, Move.hand_back, Outcome.handed_back, now(),
                        queued_at=row.queued_at, concurrency_key=row.concurrency_key,
                    )
                )  # fmt: skip

    def replace(self, why: str) -> None:
        """End this process soon, in good order, so that its supervisor starts another."""
        if self.replaced is None:
            self.replaced = why
            log.warning("this process is to be replaced", why=why)
            threading.Thread(target=self._replace, args=(why,), name="replace", daemon=True).start()

    def _replace(self, why: str) -> None:
        self.drain()
        self.wait_for_bodies(settings().stop_grace_s)
        self.interrupt_all(Stopping)
        self.wait_for_bodies(1.0)
        for held in self.snapshot():
            self.write_off(held)
        self.close(why)
        os._exit(self.exit_code)

    def busy(self) -> int:
        """Bodies that run now."""
        return sum(held.stage is Stage.started for held in self.snapshot())

    def rss(self) -> int:
        """Memory of this process, in bytes."""
        return int(self._os_process.memory_info().rss)

    def said(self, held: Held, error: BaseException) -> None:
        """One line for an attempt that did not complete; no payload in it."""
        log.info("attempt ended", task=held.claimed.id, type=held.claimed.type, error=type(error).__name__)

    def _written(self, endings: Sequence[Ending]) -> None:
        for ending in endings:
            self.marks.clear(ending.task_id, ending.epoch)

    def _fenced(self, endings: Sequence[Ending]) -> None:
        for ending in endings:
            log.warning("fenced: a late ending changed nothing", task=ending.task_id, epoch=ending.epoch)
