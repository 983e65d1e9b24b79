"""A task that this process has claimed and not ended, and the orders for its body."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from models import now
from runtime.errors import Interrupted
from runtime.interrupt import Gate
from services.lifecycle.take import Claimed


class Stage(Enum):
    """How far a claimed task is in this process."""

    waiting = "waiting"  # for a thread
    started = "started"
    over = "over"  # ended or handed back; the writer has it


@dataclass(eq=False)
class Held:
    """One claimed task. Its stage changes under its lock, so that starting and handing back exclude each other."""

    claimed: Claimed
    stage: Stage = Stage.waiting
    claimed_mono: float = field(default_factory=time.monotonic)
    started_mono: float | None = None
    started_at: datetime | None = None
    order: type[Interrupted] | None = None  # what the body is to leave with
    ordered_mono: float = 0.0
    seen_at: datetime | None = None  # when the body saw the order
    gate: Gate | None = None
    kill: Callable[[], None] | None = None  # ends the isolated child
    tell: Callable[[], None] | None = None  # passes the order on to the isolated child
    forced: bool = False
    told: bool = False  # the ledger knows that it has started
    deadline_mono: float | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def key(self) -> tuple[int, int]:
        """(task id, epoch): this attempt and no other."""
        return self.claimed.id, self.claimed.epoch

    def start(self) -> bool:
        """The body begins; False where the task was handed back meanwhile."""
        with self.lock:
            if self.stage is not Stage.waiting:
                return False
            self.stage = Stage.started
            self.started_at, self.started_mono = now(), time.monotonic()
            if self.claimed.timeout_s is not None:
                self.deadline_mono = self.started_mono + self.claimed.timeout_s
            return True

    def close(self, only_from: Stage | None = None) -> bool:
        """The attempt is over for this process; True for the one caller who may tell the ledger."""
        with self.lock:
            if self.stage is Stage.over or (only_from is not None and self.stage is not only_from):
                return False
            self.stage = Stage.over
            return True

    def interrupt(self, order: type[Interrupted]) -> None:
        """Order the body to leave; the first order stands."""
        with self.lock:
            if self.order is not None or self.stage is Stage.over:
                return
            self.order, self.ordered_mono = order, time.monotonic()
        if self.tell is not None:
            self.tell()

    def withdraw(self, order: type[Interrupted]) -> None:
        """Take back an order that the body has not followed; a child that was told of it is past that."""
        with self.lock:
            if self.order is order and self.kill is None and not self.forced:
                self.order = None

    def prepare(self, most_s: float) -> None:
        """Something must be made ready before the body begins: its time does not run yet, for so long at most."""
        if self.deadline_mono is not None:
            self.deadline_mono += most_s

    def begin(self) -> None:
        """Now the body itself begins."""
        self.started_at = now()
        if self.claimed.timeout_s is not None:
            self.deadline_mono = time.monotonic() + self.claimed.timeout_s

    def checkpoint(self) -> None:
        """Leave the body if that was ordered."""
        if self.order is not None:
            self.seen_at = self.seen_at or now()
            raise self.order

    def force(self) -> bool:
        """Make the body leave: end its child, or raise into its thread. True once that was done."""
        if self.forced or self.order is None:
            return self.forced
        if self.kill is not None:
            self.forced = True  # first, for whoever sees the child die at once
            self.kill()
        elif self.gate is not None:
            self.forced = self.gate.fire(self.order)
        return self.forced
