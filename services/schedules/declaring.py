"""Schedules declared in code: a deploy may say them again and again."""

from datetime import datetime
from typing import Any

from sqlalchemy import select, text

from models import Role, Schedule, reading, tables
from models.schedule import NOT_DELETED
from services import audit
from services.errors import InvalidInput
from services.schedules import spec
from services.schedules.acts import change_to, insert_new

_s = tables.schedules.c
FIELD_OF = {"every_s": "every", "jitter_s": "jitter", "timeout_s": "timeout", "missed_window_s": "missed_window"}


def ensure(
    name: str, task_type: Any, payload: dict[str, Any] | None = None, *, enabled: bool = True, **fields: Any
) -> Schedule:
    """Make the schedule of this name, or bring it to what is declared now.

    Only what changed in the declaration since the last `ensure` is written, so that a deploy leaves alone what an
    operator has changed meanwhile: `drift` shows it. Whether it is enabled is the operators' once it is there.
    """
    audit.require(Role.member)
    columns = spec.chosen({"name": name, "type": task_type, "payload": payload, **fields}).columns()
    declared = _declared(columns, fields)
    row = _there(name)
    if row is None:
        try:
            return insert_new(columns, enabled, declared=declared)
        except InvalidInput:
            row = _there(name)  # another process of the same deploy was faster
            if row is None:
                raise
    before = row.declared or {}
    if before == declared:
        return row
    changes = {
        FIELD_OF.get(field, field): columns[field]
        for field, said in declared.items()
        if field not in before or before[field] != said
    }
    return change_to(row.id, changes, reason="declared in code", declared=declared)


def _declared(columns: dict[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
    """What was said, as JSON; an anchor that was not said is the moment's, and no part of it."""
    said = spec.plain(columns)
    if not isinstance(fields.get("anchor_at", fields.get("start_at")), datetime):
        said.pop("anchor_at")
    return said


def _there(name: str) -> Schedule | None:
    query = select(Schedule).where(_s.name == name, text(NOT_DELETED)).execution_options(populate_existing=True)
    with reading() as session:
        return session.execute(query).scalar_one_or_none()
