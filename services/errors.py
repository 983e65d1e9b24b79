"""What can go wrong, as answers to the person who asked.

ServiceError            every refusal; its message is a sentence for the operator
├── InvalidInput        a value that cannot be: names the field, the value and what would be right
├── NotFound            no such task, queue, type, …
├── StaleTask           the task is no longer in a status from which this may be done
├── Conflict            somebody else changed it since it was read
├── Forbidden           the acting person's role does not allow it
└── Unwritable          the database, or the store of artifacts, cannot be written to now: its disk is full, or …
"""


class ServiceError(Exception):
    """A refusal; nothing was changed."""


class InvalidInput(ServiceError):
    """A value that cannot be. `field` is the name or JSON pointer of the place."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


class NotFound(ServiceError):
    """There is no such thing."""


class StaleTask(ServiceError):
    """The task moved on meanwhile: it is not in a status from which this may be done."""


class Conflict(ServiceError):
    """Somebody else changed the thing since it was read."""


class Forbidden(ServiceError):
    """The acting person's role does not allow it."""


class Unwritable(ServiceError):
    """The database, or the store of artifacts, cannot be written to now; the same may be done when it can."""
