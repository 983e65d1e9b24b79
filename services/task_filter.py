"""Which tasks: one filter for the list, its count, and for acting on many."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models import Status
from services import checks, words
from services.errors import InvalidInput

LONGEST_TEXT = 200

_NUMBER = re.compile(r"#[0-9]{1,15}")


@dataclass(frozen=True, kw_only=True)
class TaskFilter:
    """Which tasks. What is None is not asked; times are from (included) to (excluded).

    `text` finds tasks by the beginnings of words in id, type, title, tags, error and the start of the payload; all must
    be there. Signs are taken literally; `#41` is the task of that number. It knows what was enqueued or failed until
    about two seconds ago. Raises `InvalidInput`.
    """

    status: Collection[Status | str] | Status | str | None = None
    type: str | None = None
    queue: str | None = None
    created_by_kind: str | None = None  # operator, api, task, schedule
    created_by_id: str | None = None
    owner: int | None = None
    schedule_id: int | None = None
    text: str | None = None
    error: str | None = None  # a fingerprint, or an error's class
    tag: str | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None
    finished_from: datetime | None = None
    finished_to: datetime | None = None
    deleted: bool = False  # True: only those that were deleted
    held: bool = False  # True: only those that wait for a person's word
    root_id: int | None = None
    parent_id: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "status", _statuses(self.status))
        for name in ("type", "queue", "created_by_kind", "created_by_id", "error", "tag"):
            if getattr(self, name) is not None:
                checks.name(getattr(self, name), name, 200)
        for name in ("owner", "schedule_id", "root_id", "parent_id"):
            if getattr(self, name) is not None:
                checks.whole(getattr(self, name), name, 1, 2**53)
        for name in ("created_from", "created_to", "finished_from", "finished_to"):
            _aware(getattr(self, name), name)
        for name in ("deleted", "held"):
            if type(getattr(self, name)) is not bool:
                raise InvalidInput(name, f"{checks.shortened(getattr(self, name))} is neither True nor False")
        object.__setattr__(self, "text", _question(self.text))

    def asked(self) -> dict[str, Any]:
        """What is asked, and nothing else, as JSON can hold it."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {
            name: sorted(value) if isinstance(value, frozenset) else value if isinstance(value, int) else str(value)
            for name, value in values.items()
            if value not in (None, False)
        }

    @property
    def number(self) -> int | None:
        """The number of a task that the text asks for, instead of words."""
        return int(self.text[1:]) if self.text and _NUMBER.fullmatch(self.text) else None

    @property
    def words(self) -> str | None:
        """What the index of words is asked for."""
        return self.text if self.number is None else None


def _statuses(given: Any) -> frozenset[Status] | None:
    if given is None:
        return None
    many = [given] if isinstance(given, str) else checks.some(given, "status", 100)
    wrong = [value for value in many if value not in list(Status)]
    if wrong:
        raise InvalidInput("status", f"{checks.shortened(wrong[0])} is none of {', '.join(Status)}")
    return frozenset(Status(value) for value in many) or None


def _aware(moment: Any, field: str) -> None:
    if moment is not None and (not isinstance(moment, datetime) or moment.utcoffset() is None):
        raise InvalidInput(field, f"{checks.shortened(moment)} is not a datetime with its time zone")


def _question(given: Any) -> str | None:
    if given is None or (isinstance(given, str) and not given.strip()):
        return None
    if not isinstance(given, str):
        raise InvalidInput("text", f"{checks.shortened(given)} is not text")
    checks.text(given, "text")
    asked = given.strip()
    if len(asked) > LONGEST_TEXT:
        raise InvalidInput("text", f"{len(asked):,} characters are more than {LONGEST_TEXT}; shorten it")
    if not _NUMBER.fullmatch(asked) and not words.terms(asked):
        raise InvalidInput("text", f"{checks.shortened(asked)} has no letter or digit to look for")
    return asked
