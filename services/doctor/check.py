"""What a check is: a rule in words, the question for what breaks it, and the sentence for each breach."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum, unique
from typing import Any

from settings import settings

_A_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}")
MOST = 1_000  # breaches that one check reads and tells


@unique
class Tended(StrEnum):
    """Who has to be alive for a rule to hold: with nobody at work, nothing goes on, and that is no breach."""

    always = "always"
    by_anybody = "by a worker or a scheduler"
    by_scheduler = "by a scheduler"


@dataclass(frozen=True, slots=True)
class Check:
    """One invariant. `query` finds what breaks it; its columns fill `sentence`, and `id` names the thing.

    It may use `:now`, `:late`, `:lost`, `:slow`, `:kept` (instants), `:max_losses`, and `{plus}` (see `examine`).
    """

    name: str
    rule: str
    query: str
    sentence: str
    tended: Tended = Tended.always
    confirm_s: float = 0.0  # look again after so long, and tell only what was there both times
    confirm_leases: float = 0.0  # the same in leases, beside it
    mend: Callable[[Sequence[Any]], int] | None = None  # rows of `query` → how many were repaired

    @property
    def patience_s(self) -> float:
        """How long to wait before the second look, in seconds; 0 where one is enough."""
        return self.confirm_s + self.confirm_leases * settings().lease_s


@dataclass(frozen=True, slots=True)
class Finding:
    """One breach."""

    check: Check
    row: Any

    @property
    def key(self) -> tuple[Any, ...]:
        """What tells it from other breaches of the same rule."""
        return (self.row.id, getattr(self.row, "other", None))

    def __str__(self) -> str:
        return self.check.sentence.format(**{name: _shown(value) for name, value in self.row._mapping.items()})


@dataclass(slots=True)
class Result:
    """What one check found, and how long it took."""

    check: Check
    findings: list[Finding] = field(default_factory=list)
    took_s: float = 0.0
    skipped: str | None = None  # why it was not asked

    @property
    def sound(self) -> bool:
        """Whether nothing breaks the rule."""
        return not self.findings

    @property
    def more(self) -> bool:
        """Whether there may be more breaches than were read."""
        return len(self.findings) >= MOST


def _shown(value: Any) -> Any:
    """Times alike on both databases: SQLite gives them as text, which only times have in this shape."""
    if isinstance(value, str) and _A_TIME.fullmatch(value):
        value = datetime.fromisoformat(value).replace(tzinfo=UTC)
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if isinstance(value, datetime) else value
