"""What may be done with tasks: from any Python, from the console's buttons, from a schedule. All by id."""

import time
from collections.abc import Iterable
from typing import Any

import structlog
from sqlalchemy import select, update

from models import FINISHED, Role, Status, Task, TaskBody, TaskLog, now, reading, tables, transaction
from models.db import once_more
from services import audit, catalog, checks
from services.enqueueing import check_needs, put, put_many
from services.errors import InvalidInput, NotFound, StaleTask
from services.lifecycle import acts, restart
from services.options import Options, chosen
from services.storage import in_words

log = structlog.get_logger(__name__)

LOG_PAGE = 1_000


@in_words
def enqueue(type_name: str, payload: dict[str, Any], options: Options | None = None, **named: Any) -> Task:
    """Accept one task; committed when this returns (or with the transaction it was called in).

    `named` are the fields of `Options`. Raises `InvalidInput` or `NotFound` before anything is written. With a
    `unique_key` that a live task has, returns that task with `deduplicated` set.
    """
    task_type = catalog.find(type_name)
    options = chosen(options, named)
    stored, _ = _checked(task_type, payload)
    return put(task_type, stored, options)


def check(type_name: str, payload: dict[str, Any], options: Options | None = None, **named: Any) -> None:
    """Refuse what `enqueue` would refuse, and write nothing. Raises `InvalidInput`, `NotFound`."""
    _checked(catalog.find(type_name), payload)
    check_needs(chosen(options, named))


@in_words
def enqueue_many(
    type_name: str, payloads: Iterable[dict[str, Any]], options: Options | None = None, **named: Any
) -> list[int]:
    """Accept many tasks of one type, in chunks of up to 1,000 (fewer where they are large), each chunk all or nothing;
    returns their ids in order.

    All payloads are checked first, so that bad input writes nothing. Inside `transaction()` all chunks are one.
    """
    task_type = catalog.find(type_name)
    options = chosen(options, named)
    if isinstance(payloads, str | bytes | dict) or not isinstance(payloads, Iterable):
        raise InvalidInput("payloads", f"{checks.shortened(payloads)} is not a list of payloads")
    checked, sizes = [], []
    for n, payload in enumerate(payloads):
        stored, size = _checked(task_type, payload, f"/{n}")
        checked.append(stored)
        sizes.append(size)
    return put_many(task_type, checked, sizes, options)


def _checked(task_type: Any, payload: Any, at: str = "") -> tuple[dict[str, Any], int]:
    """The payload as it is stored, and about how many characters it has. Raises `InvalidInput`."""
    if not isinstance(payload, dict):
        raise InvalidInput(f"payload{at}", f"{checks.shortened(payload)} is not an object with the type's arguments")
    try:
        stored = task_type.payload(payload)
    except InvalidInput as error:
        if not at:
            raise
        raise InvalidInput(f"payload{at}{error.field}", str(error).removeprefix(f"{error.field}: ")) from None
    size = len(str(stored))
    if size > checks.LARGEST_BYTES // 4:  # only then is it worth the exact measure
        checks.dumped(stored, f"payload{at}")
    return stored, size


def get(task_id: int) -> Task:
    """The task as it stands now. Raises `NotFound`."""
    checks.whole(task_id, "id", 1, 2**53)
    with reading() as session:
        task = session.execute(
            select(Task).where(tables.tasks.c.id == task_id).execution_options(populate_existing=True)
        ).scalar_one_or_none()
    if task is None:
        raise NotFound(f"there is no task #{task_id}")
    return task


def wait(task_id: int, timeout: float = 60.0) -> Task:
    """Wait until the task has ended, and return it. Raises `TimeoutError` after `timeout` seconds."""
    deadline = time.monotonic() + checks.seconds(timeout, "timeout", 0, 10**9)
    pause = 0.005
    while not (task := get(task_id)).finished:
        if time.monotonic() > deadline:
            raise TimeoutError(
                f"#{task_id} has not ended within {timeout:g} s: {task.waiting_for or task.status.value}"
            )
        time.sleep(min(pause, max(0.0, deadline - time.monotonic())))
        pause = min(pause * 1.5, 0.25)
    return task


def logs(
    task_id: int, *, after: tuple[int, int] = (0, -1), level: str | None = None, limit: int = LOG_PAGE
) -> list[TaskLog]:
    """The task's log, oldest first, from after (epoch, seq); at most `limit` lines, of this `level` or worse."""
    checks.whole(task_id, "id", 1, 2**53)
    checks.whole(limit, "limit", 1, 10 * LOG_PAGE)
    if not isinstance(after, tuple) or len(after) != 2:
        raise InvalidInput("after", f"{checks.shortened(after)} is not a pair of epoch and seq")
    epoch, seq = checks.whole(after[0], "after/0", 0, 2**31 - 1), checks.whole(after[1], "after/1", -1, 2**31 - 1)
    line = tables.task_logs.c
    later = (line.epoch > epoch) | ((line.epoch == epoch) & (line.seq > seq))
    wanted = select(TaskLog).where(line.task_id == task_id, later)
    if level is not None:
        levels = ["debug", "info", "warning", "error"]
        if level not in levels:
            raise InvalidInput("level", f"{checks.shortened(level)} is none of {', '.join(levels)}")
        wanted = wanted.where(line.level.in_(levels[levels.index(level) :]))
    with reading() as session:
        return list(session.execute(wanted.order_by(line.epoch, line.seq).limit(limit)).scalars())


@in_words
@once_more
def cancel(task_id: int, reason: str | None = None) -> Task:
    """Cancel what waits at once; ask what runs to stop. Raises `StaleTask` where it has ended."""
    reason = _reason(reason)
    with transaction() as session:
        before = acts.locked(session, task_id)
        audit.require_for(before)
        task = acts.cancel(session, task_id, str(audit.current()), reason)
        audit.record("cancel", "task", task_id, before=_state(before), after=_state(task), reason=reason)
    log.info("cancel", task=task_id, status=task.status.value, by=str(audit.current()))
    return task


@in_words
@once_more
def rerun(task_id: int, *, dependents: bool = False, reason: str | None = None) -> Task:
    """Run a failed or cancelled task again; with `dependents` also what was cancelled or held because of it."""
    reason = _reason(reason)
    with transaction() as session:
        before = acts.locked(session, task_id)
        audit.require_for(before)
        again = restart.rerun(session, task_id, dependents)
        changes = [(each, {"status": was}, {"status": is_}) for each, (was, is_) in again.items()]
        audit.record_many("rerun", "task", changes, reason)
        task = acts.locked(session, task_id)
    log.info("rerun", task=task_id, with_dependents=len(again) - 1, by=str(audit.current()))
    return task


def run_again(task_id: int, **changes: Any) -> Task:
    """A new task like this one, `rerun_of` it; `changes` may give a payload and options."""
    audit.require(Role.member)
    old = get(task_id)
    payload = changes.pop("payload", None)
    options = {
        "queue": old.queue, "priority": old.priority, "retries": old.max_tries - 1, "timeout": old.timeout_s,
        "title": old.title, "tags": old.tags, "project": old.project, "concurrency_key": old.concurrency_key,
        "context": old.body.context, "rerun_of": task_id, **changes,
    }  # fmt: skip
    return enqueue(old.type, old.body.payload if payload is None else payload, **options)


@in_words
@once_more
def release(task_id: int, reason: str | None = None) -> Task:
    """Let go of a held task. Raises `StaleTask` where nothing holds it."""
    reason = _reason(reason)
    with transaction() as session:
        before = acts.locked(session, task_id)
        audit.require_for(before)
        task = acts.let_go(session, task_id)
        audit.record(
            "release", "task", task_id, before={**_state(before), "held": before.held_reason}, after=_state(task),
            reason=reason,
        )  # fmt: skip
    return task


@in_words
@once_more
def reprioritise(task_id: int, priority: int, reason: str | None = None) -> Task:
    """Move a waiting task up or down the line. Raises `StaleTask` where it no longer waits."""
    checks.whole(priority, "priority", 1, 100)
    reason = _reason(reason)
    with transaction() as session:
        before = acts.locked(session, task_id)
        audit.require_for(before)
        if before.status not in (Status.pending, Status.queued):
            raise StaleTask(f"#{task_id} is {before.status.value}: its priority no longer matters")
        mine = tables.tasks.c.id == task_id
        session.execute(update(tables.tasks).where(mine).values(priority=priority, updated_at=now()))
        audit.record(
            "reprioritise", "task", task_id, before={"priority": before.priority}, after={"priority": priority},
            reason=reason,
        )  # fmt: skip
        return acts.locked(session, task_id)


def delete(task_id: int, reason: str | None = None) -> Task:
    """Hide a finished task from everybody; `restore` brings it back. Raises `StaleTask` while it lives."""
    return _hide(task_id, True, reason)


def restore(task_id: int, reason: str | None = None) -> Task:
    """Show a deleted task again."""
    return _hide(task_id, False, reason)


@in_words
@once_more
def _hide(task_id: int, hide: bool, reason: str | None) -> Task:
    reason = _reason(reason)
    with transaction() as session:
        task = acts.locked(session, task_id)
        audit.require_for(task)
        if hide and task.status not in FINISHED:
            raise StaleTask(f"#{task_id} is {task.status.value}; cancel it before deleting it")
        if hide == (task.deleted_at is not None):
            raise StaleTask(f"#{task_id} is {'already' if hide else 'not'} deleted")
        session.execute(
            update(tables.tasks).where(tables.tasks.c.id == task_id).values(deleted_at=now() if hide else None)
        )
        audit.record(
            "delete" if hide else "restore", "task", task_id, before={"deleted": not hide}, after={"deleted": hide},
            reason=reason,
        )  # fmt: skip
        return acts.locked(session, task_id)


def body(task_id: int) -> TaskBody:
    """The task's payload, context, result and error. Raises `NotFound`."""
    return get(task_id).body


def _reason(reason: str | None) -> str | None:
    return None if reason is None else checks.name(reason, "reason", 500)


def _state(task: Task) -> dict[str, Any]:
    return {"status": task.status.value, "cancel_requested": task.cancel_requested_at is not None}
