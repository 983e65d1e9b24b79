"""What may be said about a task beside its payload: checked before anything is written."""

import difflib
import json
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Self

from models import OnParentFailure, Task, now
from services import checks
from services.errors import InvalidInput

MOST_NEEDS = 10_000
LONGEST_TIMEOUT_S = 7 * 24 * 3600
MOST_RETRIES = 49
MOST_TAGS = 20


@dataclass(frozen=True, kw_only=True)
class Options:
    """How one task is to be queued. `None` means: as its type says."""

    queue: str | None = None
    priority: int = 50  # 1 to 100, higher first
    retries: int | None = None
    timeout: timedelta | float | None = None  # seconds an attempt may take
    run_at: datetime | None = None
    expires_at: datetime | None = None  # not started by then: cancelled
    needs: Iterable[Any] = ()  # tasks or their ids; kept as ids
    on_parent_failure: str = "cancel"  # or run_anyway, hold
    unique_key: str | None = None  # one live task a type and key
    concurrency_key: str | None = None
    max_running: int | None = None  # at most so many running tasks share the key; None: as it was, at first 1
    title: str = ""
    tags: Iterable[str] = ()
    project: str | None = None
    context: dict[str, Any] | None = None  # the requester's own
    rerun_of: int | None = None
    schedule_id: int | None = None
    slot: str | None = None

    def __new__(cls, *_: Any, **named: Any) -> Self:
        """Refuse names that are no options, as values that cannot be are refused."""
        known = {f.name for f in fields(cls)}
        for name in named:
            if name not in known:
                near = difflib.get_close_matches(name, known, 1)
                hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(known))}"
                raise InvalidInput(checks.shortened(name).strip("'"), f"there is no such option; {hint}")
        return super().__new__(cls)

    def __post_init__(self) -> None:
        object.__setattr__(self, "needs", _needed(self.needs))
        checks.whole(self.priority, "priority", 1, 100)
        if self.queue is not None:
            checks.name(self.queue, "queue", 64)
        if self.retries is not None:
            checks.whole(self.retries, "retries", 0, MOST_RETRIES)
        if self.timeout is not None:
            checks.seconds(self.timeout, "timeout", 0.1, LONGEST_TIMEOUT_S)
        for name in ("run_at", "expires_at"):
            if getattr(self, name) is not None:
                checks.instant(getattr(self, name), name)
        if self.run_at is not None and self.expires_at is not None and self.expires_at <= self.run_at:
            raise InvalidInput("expires_at", "is not after run_at, so that it could never start; give a later time")
        for name, longest in (("unique_key", 200), ("concurrency_key", 200), ("project", 100), ("slot", 40)):
            if getattr(self, name) is not None:
                checks.name(getattr(self, name), name, longest)
        for name in ("rerun_of", "schedule_id"):
            if getattr(self, name) is not None:
                checks.whole(getattr(self, name), name, 1, 2**53)
        if self.max_running is not None:
            checks.whole(self.max_running, "max_running", 1, 10_000)
            if self.concurrency_key is None:
                raise InvalidInput("max_running", "limits a concurrency_key; give that too")
        checks.name(self.title, "title", 200, empty=True)
        self._check_tags()
        checks.one_of(OnParentFailure, self.on_parent_failure, "on_parent_failure")
        if self.context is not None:
            if not isinstance(self.context, dict):
                raise InvalidInput("context", f"{checks.shortened(self.context)} is not an object")
            checks.plain_json(self.context, "context")
            written = checks.dumped(self.context, "context", 64 * 1024)
            object.__setattr__(self, "context", json.loads(written))  # its owner may change it meanwhile

    @property
    def needed_ids(self) -> tuple[int, ...]:
        """The tasks it needs, each once, in order."""
        return self.needs  # type: ignore[return-value]  # since `__post_init__`

    def _check_tags(self) -> None:
        tags = [self.tags] if isinstance(self.tags, str) else checks.some(self.tags, "tags", MOST_TAGS)
        for n, tag in enumerate(tags):
            checks.name(tag, f"tags/{n}", 50)
        object.__setattr__(self, "tags", tags)

    def columns(self, task_type: Any) -> dict[str, Any]:
        """The task's columns that follow from these options and its type."""
        retries = task_type.retries if self.retries is None else self.retries
        timeout = task_type.timeout_s if self.timeout is None else checks.seconds(self.timeout, "timeout", 0.1, 1e9)
        return {
            "type": task_type.name, "type_version": task_type.version, "queue": self.queue or task_type.queue,
            "priority": self.priority, "max_tries": retries + 1, "timeout_s": timeout, "run_at": self.run_at or now(),
            "expires_at": self.expires_at, "on_parent_failure": OnParentFailure(self.on_parent_failure),
            "unique_key": self.unique_key, "concurrency_key": self.concurrency_key, "title": self.title,
            "tags": self.tags, "project": self.project, "rerun_of": self.rerun_of, "schedule_id": self.schedule_id,
            "slot": self.slot,
        }  # fmt: skip


def chosen(given: Options | None, named: dict[str, Any]) -> Options:
    """The options as given, or made of their fields by name. Raises `InvalidInput`."""
    if given is None:
        return Options(**named)
    if named or not isinstance(given, Options):
        raise InvalidInput("options", "give either Options or their fields by name, not both")
    return given


def _needed(needs: Iterable[Any]) -> tuple[int, ...]:
    given = [needs] if isinstance(needs, Task | int | str) else checks.some(needs, "needs", MOST_NEEDS)
    ids = [need.id if isinstance(need, Task) else need for need in given]
    return tuple(sorted({checks.whole(i, f"needs/{n}", 1, 2**53) for n, i in enumerate(ids)}))
