"""Kinds of failure: how often, since when, and what people decided. `services.error_counts` counts them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, update
from sqlmodel import Session

from models import ErrorGroup, GroupState, Role, TaskBody, now, reading, tables, transaction
from models.db import once_more
from services import audit, checks
from services.errors import InvalidInput, NotFound
from services.lifecycle.counts import hour_of

MOST_GROUPS = 200

_count = tables.error_counts.c
_group = tables.error_groups.c


@dataclass(frozen=True)
class Group:
    """A kind of failure as a page shows it."""

    row: ErrorGroup
    message: str | None  # of the last task
    days: list[int]  # how many on each of the last days, today (UTC) last

    @property
    def reopened(self) -> bool:
        """Whether it was resolved, and failed again."""
        return self.row.state is GroupState.open and self.row.state_by == "system"


def page(state: GroupState | str | None = None, limit: int = 100, days: int = 14) -> list[Group]:
    """The kinds of failure in this state (None: in any), the latest first."""
    checks.whole(limit, "limit", 1, MOST_GROUPS)
    query = select(ErrorGroup).order_by(_group.last_at.desc(), _group.fingerprint).limit(limit)
    if state is not None:
        query = query.where(_group.state == _state(state))
    with reading() as session:
        return _groups(session, session.execute(query).scalars().all(), days)


def by_fingerprints(fingerprints: Sequence[str], days: int = 14) -> list[Group]:
    """These, in this order; those that are gone are left out."""
    with reading() as session:
        rows = session.execute(select(ErrorGroup).where(_group.fingerprint.in_(fingerprints))).scalars().all()
        found = {group.row.fingerprint: group for group in _groups(session, rows, days)}
    return [found[one] for one in fingerprints if one in found]


def counts() -> dict[GroupState, int]:
    """How many kinds there are in each state."""
    with reading() as session:
        found = dict(session.execute(select(_group.state, func.count()).group_by(_group.state)).all())
    return {state: found.get(state, 0) for state in GroupState}


def resolve(fingerprint: str, note: str | None = None) -> ErrorGroup:
    """Call it mended: it opens by itself when it fails again."""
    return _decide(fingerprint, GroupState.resolved, note)


def ignore(fingerprint: str, note: str | None = None) -> ErrorGroup:
    """Call it harmless: it stays so, whatever comes."""
    return _decide(fingerprint, GroupState.ignored, note)


def reopen(fingerprint: str, note: str | None = None) -> ErrorGroup:
    """Call it open again."""
    return _decide(fingerprint, GroupState.open, note)


@once_more
def _decide(fingerprint: str, state: GroupState, note: str | None) -> ErrorGroup:
    checks.name(fingerprint, "fingerprint", 40)
    note = None if note is None else checks.name(note, "note", 500)
    audit.require(Role.operator)
    with transaction() as session:
        was = locked(session, fingerprint)
        if was is None:
            raise NotFound(f"there is no kind of failure {fingerprint!r}")
        if was.state is not state or was.note != note:
            set_state(session, was, state, str(audit.current()), note)
        found = locked(session, fingerprint)
        assert found is not None
        return found


def set_state(session: Session, was: ErrorGroup, state: GroupState, by: str, note: str | None) -> None:
    """Change what is decided about a locked kind, and record it."""
    change = {"state": state, "state_by": by[:120], "state_at": now(), "note": note}
    session.execute(update(tables.error_groups).where(_group.fingerprint == was.fingerprint).values(**change))
    verb = {GroupState.resolved: "resolve", GroupState.ignored: "ignore", GroupState.open: "reopen"}[state]
    before, after = {"state": was.state.value}, {"state": state.value}
    audit.record(verb, "error", was.fingerprint, before=before, after=after, reason=note)


def locked(session: Session, fingerprint: str) -> ErrorGroup | None:
    """The kind, locked until the transaction ends."""
    query = select(ErrorGroup).where(_group.fingerprint == fingerprint).with_for_update()
    row = session.execute(query.execution_options(populate_existing=True)).scalar_one_or_none()
    if row is not None:
        session.expunge(row)
    return row


def _groups(session: Session, rows: Sequence[ErrorGroup], days: int) -> list[Group]:
    today = hour_of(now()) // 24
    first = today - checks.whole(days, "days", 1, 90) + 1
    prints = [row.fingerprint for row in rows]
    sums: dict[str, list[int]] = {one: [0] * days for one in prints}
    query = select(_count.fingerprint, _count.hour, _count.n).where(
        _count.fingerprint.in_(prints), _count.hour >= first * 24
    )
    for one, hour, n in session.execute(query):
        if 0 <= hour // 24 - first < days:
            sums[one][hour // 24 - first] += n
    body = TaskBody.__table__.c  # type: ignore[attr-defined]
    query_errors = select(body.task_id, body.error_text).where(body.task_id.in_([row.last_task_id for row in rows]))
    messages = dict(session.execute(query_errors).all())
    return [Group(row, messages.get(row.last_task_id), sums[row.fingerprint]) for row in rows]


def _state(given: Any) -> GroupState:
    if given not in list(GroupState):
        raise InvalidInput("state", f"{checks.shortened(given)} is none of {', '.join(GroupState)}")
    return GroupState(given)
