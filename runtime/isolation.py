"""A body in a process of its own: one that can be ended inside C code, and whose death harms nobody else.

Children come from a fork server that has imported what they need (a few milliseconds each). A child lives only as long
as its worker: the kernel kills it when the pipe between them breaks, which PDEATHSIG alone would not achieve, because
its parent is the fork server.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import Any

from runtime import child
from runtime.errors import ChildDied
from runtime.held import Held
from runtime.link import LocalLink
from services import catalog
from services.catalog import TaskType
from settings import settings

PREPARE_S = 60.0  # for the fork server to import what its children need
PATIENCE_S = 5.0  # for a child that has said its last word to be gone


class Nursery:
    """The fork server of this process; started with the first isolated task."""

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("forkserver")
        preload = {module for t in catalog.local().values() for module in t.preload}
        # Numeric libraries would start a thread a core in every child, and fork badly with them.
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
            os.environ.setdefault(name, "1")
        self._context.set_forkserver_preload(["runtime.child", *settings().actor_modules, *sorted(preload)])

    def start(self, order: child.Order) -> "Child":
        """A new child at work on the order."""
        ours, theirs = self._context.Pipe()
        alive, life = self._context.Pipe(duplex=False)
        process = self._context.Process(target=child.main, args=(order, theirs, alive), daemon=True)
        process.start()
        theirs.close()
        alive.close()
        return Child(process, ours, life)


@dataclass
class Child:
    """One isolated process, our end of its pipe, and the end whose closing kills it."""

    process: Any
    pipe: Connection
    life: Connection
    sending: threading.Lock = field(default_factory=threading.Lock)

    def kill(self) -> None:
        """End it now, whatever it is doing, and what it started."""
        with suppress(ProcessLookupError):
            if self.process.is_alive():
                os.kill(self.process.pid, signal.SIGKILL)  # it may not lead its group yet
            os.killpg(self.process.pid, signal.SIGKILL)

    def tell(self, order: str) -> None:
        """Pass an order on; its next checkpoint raises it."""
        with suppress(OSError):  # it is gone
            self.send("order", order)

    def send(self, *message: Any) -> None:
        """Several threads may."""
        with self.sending:
            self.pipe.send(message)

    def close(self) -> None:
        """See it off, and what it left running."""
        self.process.join(PATIENCE_S)
        self.kill()
        self.process.join(PATIENCE_S)
        self.life.close()
        self.pipe.close()


def run(nursery: Nursery, held: Held, task_type: TaskType, link: LocalLink) -> tuple[Any, dict[str, Any]]:
    """The body in a child; returns its result and what it cost. Raises what the body raised, or `ChildDied`."""
    held.checkpoint()
    held.prepare(PREPARE_S)
    claimed = held.claimed
    order = child.Order(
        task_id=claimed.id,
        epoch=claimed.epoch,
        attempt=claimed.tries + 1,
        root_id=claimed.root_id,
        type=claimed.type,
        module=task_type.module,
        payload=claimed.payload,
        memory_mb=task_type.memory_mb or settings().isolated_memory_mb,
    )
    one = nursery.start(order)
    held.kill = one.kill
    held.tell = lambda: one.tell(held.order.__name__) if held.order else None
    if held.order is not None:
        held.tell()
    try:
        return _listen(one, held, link)
    finally:
        held.kill = held.tell = None
        one.close()


def _listen(one: Child, held: Held, link: LocalLink) -> tuple[Any, dict[str, Any]]:
    """Do what the child asks until it says its last word, or dies."""
    while True:
        ready = wait([one.pipe, one.process.sentinel])
        try:
            gone = one.pipe not in ready and not one.pipe.poll()
            word, *values = ("died",) if gone else one.pipe.recv()
        except (EOFError, OSError):
            word = "died"
        if word == "died":
            raise _death(one, held)
        if word == "returned":
            return values[0], values[1]
        if word == "raised":
            error = child.revived(*values)
            if held.order is not None and isinstance(error, held.order):
                held.seen_at = held.seen_at or values[-1].get("seen_at")
            raise error
        if word == "began":
            held.begin()
        else:
            _serve(one, word, values, link)


def _serve(one: Child, word: str, values: list[Any], link: LocalLink) -> None:
    if word == "progress":
        link.progress(*values)
    elif word == "log":
        link.log(*values)
    else:  # a question; an error of the services is its answer
        try:
            answers: dict[str, Callable[..., Any]] = {
                "artifact": link.record, "artifact_path": link.artifact_path, "needs": link.needs,
            }  # fmt: skip
            one.send("answer", answers[word](*values))
        except Exception as error:
            one.send("refusal", type(error).__name__, str(error))


def _death(one: Child, held: Held) -> BaseException:
    one.process.join(PATIENCE_S)
    code = one.process.exitcode
    if held.forced and held.order is not None:
        return held.order()
    how = f"signal {signal.Signals(-code).name}" if code is not None and code < 0 else f"exit code {code}"
    return ChildDied(f"its isolated process died ({how}) without a word: crashed, killed, or out of memory")
