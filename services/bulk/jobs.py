"""Bulk acts in the background of this process: a page may look how far one is, stop it, let it go on, undo it.

A job belongs to the person who started it. It lives as long as the process; what it committed stays, whatever happens.
"""

import contextvars
import itertools
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from enum import StrEnum, unique

import structlog

from models.db import is_away
from services import audit
from services.bulk.effects import Act
from services.bulk.plan import Plan, plan
from services.bulk.run import Run
from services.errors import NotFound, ServiceError
from services.search import TaskFilter

KEPT, KEPT_TASKS = 50, 2_000_000  # of the jobs that ended, of all people: how many, and how many tasks they know

log = structlog.get_logger(__name__)


@unique
class State(StrEnum):
    """Where a job stands."""

    counting = "counting"
    ready = "ready"  # counted; waits for a person's word
    running = "running"
    paused = "paused"  # between batches, with tasks left: stopped, or after the first few
    done = "done"
    failed = "failed"  # refused, or could not be counted; `sentence` says why


_UNDO = {
    Act.delete: Act.restore, Act.restore: Act.delete, Act.reprioritise: Act.reprioritise, Act.cancel: Act.rerun,
    Act.release: Act.hold, Act.hold: Act.release,
}  # fmt: skip


class _Stopped(Exception):
    pass


class Job:
    """One bulk act of one person, from its dry run to its end."""

    def __init__(
        self, act: Act, which: TaskFilter | Sequence[int], *, undoes: Run | None = None,
        check: Callable[[], object] | None = None,
    ) -> None:  # fmt: skip
        self.id = next(_numbers)
        self.act, self.which, self.undoes = Act(act), which, undoes is not None
        self.operator_id = audit.current().operator_id
        self.state = State.counting
        self.seen = 0  # tasks counted so far
        self.sentence: str | None = None  # why it paused or failed
        self.run: Run | None = None
        self._reason: str | None = None  # the last that was given: going on needs no other
        self._undone = undoes
        self._check = check or (lambda: None)
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._start(self._count)

    @property
    def busy(self) -> bool:
        """Whether it is at work."""
        return self.state in (State.counting, State.running)

    @property
    def plan(self) -> Plan:
        """What was counted. Raises `NotFound` before that."""
        if self.run is None:
            raise NotFound("it has not been counted yet")
        return self.run.plan

    def begin(self, reason: str | None = None, *, priority: int | None = None, first: int | None = None) -> bool:
        """Do it, or go on with it: all that is left, or the next `first`. False where it is under way or over.

        However often and by however many threads it is called, each task is taken once.
        """
        with self._lock:
            if self.state not in (State.ready, State.paused) or self.run is None:
                return False
            self.run.plan.settle(priority)
            self.state, self.sentence = State.running, None
            self._reason = reason if reason is not None else self._reason
            self._stop.clear()
            self._start(lambda: self._go(self._reason, first))
            return True

    def stop(self) -> None:
        """Begin no further batch; what is done stays done."""
        self._stop.set()

    def leave(self) -> None:
        """Let what is left be: the job is over."""
        with self._lock:
            if self.state is State.paused:
                self.state = State.done

    def wait(self, timeout: float) -> bool:
        """Wait at most so many seconds until it is not at work. Returns whether it is not."""
        if self._thread is not None:
            self._thread.join(timeout)
        return not self.busy

    @property
    def may_undo(self) -> bool:
        """Whether there is something that can be taken back."""
        run = self.run
        return not self.undoes and not self.busy and self.act in _UNDO and run is not None and len(run.undoable) > 0

    def undo(self) -> "Job":
        """A new job that takes back what this one did, counted anew: what has changed since is left alone."""
        if not self.may_undo or self.run is None:
            raise NotFound("there is nothing to take back")
        return start(_UNDO[self.act], list(self.run.undoable), check=self._check, undoes=self.run)

    def _start(self, work: Callable[[], None]) -> None:
        context = contextvars.copy_context()  # who acts
        self._thread = threading.Thread(target=context.run, args=(self._guarded, work), daemon=True, name="bulk")
        self._thread.start()

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except ServiceError as refusal:
            self._end(str(refusal), State.failed)
        except Exception as error:
            if not is_away(error):
                log.exception("a bulk act broke", job=self.id, act=self.act.value)
                self._end("It broke; the log has the details.", State.failed)
            else:
                self._end("The database could not be reached.", State.paused if self.run else State.failed)

    def _end(self, sentence: str, state: State) -> None:
        self.sentence, self.state = sentence, state

    def _count(self) -> None:
        try:
            had, reasons = (self._undone.had, self._undone.reasons) if self._undone else (None, None)
            counted = plan(self.act, self.which, priorities=had, reasons=reasons, tell=self._tell)
        except _Stopped:
            return self._end("Stopped before all were counted. Nothing was changed.", State.failed)
        self.run, self.state = Run(counted), State.ready
        return None

    def _tell(self, seen: int) -> None:
        self.seen = seen
        if self._stop.is_set():
            raise _Stopped

    def _go(self, reason: str | None, first: int | None) -> None:
        assert self.run is not None
        with closing(self.run.go(reason, first)) as batches:
            for _ in batches:
                self._check()
                if self._stop.is_set():
                    break
        self.state = State.paused if self.run.left else State.done


_numbers = itertools.count(1)
_jobs: dict[int, Job] = {}
_jobs_lock = threading.Lock()


def start(
    act: Act, which: TaskFilter | Sequence[int], *, undoes: Run | None = None,
    check: Callable[[], object] | None = None,
) -> Job:  # fmt: skip
    """Begin to count what the act would do; nothing is changed before `begin`.

    `check` is called between batches; the `ServiceError` it raises ends the job. `undoes`: what it takes back.
    """
    made = Job(act, which, undoes=undoes, check=check)
    with _jobs_lock:
        _jobs[made.id] = made
        for old in _superfluous([job for job in reversed(_jobs.values()) if not job.busy]):
            del _jobs[old.id]
    return made


def _superfluous(ended: Sequence[Job]) -> list[Job]:
    """The oldest of these, newest first, where they are too many, or know too many tasks; never the newest."""
    known = itertools.accumulate(len(job.run.plan.ids) if job.run else 0 for job in ended)
    each = enumerate(zip(ended, known, strict=True))
    return [job for n, (job, tasks) in each if n >= KEPT or (n > 0 and tasks > KEPT_TASKS)]


def find(job_id: int) -> Job:
    """The acting person's own job. Raises `NotFound`."""
    with _jobs_lock:
        job = _jobs.get(job_id)
    if job is None or job.operator_id != audit.current().operator_id:
        raise NotFound("there is no such bulk act; it ended with the console's process, or was another person's")
    return job


def mine() -> list[Job]:
    """The acting person's jobs that run or stopped midway, the newest first."""
    who = audit.current().operator_id
    with _jobs_lock:
        found = [job for job in _jobs.values() if job.operator_id == who]
    return [job for job in reversed(found) if job.state in (State.running, State.paused)]
