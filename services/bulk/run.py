"""The act itself: a batch of tasks in one transaction, each looked at again under its lock."""

import secrets
import sys
import time
from array import array
from collections import Counter, defaultdict
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
from services.lifecycle import acts, restart
from services.lifecycle.batch import among, listed

log = structlog.get_logger(__name__)

FIRST_BATCH, BATCH = 100, 500
BATCH_S = 0.2  # what a transaction should take: a longer one would keep SQLite's other writers waiting
MOST_REFUSED = 200
HELD = "until somebody releases it"  # where nothing held it before

_task = tables.tasks.c


@dataclass
class Batch:
    """What one transaction came to."""

    taken: int = 0
    counts: Counts = field(default_factory=Counter)
    refused: list[tuple[int, str]] = field(default_factory=list)
    done: list[tuple[Any, Effect]] = field(default_factory=list)  # the task as it was, and what was done
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
    reasons: dict[int, str] = field(default_factory=dict)  # what those that were let go had been held for

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
            size = min(FIRST_BATCH, BATCH)
            while self.at < end:
                ids, since = self.plan.ids[self.at : min(self.at + size, end)], time.monotonic()
                with audit.acting(replace(audit.current(), request_id=self.token)):
                    self._add(_batch(self.plan, ids, reason))
                size = max(1, min(BATCH, int(len(ids) * BATCH_S / max(time.monotonic() - since, 0.001))))
                yield self.at
        finally:
            self._record(self.counts - before, self.at - began, reason)

    def _add(self, batch: Batch) -> None:
        self.at += batch.taken
        self.counts.update(batch.counts)
        self.refused += batch.refused[: MOST_REFUSED - len(self.refused)]
        for row, what in batch.done:
            self.done.append(row.id)
            if what not in (Effect.asked, Effect.again):
                self.undoable.append(row.id)
            if what is Effect.moved:
                self.had[row.id] = row.priority
            if what is Effect.let_go:
                self.reasons[row.id] = sys.intern(row.held_reason)  # thousands may wait for the same

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
    """These, in one transaction."""
    with transaction() as session:
        audit.require(Role.operator if plan.rights_on_all else Role.member)
        rows, batch, chosen = rows_of(ids, lock=True), Batch(), []
        for task_id in ids:
            row = rows.get(task_id)
            batch.taken += 1
            if row is None:
                batch.counts[None, Effect.gone] += 1
                continue
            what = plan.effect(row)
            if what.changes:
                chosen.append((row, what))
            else:
                batch.counts[row.status, _spared(what, row, batch)] += 1
        _do(session, plan, chosen, batch, reason)
        audit.record_many(plan.act, "task", batch.events, reason)
    return batch


def _do(session: Session, plan: Plan, chosen: Sequence[tuple[Any, Effect]], batch: Batch, reason: str | None) -> None:
    """Do it to all of these in a few statements, and note what was and is for each."""
    changed, refused = _ACTS[plan.act](session, plan, [row for row, _ in chosen], reason)
    for row, what in chosen:
        if row.id in refused:
            batch.refused.append((row.id, refused[row.id]))
            batch.counts[row.status, Effect.key_taken] += 1
        else:
            batch.events.append((row.id, *changed[row.id]))
            batch.done.append((row, what))
            batch.counts[row.status, what] += 1


def _spared(what: Effect, row: Any, batch: Batch) -> Effect:
    """A task that changed since it was counted, or that has the priority that was said only then."""
    if what not in (Effect.there_already, Effect.held_already):
        batch.refused.append((row.id, f"#{row.id} is {row.status.value} by now and was left alone"))
    return what


Change = tuple[dict[str, Any], dict[str, Any]]  # before, after
Done = tuple[Mapping[int, Change], Mapping[int, str]]  # what changed, by id; why the others did not


def _cancel(session: Session, plan: Plan, rows: Sequence[Any], reason: str | None) -> Done:
    acts.cancel_many(session, rows, str(audit.current()), reason)
    changed = {}
    for row in rows:
        status = "cancelled" if row.status in WAITING else row.status.value
        before = {"status": row.status.value, "cancel_requested": False}
        changed[row.id] = before, {"status": status, "cancel_requested": True}
    return changed, {}


def _rerun(session: Session, plan: Plan, rows: Sequence[Any], reason: str | None) -> Done:
    moved, refused = restart.rerun_many(session, rows)
    return {i: ({"status": was}, {"status": is_}) for i, (was, is_) in moved.items()}, refused


def _reprioritise(session: Session, plan: Plan, rows: Sequence[Any], reason: str | None) -> Done:
    at, wanted = now(), defaultdict(list)
    for row in rows:
        wanted[plan.wanted_of(row.id)].append(row.id)
    for priority, ids in wanted.items():
        _write(session, ids, priority=priority, updated_at=at)
    return {row.id: ({"priority": row.priority}, {"priority": plan.wanted_of(row.id)}) for row in rows}, {}


def _hide(session: Session, plan: Plan, rows: Sequence[Any], reason: str | None) -> Done:
    hide = plan.act is Act.delete
    _write(session, [row.id for row in rows], deleted_at=now() if hide else None)
    return {row.id: ({"deleted": not hide}, {"deleted": hide}) for row in rows}, {}


def _release(session: Session, plan: Plan, rows: Sequence[Any], reason: str | None) -> Done:
    """Nothing holds them from now on; those whose time has come join their line with the next beat."""
    _write(session, [row.id for row in rows], held_reason=None, updated_at=now())
    return {row.id: ({"held": row.held_reason}, {"held": None}) for row in rows}, {}


def _hold(session: Session, plan: Plan, rows: Sequence[Any], reason: str | None) -> Done:
    why = {row.id: plan.reasons.get(row.id, HELD) for row in rows}
    acts.hold_many(session, rows, why)
    return {
        row.id: ({"status": row.status.value, "held": None}, {"status": "pending", "held": why[row.id]}) for row in rows
    }, {}


def _write(session: Session, ids: Sequence[int], **values: Any) -> None:
    session.execute(update(tables.tasks).where(among(_task.id)).values(**values), {"ids": listed(ids)})


_ACTS: dict[Act, Callable[[Session, Plan, Sequence[Any], str | None], Done]] = {
    Act.cancel: _cancel,
    Act.rerun: _rerun,
    Act.reprioritise: _reprioritise,
    Act.delete: _hide,
    Act.restore: _hide,
    Act.release: _release,
    Act.hold: _hold,
}
