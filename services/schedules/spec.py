"""What a schedule says, checked as a whole before anything is written."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from enum import Enum
from itertools import pairwise
from typing import Any

from models import Missed, Overlap, now
from services import catalog, checks
from services.errors import InvalidInput
from services.options import Options
from services.schedules import cron, template, zones
from services.schedules.rule import Rule

LEAST_EVERY = timedelta(minutes=1)
MOST_EVERY = timedelta(days=366)
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
MOST_JITTER_S = 86_400
MOST_WINDOW_S = 366 * 86_400
MOST_KEPT = 10_000
RULE = frozenset({"cron", "every_s", "anchor_at", "zone", "start_at", "end_at"})  # columns that decide when it fires


@dataclass(frozen=True, kw_only=True)
class Spec:
    """A schedule as a person or a program says it; durations are `timedelta` or seconds."""

    name: str
    type: Any  # a task type's name, or its actor
    payload: dict[str, Any] | None = None
    description: str = ""
    project: str | None = None
    cron: str | None = None
    every: timedelta | float | None = None
    anchor_at: datetime | None = None  # what `every` is counted from; None: start_at, or when it is made
    zone: str = "UTC"
    start_at: datetime | None = None
    end_at: datetime | None = None
    jitter: timedelta | float = 0  # each fire later by up to so much
    queue: str | None = None
    priority: int = 50
    retries: int = 3
    timeout: timedelta | float = 300
    tags: Iterable[str] = ()
    unique_key: str | None = None
    overlap: str = "skip"  # queue_one, cancel_previous, allow
    missed: str = "once"  # skip, all
    missed_window: timedelta | float = 86_400  # how old the one may be
    pause_after: int | None = None  # failures in a row; None: never
    keep_runs: int = 20

    def columns(self) -> dict[str, Any]:
        """The row's columns. Raises `InvalidInput` or `NotFound`, with a sentence that names the field."""
        checks.name(self.name, "name", 200)
        options = self._options()
        when = rule_columns(self.cron, self.every, self.anchor_at, self.zone, self.start_at, self.end_at)
        rule = Rule(**when)
        found = {
            "name": self.name, "description": self._description(), "project": self.project, "queue": self.queue,
            "priority": self.priority, "retries": self.retries, "tags": list(options.tags), **when,
            "timeout_s": checks.seconds(self.timeout, "timeout", 0.1, 1e9), "unique_key": self.unique_key,
            "jitter_s": _jitter(self.jitter, rule), "overlap": checks.one_of(Overlap, self.overlap, "overlap"),
            "missed": checks.one_of(Missed, self.missed, "missed"),
            "missed_window_s": round(checks.seconds(self.missed_window, "missed_window", 0, MOST_WINDOW_S)),
            "pause_after": self.pause_after,
            "keep_runs": checks.whole(self.keep_runs, "keep_runs", 1, MOST_KEPT),
        }  # fmt: skip
        if self.pause_after is not None:
            checks.whole(self.pause_after, "pause_after", 1, 1_000)
        return {**found, **self._work()}

    def _options(self) -> Options:
        if self.timeout is None or self.retries is None:
            field = "timeout" if self.timeout is None else "retries"
            raise InvalidInput(field, "is missing; leave it out for the default")
        return Options(
            queue=self.queue, priority=self.priority, retries=self.retries, timeout=self.timeout, tags=self.tags,
            unique_key=self.unique_key, project=self.project,
        )  # fmt: skip

    def _description(self) -> str:
        if not isinstance(self.description, str):
            raise InvalidInput("description", f"{checks.shortened(self.description)} is not text")
        checks.text(self.description, "description")
        if len(self.description) > 1000:
            raise InvalidInput("description", f"{len(self.description):,} characters are more than 1000; shorten it")
        return self.description

    def _work(self) -> dict[str, Any]:
        """The type, and a template that fits it."""
        task_type = catalog.find(getattr(self.type, "actor_name", self.type))
        payload = template.checked({} if self.payload is None else self.payload)
        fit(task_type, payload)
        return {"type": task_type.name, "payload": payload}


def fit(task_type: Any, payload: dict[str, Any]) -> None:
    """Try a template against the type, with and without a run before. Raises `InvalidInput`."""
    at = now().replace(microsecond=0)
    for last, hint in ((at, ""), (None, " (before the first completed run, {{ last_completed_at }} is null)")):
        try:
            task_type.payload(template.rendered(payload, at, last))
        except InvalidInput as error:
            said = str(error).removeprefix(f"{error.field}: ")
            raise InvalidInput(f"payload{error.field.removeprefix('payload')}", said + hint) from None


def rule_columns(cron_text: Any, every: Any, anchor_at: Any, zone: Any, start_at: Any, end_at: Any) -> dict[str, Any]:
    """The columns that decide when it fires. Raises `InvalidInput`."""
    if (cron_text is None) == (every is None):
        raise InvalidInput(
            "cron", "give either cron or every, " + ("not both" if cron_text is not None else "one of them")
        )
    starts, ends = _instant(start_at, "start_at"), _instant(end_at, "end_at")
    if starts is not None and ends is not None and ends <= starts:
        raise InvalidInput(
            "end_at", f"{ends.isoformat()} is not after start_at, so that it could never fire; give a later time"
        )
    found: dict[str, Any] = {"cron": None, "every_s": None, "anchor_at": None}
    if every is None:
        found["cron"] = cron.checked(cron_text)
        if anchor_at is not None:
            raise InvalidInput("anchor_at", "is for every; leave it out with cron")
    else:
        anchor = _instant(anchor_at, "anchor_at") or starts or now()
        found |= {"every_s": _every(every), "anchor_at": anchor.astimezone(UTC).replace(second=0, microsecond=0)}
    return {**found, "zone": zones.checked(zone), "start_at": starts, "end_at": ends}


def _every(value: Any) -> int:
    try:
        seconds = checks.seconds(value, "every", LEAST_EVERY.total_seconds(), MOST_EVERY.total_seconds())
    except (InvalidInput, OverflowError):
        seconds = 0.5
    if seconds % 60:
        raise InvalidInput("every", f"{checks.shortened(value)} is not whole minutes from 1 minute to 366 days")
    return int(seconds)


def _instant(value: Any, field: str) -> datetime | None:
    """Like `checks.instant`, but a start may lie years back."""
    if value is None:
        return None
    try:
        return checks.instant(value, field).astimezone(UTC)
    except InvalidInput:
        if not _long_ago(value):
            raise
        return value.astimezone(UTC)


def _long_ago(value: Any) -> bool:
    try:
        return isinstance(value, datetime) and value.tzinfo is not None and EARLIEST < value < now()
    except Exception:  # a zone of the caller's own making
        return False


def _jitter(value: Any, rule: Rule) -> int:
    seconds = round(checks.seconds(value, "jitter", 0, MOST_JITTER_S))
    if seconds:
        gaps = [b.at - a.at for a, b in pairwise(rule.upcoming(now(), 10)) if b.at > a.at]
        shortest = min(gaps, default=timedelta.max)
        if seconds >= shortest.total_seconds():
            raise InvalidInput(
                "jitter", f"{seconds:,} s is not less than {shortest.total_seconds():,.0f} s, the shortest time "
                "between two fires; give less"
            )  # fmt: skip
    return seconds


def of_row(row: Any) -> dict[str, Any]:
    """A row's columns as the fields of a `Spec`."""
    named = {"every": "every_s", "jitter": "jitter_s", "timeout": "timeout_s", "missed_window": "missed_window_s"}
    return {f.name: getattr(row, named.get(f.name, f.name)) for f in fields(Spec)}


def chosen(given: dict[str, Any]) -> Spec:
    """A spec of fields by name. Raises `InvalidInput` for one that there is not."""
    known = {f.name for f in fields(Spec)}
    for name in given:
        if name not in known:
            raise InvalidInput(
                checks.shortened(name).strip("'"), f"there is no such field; known are {', '.join(sorted(known))}"
            )
    return Spec(**given)


def plain(columns: dict[str, Any]) -> dict[str, Any]:
    """Columns as JSON."""
    return {
        name: value.isoformat() if isinstance(value, datetime) else value.value if isinstance(value, Enum) else value
        for name, value in columns.items()
    }
