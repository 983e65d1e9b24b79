"""The inside of an isolated process: limits, the run through a pipe, the last word."""

import fcntl
import importlib
import os
import resource
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from models import now
from runtime import errors
from runtime.run import Need, Run, clean

_F_SETSIG = 10  # Linux; not in Python 3.11's fcntl


@dataclass(frozen=True)
class Order:
    """What a child is to do."""

    task_id: int
    epoch: int
    attempt: int
    root_id: int | None
    type: str
    module: str
    payload: dict[str, Any]
    memory_mb: int


class BodyError(Exception):
    """An error of a class that exists only in the child."""


def main(order: Order, pipe: Connection, alive: Connection) -> None:
    """Run one body and say how it ended."""
    _die_with_worker(alive)
    _quiet()
    resource.setrlimit(resource.RLIMIT_DATA, (order.memory_mb * 2**20, order.memory_mb * 2**20))
    link = PipeLink(order, pipe)
    try:
        returned = _call(order, link)
        from runtime import outcome

        result, _ = outcome.storable(returned)  # what is unfit is said here, where the object still is
        pipe.send(("returned", result, costs()))
    except BaseException as error:
        _last_word(order, link, pipe, error)
    pipe.close()
    os._exit(0)  # threads or handlers that the body left behind do not matter any more


def _call(order: Order, link: "PipeLink") -> Any:
    from runtime import capture, execution
    from services import catalog

    if order.type not in catalog.local():
        importlib.import_module(order.module)
    capture.install()
    task_type = catalog.local()[order.type]
    run = Run(order.task_id, order.attempt, link)
    arguments = execution.validated(task_type, order.payload)
    link.began()
    return execution.call_body(task_type, run, arguments, order.root_id)


def _last_word(order: Order, link: "PipeLink", pipe: Connection, error: BaseException) -> None:
    from runtime import outcome

    if isinstance(error, MemoryError):
        error = errors.GiveUp(
            f"out of memory: the task's limit is {order.memory_mb} MB; give its type a higher memory_mb"
        )
    name = type(error).__name__
    after_s = getattr(error, "after_s", None)
    ours = type(error) is getattr(errors, name, None)  # and not another that is called the same
    details = {**costs(), "after_s": after_s, "seen_at": link.seen_at, "ours": ours}
    trace = clean("".join(traceback.format_tb(error.__traceback__))[-32_000:])
    pipe.send(("raised", name, outcome.words_of(error), trace, details))


def revived(name: str, words: str, trace: str, details: dict[str, Any]) -> BaseException:
    """The child's error in the worker: our own as they are, others by name."""
    known = getattr(errors, name) if details["ours"] else None
    if known is errors.Retry:
        error: BaseException = errors.Retry(words, after=details["after_s"])
    elif isinstance(known, type) and issubclass(known, errors.Interrupted | errors.GiveUp):
        error = known(words)
    else:
        error = type(name, (BodyError,), {})(words)
    error.child_traceback = trace  # type: ignore[attr-defined]
    error.child_costs = {"cpu_s": details["cpu_s"], "peak_rss": details["peak_rss"]}  # type: ignore[attr-defined]
    return error


def costs() -> dict[str, Any]:
    """CPU seconds and the most memory, in bytes, of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {"cpu_s": round(used.ru_utime + used.ru_stime, 4), "peak_rss": used.ru_maxrss * 1024}


def _die_with_worker(alive: Connection) -> None:
    """SIGKILL from the kernel when the worker's end of the pipe closes, even while we are inside C code."""
    os.setsid()  # Ctrl-C in a terminal is the supervisor's business
    fcntl.fcntl(alive.fileno(), fcntl.F_SETOWN, -os.getpid())  # minus: its whole group, with what it starts
    fcntl.fcntl(alive.fileno(), _F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(alive.fileno(), fcntl.F_SETFL, fcntl.fcntl(alive.fileno(), fcntl.F_GETFL) | os.O_ASYNC)
    if alive.poll():  # it broke before we asked for the signal
        os._exit(1)


def _quiet() -> None:
    """C code may print as much as it likes; Python's own output goes to the task's log."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    sys.stdout = os.fdopen(os.dup(1), "w")
    sys.stderr = os.fdopen(os.dup(2), "w")


class PipeLink:
    """The body's way to its worker. Requests are answered in order; orders may come at any time."""

    def __init__(self, order: Order, pipe: Connection) -> None:
        self._order = order
        self._pipe = pipe
        self._lock = threading.RLock()
        self._ordered: type[errors.Interrupted] | None = None
        self._look_at = 0.0
        self._shown_at = 0.0
        self.seen_at: datetime | None = None

    def began(self) -> None:
        """Say that all is ready, and that the body's time runs."""
        self._send("began")

    def checkpoint(self) -> None:
        """Raise what was ordered; looks at the pipe at most a hundred times a second."""
        if self._ordered is None and time.monotonic() >= self._look_at:
            with self._lock:
                while self._pipe.poll():
                    self._take(self._pipe.recv())
            self._look_at = time.monotonic() + 0.01
        if self._ordered is not None:
            self.seen_at = self.seen_at or now()
            raise self._ordered

    def progress(self, values: dict[str, Any]) -> None:
        """Send it on, at most twenty times a second and always at the end."""
        at = time.monotonic()
        if at - self._shown_at >= 0.05 or values.get("done") == values.get("total"):
            self._shown_at = at
            self._send("progress", values)

    def log(self, line: dict[str, Any]) -> None:
        """Send it on."""
        self._send("log", line)

    def artifact(self, name: str, data: bytes | Path, media_type: str | None) -> Any:
        """Store the bytes here, and have the worker write the row."""
        from services import artifacts

        return self._ask("artifact", artifacts.store(name, data, media_type, self._order.task_id, self._order.epoch))

    def artifact_path(self, artifact_id: int) -> Path:
        """A local file."""
        return self._ask("artifact_path", artifact_id)

    def needs(self) -> list[Need]:
        """The tasks this one waited for."""
        return self._ask("needs")

    def _send(self, *message: Any) -> None:
        with self._lock:
            self._pipe.send(message)

    def _ask(self, *question: Any) -> Any:
        with self._lock:
            self._pipe.send(question)
            while True:
                message = self._pipe.recv()
                if message[0] == "answer":
                    return message[1]
                if message[0] == "refusal":
                    raise _refusal(message[1])(message[2])
                self._take(message)

    def _take(self, message: tuple[str, ...]) -> None:
        if message[0] == "order":
            self._ordered = getattr(errors, message[1])


def _refusal(name: str) -> Callable[[str], Exception]:
    from services import errors as service_errors

    known = getattr(service_errors, name, None)
    if known is service_errors.InvalidInput:
        return service_errors.ServiceError  # its field stands in its words already
    return known or RuntimeError
