"""The act itself: a batch of tasks in one transaction, each looked at again under its lock."""

import secrets
import time
from array import array
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import structlog
from sqlalchemy import update
from sqlmodel import Session

from models import Role, now, tables, transaction
from models.db import once_more
from services import audit, checks
from services.bulk.effects import WAITING, Act, Counts, Effect
from services.bulk.plan import Plan, rows_of
from services.errors import StaleTask
from services.lifecycle import acts, restart
from services.lifecycle.batch import among, listed

log = structlog.get_logger(__name__)

BATCH = 500
BATCH_S = 0.2  # a longer transaction would keep SQLite's other writers waiting
MOST_REFUSED = 200

_task = tables.tasks.c


@dataclass
class Batch:
    """What one transaction came to."""

    taken: int = 0  # of the ids it was given
    counts: Counts = field(default_factory=Counter)
    refused: list[tuple[int, str]] = field(default_factory=list)
    done: list[tuple[int, Effect, int]] = field(default_factory=list)  # id, what, the priority it had
    events: list[audit.Change] = field(default_factory=list)


@dataclass
class Run:
    """A plan on its way: how far it is, what became of the tasks, and what would undo it."""

    plan: Plan
    token: str = field(default_factory=lambda: f"bulk-{secrets.token_hex(6)}")  # in every one of its events
    at: int = 0  # tasks of the plan that were taken
    counts: Counts = field(default_factory=Counter)
    refused: list[tuple[int, str]] = field(default_factory=list)  # the first 200, with the reason
    done: array = field(default_factory=lambda: array("q"))
    undoable: array = field(default_factory=lambda: array("q"))
    had: dict[int, int] = field(default_factory=dict)  # priorities before

    def __post_init__(self) -> None:
        self.counts.update({k: n for k, n in self.plan.counts.items() if not k[1].changes})

    @property
    def left(self) -> int:
        """Tasks that are still to be taken."""
        return len(self.plan.ids) - self.at

    def go(self, reason: str | None = None, first: int | None = None) -> Generator[int]:
        """Take the next `first` tasks, or all that are left; yields how many were taken, after each batch.

        Leave off at any time: what is committed stays, and another call goes on where this one ended. The act as a
        whole is one event more, written when the call ends. Raises `Forbidden` once the role no longer allows it.
        """
        reason = None if reason is None else checks.name(reason, "reason", 500)
        self.plan.settle()
        end = len(self.plan.ids) if first is None else min(self.at + first, len(self.plan.ids))
        before, began = self.counts.copy(), self.at
        try:
            while self.at < end:
                ids = self.plan.ids[self.at : min(self.at + BATCH, end)]
                with audit.acting(replace(audit.current(), request_id=self.token)):
                    self._add(_batch(self.plan, ids, reason))
                yield self.at
        finally:
            self._record(self.counts - before, self.at - began, reason)

    def _add(self, batch: Batch) -> None:
        self.at += batch.taken
        self.counts.update(batch.counts)
        self.refused += batch.refused[: MOST_REFUSED - len(self.refused)]
        for task_id, what, had in batch.done:
            self.done.append(task_id)
            if what is not Effect.asked and what is not Effect.again:
                self.undoable.append(task_id)
            if what is Effect.moved:
                self.had[task_id] = had

    def _record(self, counts: Counts, taken: int, reason: str | None) -> None:
        if not taken:
            return
        said: Counter[str] = Counter()
        for (_, what), n in counts.items():
            said[what.name] += n
        plan = self.plan
        after: dict[str, Any] = {
            "tasks": taken,
            "left": self.left,
            **said,
            "filter": plan.filter.asked() if plan.filter else None,
        }
        if plan.priority is not None:
            after["priority"] = plan.priority
        with audit.acting(replace(audit.current(), request_id=self.token)):
            audit.record(plan.act, "bulk", self.token, after=after, reason=reason)
        log.info("bulk act", act=plan.act.value, token=self.token, by=str(audit.current()), **after)


@once_more
def _batch(plan: Plan, ids: Sequence[int], reason: str | None) -> Batch:
    """As many of these as fit into one short transaction."""
    until = time.monotonic() + BATCH_S
    with transaction() as session:
        audit.require(Role.operator if plan.rights_on_all else Role.member)
        rows, batch = rows_of(ids, lock=True), Batch()
        for task_id in ids:
            row = rows.get(task_id)
            batch.taken += 1
            if row is None:
                batch.counts[None, Effect.gone] += 1
                continue
            what = plan.effect(row)
            what = _each(session, plan, row, what, reason, batch) if what.changes else _spared(what, row, batch)
            batch.counts[row.status, what] += 1
            if time.monotonic() > until:
                break
        _together(session, plan, batch, rows, reason)
        audit.record_many(plan.act, "task", batch.events, reason)
    return batch


def _each(session: Session, plan: Plan, row: Any, what: Effect, reason: str | None, batch: Batch) -> Effect:
    """Do it to one task; what can be done to many in one statement is noted for it."""
    try:
        before, after = _DO[plan.act](session, plan, row, reason)
    except StaleTask as refusal:
        batch.refused.append((row.id, str(refusal)))
        return Effect.key_taken if row.unique_key is not None else Effect.meanwhile
    batch.events.append((row.id, before, after))
    batch.done.append((row.id, what, row.priority))
    return what


def _spared(what: Effect, row: Any, batch: Batch) -> Effect:
    """A task that changed since it was counted, or that has the priority that was said only then."""
    if what is not Effect.there_already:
        batch.refused.append((row.id, f"#{row.id} is {row.status.value} by now and was left alone"))
    return what


Change = tuple[dict[str, Any], dict[str, Any]]


def _cancel(session: Session, plan: Plan, row: Any, reason: str | None) -> Change:
    waits = row.status in WAITING
    before = {"status": row.status.value, "cancel_requested": False}
    return before, {"status": "cancelled" if waits else row.status.value, "cancel_requested": True}


def _rerun(session: Session, plan: Plan, row: Any, reason: str | None) -> Change:
    was, is_ = restart.rerun(session, row.id)[row.id]
    return {"status": was}, {"status": is_}


def _reprioritise(session: Session, plan: Plan, row: Any, reason: str | None) -> Change:
    return {"priority": row.priority}, {"priority": plan.wanted_of(row.id)}


def _hide(session: Session, plan: Plan, row: Any, reason: str | None) -> Change:
    hide = plan.act is Act.delete
    return {"deleted": not hide}, {"deleted": hide}


_DO: dict[Act, Callable[[Session, Plan, Any, str | None], Change]] = {
    Act.cancel: _cancel,
    Act.rerun: _rerun,
    Act.reprioritise: _reprioritise,
    Act.delete: _hide,
    Act.restore: _hide,
}


def _together(session: Session, plan: Plan, batch: Batch, rows: Mapping[int, Any], reason: str | None) -> None:
    """What is one statement for all of a batch."""
    ids, at = [task_id for task_id, *_ in batch.done], now()
    if not ids or plan.act is Act.rerun:
        return
    if plan.act is Act.cancel:
        acts.cancel_many(session, [rows[task_id] for task_id in ids], str(audit.current()), reason)
        return
    changes: dict[Any, list[int]] = {}
    for task_id in ids:
        to = plan.wanted_of(task_id) if plan.act is Act.reprioritise else plan.act is Act.delete
        changes.setdefault(to, []).append(task_id)
    for to, some in changes.items():
        if plan.act is Act.reprioritise:
            values: dict[str, Any] = {"priority": to, "updated_at": at}
        else:
            values = {"deleted_at": at if to else None}
        session.execute(update(tables.tasks).where(among(_task.id)).values(**values), {"ids": listed(some)})
