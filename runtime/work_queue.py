"""The queue between Dramatiq's consumers and its threads, without the lock that all of them would share."""

from queue import SimpleQueue
from typing import Any


class WorkQueue(SimpleQueue[Any]):
    """First in, first out: claims come in order, and for Dramatiq all actors have the same priority."""

    def task_done(self) -> None:
        """Nobody counts here: what is under way, the process knows."""
