"""Each peer is a module: how it is set up (its documentation's way), and these few functions. See `Peer`.

A module is imported by the workers it starts and by the measure that enqueues. What it is to connect to stands in the
environment: REDIS_URL (a Unix socket), POSTGRES_URL (an empty database, on a Unix socket), VARIANT.
"""

from typing import Any, Protocol


class Peer(Protocol):
    """What every peer can do. One that can do more says so with the optional functions below."""

    def prepare(self) -> None:
        """Make tables, or whatever must be there before the first job; connect."""

    def commands(self, processes: int, threads: int) -> list[list[str]]:
        """What starts the workers: arguments of this Python, one list for each program."""

    def enqueue(self, number: int, seconds: float = 0.0) -> Any:
        """Accept one job; returns what `result` needs."""

    def enqueue_each(self, numbers: range, seconds: float = 0.0) -> None:
        """Accept many, one call for each."""

    def finished(self, jobs: int) -> bool:
        """Whether so many jobs, all there are, have ended as far as the peer itself knows."""


# Optional, with the peer's own means:
#   connect()                          what `prepare` does where tables are there already
#   enqueue_many(numbers, seconds)     in bulk
#   result(handle)                     wait for the job's end and return what it gave
#   urgent(number)                     enqueue one that goes before all that wait
#   fan(many)                          many jobs that need a first one, and a last one that needs them all
#   CONCURRENCY                        jobs at once a process, where it is not the number of threads
#   RECOVERY_S                         seconds until a killed worker's job runs again, says the documentation
