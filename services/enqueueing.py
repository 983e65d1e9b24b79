"""How an accepted task comes into the ledger: its parents, its key, its provenance."""

from collections.abc import Sequence
from typing import Any

import structlog
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from models import LIVE, KeyLimit, OnParentFailure, Role, Status, Task, now, tables, transaction
from models.upsert import insert_missing, upsert
from services import audit, estimates
from services.errors import InvalidInput
from services.lifecycle import acts
from services.lifecycle.create import create
from services.options import Options
from services.origin import origin

log = structlog.get_logger(__name__)

CHUNK = 1_000  # rows a transaction: SQLite's only writer must not be held for long


def put(task_type: Any, payloads: Sequence[dict[str, Any]], options: Options) -> list[Task]:
    """Write tasks that were checked, all in one transaction."""
    estimate = estimates.estimate_s(task_type.name, task_type.estimate_s)
    audit.require(Role.member)
    with transaction() as session:
        if options.unique_key is not None and (live := _live(session, task_type.name, options.unique_key)):
            return [_same(live, payloads[0])]
        common = {**options.columns(task_type), **_provenance(), "estimated_duration_s": estimate}
        bodies = [{"payload": payload, "context": options.context} for payload in payloads]
        _set_key_limit(session, options)
        try:
            with session.begin_nested():
                ids = _write(session, common, bodies, options)
        except IntegrityError:
            live = options.unique_key and _live(session, task_type.name, options.unique_key)
            if not live:  # another constraint; or the key was freed again meanwhile
                raise
            return [_same(live, payloads[0])]
        return [acts.locked(session, i) for i in ids]


def put_many(task_type: Any, payloads: Sequence[dict[str, Any]], options: Options) -> list[int]:
    """Write many tasks in chunks, a transaction each (or all in the open one); returns their ids."""
    if options.unique_key is not None:
        raise InvalidInput("unique_key", "is for one task; enqueue them one by one")
    audit.require(Role.member)
    estimate = estimates.estimate_s(task_type.name, task_type.estimate_s)
    ids: list[int] = []
    for start in range(0, len(payloads), CHUNK):
        with transaction() as session:
            common = {**options.columns(task_type), **_provenance(), "estimated_duration_s": estimate}
            _set_key_limit(session, options)
            chunk = payloads[start : start + CHUNK]
            ids += _write(session, common, [{"payload": p, "context": options.context} for p in chunk], options)
    return ids


def _write(session: Session, common: dict[str, Any], bodies: Sequence[dict[str, Any]], options: Options) -> list[int]:
    parents = _parents(session, options.needed_ids)
    open_parents = [row.id for row in parents if row.status in LIVE]
    broken = [row for row in parents if row.status in (Status.failed, Status.cancelled)]
    common["waits_on"] = len(open_parents)
    if parents and common.get("root_id") is None:
        common["root_id"] = parents[0].root_id or parents[0].id
    if broken and options.on_parent_failure == OnParentFailure.hold:
        common["held_reason"] = _because(broken[0])
    ids = create(session, common, bodies)
    at = now()
    edges = [
        {"child": child, "parent": row.id, "settled_at": None if row.status in LIVE else at}
        for child in ids
        for row in parents
    ]
    if edges:
        session.execute(insert(tables.task_needs), edges)
    if broken and options.on_parent_failure == OnParentFailure.cancel:
        for child in ids:  # accepted, and cancelled at once: the caller sees why
            acts.cancel(session, child, "system", _because(broken[0]))
    return ids


def _parents(session: Session, ids: Sequence[int]) -> Sequence[Any]:
    """The needed tasks, locked against ending meanwhile. Raises `InvalidInput` for unknown ones."""
    if not ids:
        return []
    query = (
        select(Task.id, Task.status, Task.root_id)
        .where(Task.id.in_(ids), Task.deleted_at.is_(None))  # type: ignore[union-attr]
        .order_by(Task.id)  # type: ignore[arg-type]
        .with_for_update(read=True)  # a lighter lock would let a parent end unseen, and strand the child
    )
    rows = session.execute(query).all()
    unknown = sorted(set(ids) - {row.id for row in rows})
    if unknown:
        shown = ", ".join(f"#{i}" for i in unknown[:5]) + ("…" if len(unknown) > 5 else "")
        raise InvalidInput("needs", f"there is no task {shown}; a task can only need tasks that exist already")
    return rows


def _because(parent: Any) -> str:
    return f"needs #{parent.id}, which {'failed' if parent.status is Status.failed else 'was cancelled'}"


def _live(session: Session, type_name: str, key: str) -> Task | None:
    query = select(Task).where(Task.type == type_name, Task.unique_key == key, Task.status.in_(LIVE))  # type: ignore[attr-defined]
    live = session.execute(query.execution_options(populate_existing=True)).scalar_one_or_none()
    if live is not None:
        session.expunge(live)
    return live


def _same(live: Task, payload: dict[str, Any]) -> Task:
    live._deduplicated = True
    if live.body.payload != payload:
        log.warning(
            "deduplicated, although the arguments differ: the live task keeps its own",
            task=live.id, type=live.type, unique_key=live.unique_key,
        )  # fmt: skip
    return live


def _set_key_limit(session: Session, options: Options) -> None:
    """The key's gate must exist before anybody can lock it."""
    if options.concurrency_key is None:
        return
    if options.max_running is None:
        insert_missing(session, KeyLimit, [{"key": options.concurrency_key, "max_running": 1}])
    else:
        upsert(session, KeyLimit, [{"key": options.concurrency_key, "max_running": options.max_running}])


def _provenance() -> dict[str, Any]:
    """Who made it: the body that runs here, else the acting person or program."""
    actor, maker = audit.current(), origin.get()
    if maker is not None:
        return {
            "created_by_kind": "task", "created_by_id": str(maker.task_id), "parent_id": maker.task_id,
            "root_id": maker.root_id or maker.task_id, "owner": maker.owner,
        }  # fmt: skip
    return {"created_by_kind": actor.kind, "created_by_id": actor.id, "owner": actor.operator_id}
