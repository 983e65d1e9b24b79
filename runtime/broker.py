"""A Dramatiq broker whose queue is the tasks table.

Dramatiq's consumers only pop what the process's one claimer has claimed; its threads run the actors; its
middleware sees every message. Messages carry a task's id and epoch, never its payload.
"""

import ctypes
import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING

import dramatiq
from dramatiq.broker import Broker, Consumer, MessageProxy
from dramatiq.message import Message
from dramatiq.middleware import Middleware, MiddlewareError

from models import now
from runtime.launch import PR_SET_PDEATHSIG
from runtime.message import LedgerMessage
from runtime.work_queue import WorkQueue
from services.log import configure
from settings import settings

if TYPE_CHECKING:
    from runtime.held import Held
    from runtime.process import WorkerProcess


IDLE_S = 5.0  # a consumer without work comes up for air this often


class LedgerBroker(Broker):
    """`dramatiq actors` starts a worker on it, as `python -m runtime.worker` does."""

    def __init__(self, middleware: list[Middleware] | None = None) -> None:
        super().__init__(middleware=[*(middleware or []), Lifecycle()])
        self.process: WorkerProcess | None = None

    def declare_queue(self, queue_name: str) -> None:
        """A queue of one of the actors, or one that the settings name."""
        if queue_name not in self.queues:
            self.emit_before("declare_queue", queue_name)
            self.queues[queue_name] = None
            self.emit_after("declare_queue", queue_name)

    def get_declared_queues(self) -> set[str]:
        """The queues' names."""
        return set(self.queues)

    def get_declared_delay_queues(self) -> set[str]:
        """None: a task that is to run later waits in the ledger."""
        return set()

    def enqueue(self, message: Message, *, delay: int | None = None) -> Message:
        """Dramatiq's own door, for code that builds messages: the same as the actor's `enqueue`."""
        from services import tasks

        if message.args:
            raise TypeError("a task's arguments are named: give kwargs, not args")
        run_at = None if delay is None else now() + timedelta(milliseconds=delay)
        task = tasks.enqueue(message.actor_name, dict(message.kwargs), run_at=run_at)
        return message.copy(options={**message.options, "task_id": task.id})

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 30_000) -> Consumer:
        """What hands claimed tasks to Dramatiq's threads."""
        if self.process is None:
            raise RuntimeError("consumers work inside a worker process only; see runtime.testing for tests")
        return LedgerConsumer(self.process, queue_name)


class LedgerConsumer(Consumer):
    """Pops claimed tasks; which queue's consumer it is does not matter, for all pop from the same line."""

    def __init__(self, process: "WorkerProcess", queue_name: str) -> None:
        self._process = process
        self._queue = queue_name
        self._taken: deque[Held] = deque()

    def __next__(self) -> MessageProxy | None:
        if not self._taken:
            self._taken.extend(self._process.all_ready(IDLE_S))
            if not self._taken:
                return None
        return LedgerMessage(self._taken.popleft(), self._queue)

    def ack(self, message: MessageProxy) -> None:
        """Nothing: the ending is the writer's business."""

    def nack(self, message: MessageProxy) -> None:
        """Nothing either: a failure is an ending, too."""

    def requeue(self, messages: Iterable[MessageProxy]) -> None:
        """What Dramatiq did not start; the process has handed it back already."""


class NotBooted(MiddlewareError):
    """This process cannot work."""


class Lifecycle(Middleware):
    """Starts and stops what a worker process needs, with Dramatiq's own start and stop."""

    def after_process_boot(self, broker: Broker) -> None:
        """A process that Dramatiq's own command line started stops in good order when that is killed."""
        master = multiprocessing.parent_process()
        if master is None:
            return
        configure("worker")
        if sys.platform == "linux":
            signal.signal(signal.SIGUSR2, _stop_once)
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGUSR2, 0, 0, 0)
            if os.getppid() != master.pid:
                os._exit(0)

    def before_worker_boot(self, broker: Broker, worker: dramatiq.Worker) -> None:
        """Register, and begin to claim."""
        from runtime.process import WorkerProcess
        from services import catalog, workers

        assert isinstance(broker, LedgerBroker)
        try:
            catalog.declare()
            workers.bury_the_dead_here()
            worker.work_queue = WorkQueue()  # type: ignore[assignment]
            queues = worker.consumer_whitelist or settings().worker_queues or None
            broker.process = WorkerProcess(worker.worker_threads, sorted(queues) if queues else None)
            broker.process.start()
        except Exception as error:  # Dramatiq would log it, and go on with a worker that does nothing
            raise NotBooted(f"the worker cannot begin: {type(error).__name__}") from error

    def after_worker_boot(self, broker: Broker, worker: dramatiq.Worker) -> None:
        """Dramatiq's threads must live, too."""
        if (process := getattr(broker, "process", None)) is not None:
            process.guard.include([*worker.workers, *worker.consumers.values()])

    def before_worker_shutdown(self, broker: Broker, worker: dramatiq.Worker) -> None:
        """Dramatiq's consumers go on fetching until the very end: stop claiming, wait, hand back."""
        process = getattr(broker, "process", None)
        if process is not None and not process.stop(settings().stop_grace_s):
            process.close("asked to stop")
            os._exit(process.exit_code)  # Dramatiq would wait for the bodies, for minutes

    def after_worker_shutdown(self, broker: Broker, worker: dramatiq.Worker) -> None:
        """Write what is left."""
        if (process := getattr(broker, "process", None)) is not None:
            process.close("asked to stop")


def _stop_once(*_: object) -> None:
    """The kernel may tell more than once of a death, and a second SIGTERM means "at once"."""
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    os.kill(os.getpid(), signal.SIGTERM)


def ledger_broker() -> LedgerBroker:
    """The process's broker; made at the first actor, unless the application has set one of its own."""
    current = dramatiq.broker.global_broker
    if not isinstance(current, LedgerBroker):
        current = LedgerBroker()
        dramatiq.set_broker(current)
        for queue in settings().worker_queues:
            current.declare_queue(queue)
    return current
