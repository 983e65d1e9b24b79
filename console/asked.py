"""The Tasks page's filters as its address says them; the same words are read by the export and by saved views."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from console.ui import look
from models import now
from services import operators
from services.errors import InvalidInput, NotFound
from services.spans import SPANS as CHARTED
from services.task_filter import TaskFilter

SPANS = {
    "Last hour": timedelta(hours=1),
    "Last 24 hours": timedelta(days=1),
    "Last 7 days": timedelta(days=7),
    "Last 30 days": timedelta(days=30),
}
ENDED_IN = "Ended in {}"
ENDED = {ENDED_IN.format(name): span for name, span in CHARTED.items()}  # so that what charts count is found
STATUSES = {name: status for status, name in look.NAMES.items()}  # the address holds what the pills say
EMPTY: dict[str, Any] = {
    "status": [], "type": None, "queue": None, "text": "", "error": "", "tag": "", "created": None, "ended": None,
    "deleted": False, "held": False, "by": None,
}  # fmt: skip
KEYS = tuple(EMPTY)
MAKERS = {"People": "operator", "Schedules": "schedule", "Other tasks": "task"}  # each of the kind


def task_filter(said: Mapping[str, Any]) -> TaskFilter:
    """The filter that these words make; unknown ones ask nothing. Raises `InvalidInput`."""
    statuses = said.get("status") or []
    return TaskFilter(
        status=[STATUSES[s] for s in ([statuses] if isinstance(statuses, str) else statuses) if s in STATUSES] or None,
        type=said.get("type") or None, queue=said.get("queue") or None, text=said.get("text") or None,
        error=(said.get("error") or "").strip() or None, tag=(said.get("tag") or "").strip() or None,
        deleted=_switch(said.get("deleted")), held=_switch(said.get("held")), created_from=_since(said.get("created")),
        finished_from=_ended(said.get("ended")), **_made_by((said.get("by") or "").strip()),
    )  # fmt: skip


def of_address(pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The words of an address, such as `status=Failed&status=Queued&queue=mail`."""
    said: dict[str, Any] = {}
    for key, value in pairs:
        if key == "status":
            said.setdefault(key, []).append(value)
        elif key in EMPTY:
            said[key] = value
    return said


def address(said: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The same the other way round; what asks nothing is left out."""
    pairs: list[tuple[str, str]] = []
    for key in KEYS:
        value = said.get(key)
        if isinstance(value, list):
            pairs += [(key, str(one)) for one in value]
        elif value:
            pairs.append((key, "true" if value is True else str(value)))
    return pairs


def _switch(said: Any) -> bool:
    return said is True or (isinstance(said, str) and said.lower() in ("true", "1"))


def _made_by(said: str) -> dict[str, Any]:
    """Who asked for them: all of a kind, a person's name, `schedule 4`, `task 12`. Each has an index of its own."""
    if said in MAKERS:
        return {"created_by_kind": MAKERS[said]}
    kind, _, number = said.partition(" ")
    number = number.strip().removeprefix("#")
    if kind in ("schedule", "task") and number.isascii() and number.isdigit():
        return {"schedule_id" if kind == "schedule" else "parent_id": int(number)}
    try:
        return {"owner": operators.by_name(said.removeprefix("operator ")).id} if said else {}
    except NotFound as unknown:
        raise InvalidInput(
            "created by", f"{unknown}; choose from the list, or say a person's name, schedule 4 or task 12"
        ) from None


def _ended(period: str | None) -> datetime | None:
    return ENDED[period].since if period in ENDED else None


def _since(period: str | None) -> datetime | None:
    if period not in SPANS:
        return None
    return (now() - SPANS[period]).replace(second=0, microsecond=0)  # the same filter for a minute
