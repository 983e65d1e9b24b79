"""When schedules fire next, worked out anew: the rules of time zones change with each release of their database."""

from typing import Any

import structlog
from sqlalchemy import select, text

from models import now, reading, tables, transaction
from models.db import once_more
from models.schedule import DUE_AT
from services.schedules.keeping import change, placed
from services.schedules.rule import Rule

log = structlog.get_logger(__name__)

BATCH = 500
_s = tables.schedules.c


def refresh() -> int:
    """Correct the next slots that are no longer right; what is due stays due. Returns 0: once a round will do."""
    last = 0
    while True:
        coming = select(tables.schedules).where(text(DUE_AT), _s.id > last, _s.due_at > now())
        with reading() as session:
            rows = session.execute(coming.order_by(_s.id).limit(BATCH)).all()
        if not rows:
            return 0
        last = rows[-1].id
        for row in rows:
            if _moved(row):
                _correct(row.id)


def _moved(row: Any) -> dict[str, Any] | None:
    """The columns of the next slot, where they differ from the stored ones."""
    try:
        slot = Rule.of(row).first(row.last_at or row.created_at)
    except Exception:  # it says so when it is due
        log.exception("a schedule cannot be read", schedule=row.id)
        return None
    if slot is not None and slot.at <= now():  # it went by before it was made, or changed
        slot = Rule.of(row).first(now())
    found = placed(row.id, slot, row.jitter_s)
    return found if any(getattr(row, name) != value for name, value in found.items()) else None


@once_more
def _correct(schedule_id: int) -> None:
    with transaction() as session:
        row = session.execute(
            select(tables.schedules).where(_s.id == schedule_id, text(DUE_AT), _s.due_at > now()).with_for_update()
        ).one_or_none()
        found = None if row is None else _moved(row)
        if found:
            change(session, schedule_id, **found)
            log.info("next fire moved", schedule=schedule_id, next_at=str(found["next_at"]))
