"""The audit trail as CSV: a page at a time, never the whole in memory."""

import json
from collections.abc import Iterator
from datetime import UTC
from typing import Any

from models import Event, Role, now
from services import audit, history, spreadsheet

MOST = 100_000  # events of one export, the newest
PAGE = 500
HEAD = (
    "id", "at", "actor_kind", "actor_id", "verb", "entity", "entity_id", "before", "after", "reason", "ip",
    "user_agent", "request_id",
)  # fmt: skip


def begin(**asked: Any) -> str:
    """Record that the acting person takes these events out; returns the file's name.

    Raises `Forbidden`, `InvalidInput`.
    """
    audit.require(Role.operator)
    history.events(**asked, limit=1)  # refuses here what cannot be asked
    said = {name: str(value) for name, value in asked.items() if value is not None}
    audit.record("export", "events", None, after={"filter": said})
    return f"callboard-audit-{now().astimezone(UTC):%Y%m%dT%H%M%SZ}.csv"


def chunks(**asked: Any) -> Iterator[bytes]:
    """Lines of CSV, newest first, of the events that `history.events` finds for this.

    Each step stands for itself, and looks at the acting person's right anew: steps may run in different threads.
    """
    actor, left, before = audit.current(), MOST, None
    yield (spreadsheet.MARK + spreadsheet.lines([HEAD])).encode()
    while left > 0:
        with audit.acting(actor):
            found = history.events(**asked, before=before, limit=min(PAGE, left))
        if found:
            yield spreadsheet.lines(_row(event) for event in found).encode()
        if len(found) < min(PAGE, left):
            return
        left, before = left - len(found), found[-1].id


def _row(event: Event) -> tuple[str, ...]:
    values = (getattr(event, name) for name in HEAD)
    at = event.at.astimezone(UTC).isoformat(timespec="milliseconds")
    return tuple(at if value is event.at else _cell(value) for value in values)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)
