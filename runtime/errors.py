"""What a body may raise, and what may be raised into it.

GiveUp            the body: failed now, never retried
Retry             the body: again later, as a spent try
Interrupted       into the body, at a checkpoint or by force; a BaseException, so that `except Exception` lets it pass
├── Cancelled     somebody asked for it
├── TimedOut      the attempt took longer than it may
├── Stopping      the worker is stopping: the task goes back into the line
└── Disowned      the lease was lost: another attempt may be running, this one changes nothing any more
TaskFailed        after the ledger has it: for Dramatiq's middleware to see; carries no payload
"""

from datetime import timedelta


class GiveUp(Exception):
    """Fail now; no retry could help. The message is for the operator."""


class Retry(Exception):
    """Try again later, as long as there are tries left."""

    def __init__(self, why: str = "the body asked for another try", *, after: timedelta | float | None = None) -> None:
        super().__init__(why)
        seconds = after.total_seconds() if isinstance(after, timedelta) else after
        self.after_s = None if seconds is None else float(seconds)


class Interrupted(BaseException):
    """Leave the body now."""


class Cancelled(Interrupted):
    """Somebody asked for the task to stop."""


class TimedOut(Interrupted):
    """The attempt took longer than it may."""


class Stopping(Interrupted):
    """The worker is stopping."""


class Disowned(Interrupted):
    """The task is no longer this worker's."""


class TaskFailed(Exception):
    """A task failed; what and why is in the ledger."""


class ChildDied(Exception):
    """The isolated process of an attempt ended without a word: killed, crashed, out of memory."""
