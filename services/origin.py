"""Which task's body runs here, so that what it enqueues can say where it came from."""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """The task whose body is running."""

    task_id: int
    root_id: int | None = None
    owner: int | None = None


origin: ContextVar[Origin | None] = ContextVar("origin", default=None)
