"""The states of a task, and every way from one to another."""

from enum import Enum, StrEnum, unique


class Word(StrEnum):
    """An enum whose members are keys of counts: Enum's own hash is written in Python."""

    __hash__ = str.__hash__


@unique
class Status(Word):
    """Where a task stands. `pending` waits for something of its own, `queued` only for a free worker."""

    pending = "pending"
    queued = "queued"
    running = "running"
    completed = "completed"
    failed = "failed"
    cancelled = "cancelled"


LIVE = frozenset({Status.pending, Status.queued, Status.running})
FINISHED = frozenset(Status) - LIVE


@unique
class Move(Enum):
    """Every way a task's status may change: where from, and where to."""

    release = {Status.pending}, Status.queued  # its time came, what it needs is done
    claim = {Status.queued}, Status.running  # a worker took it: epoch + 1
    complete = {Status.running}, Status.completed
    fail = {Status.running}, Status.failed  # gave up, or ran out of attempts
    defer = {Status.running}, Status.pending  # a retry later
    hand_back = {Status.running}, Status.queued  # not started, or the worker is stopping
    rescue = {Status.running}, Status.queued, "lost"  # the lease ran out
    give_up = {Status.running}, Status.failed, "lost"  # the lease ran out for the last time
    hold = {Status.pending, Status.queued}, Status.pending  # until a person lets it go
    cancel = {Status.pending, Status.queued}, Status.cancelled
    stop = (
        {Status.running},
        Status.cancelled,
    )  # the body saw it, was ended for it, or its worker died after it
    rerun = {Status.failed, Status.cancelled}, Status.pending

    def __init__(self, sources: set[Status], target: Status, _why: str = "") -> None:
        self.sources = sources  # the statuses it may start from
        self.target = target  # the one it leads to


@unique
class Outcome(Word):
    """How one attempt ended."""

    completed = "completed"
    failed = "failed"  # the task's last error
    retried = "retried"  # an error, and another try
    cancelled = "cancelled"
    handed_back = "handed_back"  # its worker stopped before it was done
    lost = "lost"  # its worker died under it


@unique
class OnParentFailure(StrEnum):
    """What a task does when one it needs fails or is cancelled."""

    cancel = "cancel"
    run_anyway = "run_anyway"
    hold = "hold"
