"""How an accepted task comes into the ledger: its parents, its key, its provenance."""

from collections.abc import Sequence
from typing import Any

import structlog
from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from models import KeyLimit, Role, Status, Task, now, reading, tables, transaction
from models.as_read import as_read
from models.db import once_more
from models.task import LIVE_WITH_KEY
from models.upsert import insert_missing, upsert
from services import audit, estimates
from services.errors import InvalidInput
from services.lifecycle import acts, create, needs
from services.lifecycle.batch import portions
from services.options import Options
from services.origin import origin

log = structlog.get_logger(__name__)

CHUNK = 1_000  # tasks a transaction: SQLite's only writer must not be held for long
CHUNK_OF_EDGES = 10_000  # and as many needs
ROUNDS = 3


@once_more
def put(task_type: Any, payload: dict[str, Any], options: Options) -> Task:
    """Write a task that was checked, or find the live one with its unique key."""
    with transaction(single=_stands_alone(options)) as session:
        audit.require(Role.member)
        if options.unique_key is not None:
            return _put_unless_live(session, task_type, payload, options)
        return _put_one(session, task_type, payload, options)


def _stands_alone(options: Options) -> bool:
    """Nothing is looked at, locked or told before or after the task is written."""
    return options.unique_key is None and options.concurrency_key is None and not options.needed_ids


def _put_unless_live(session: Session, task_type: Any, payload: dict[str, Any], options: Options) -> Task:
    """The same, unless a live task has the key: then that one."""
    create.register_queue(session, options.queue or task_type.queue)  # outside of what may be rolled back
    for _ in range(ROUNDS):
        live = _live(session, task_type.name, options.unique_key)
        if live is not None:
            return _same(live, payload)
        try:
            with session.begin_nested():
                return _put_one(session, task_type, payload, options)
        except IntegrityError as error:  # somebody was faster; and may have ended meanwhile
            faster = error
    raise faster


def _put_one(session: Session, task_type: Any, payload: dict[str, Any], options: Options) -> Task:
    (made,), columns = _write(session, task_type, [payload], options)
    if options.needed_ids:  # what it needs may have told it something already
        return acts.locked(session, made)
    return as_read(Task, {"id": made, **columns})


def put_many(task_type: Any, payloads: Sequence[dict[str, Any]], sizes: Sequence[int], options: Options) -> list[int]:
    """Write many tasks in chunks, a transaction each (or all in the open one); returns their ids.

    `sizes`: about how many characters each payload has.
    """
    if options.unique_key is not None:
        raise InvalidInput("unique_key", "is for one task; enqueue them one by one")
    ids: list[int] = []
    chunk = max(1, min(CHUNK, CHUNK_OF_EDGES // max(1, len(options.needed_ids))))
    beside = len(str(options.context))
    for portion in portions([size + beside for size in sizes], chunk):
        ids += _put_chunk(task_type, payloads[portion], options)
    return ids


@once_more
def _put_chunk(task_type: Any, payloads: Sequence[dict[str, Any]], options: Options) -> list[int]:
    with transaction() as session:
        audit.require(Role.member)
        return _write(session, task_type, payloads, options)[0]


def _write(
    session: Session, task_type: Any, payloads: Sequence[dict[str, Any]], options: Options
) -> tuple[list[int], dict[str, Any]]:
    """The new tasks' ids, and the columns they share."""
    _set_key_limit(session, options)
    parents = _parents(session, options.needed_ids)
    unmet = [row.id for row in parents if row.status is not Status.completed]
    broken = {row.id: row.status for row in parents if row.status in (Status.failed, Status.cancelled)}
    common = {
        **options.columns(task_type), **_provenance(), "waits_on": len(unmet),
        "estimated_duration_s": estimates.estimate_s(task_type.name, task_type.estimate_s),
    }  # fmt: skip
    if parents and common.get("root_id") is None:
        common["root_id"] = parents[0].root_id or parents[0].id
    columns = create.columns_of(common)
    ids = create.insert_tasks(session, columns, [{"payload": p, "context": options.context} for p in payloads])
    at = now()
    edges = [
        {"child": child, "parent": row.id, "settled_at": None if row.id in unmet else at}
        for child in ids
        for row in parents
    ]
    if edges:
        session.execute(insert(tables.task_needs), edges)
    if broken:  # accepted, and told at once what it needs has come to: the caller sees why
        needs.tell(session, [(child, parent) for child in ids for parent in broken], broken)
    return ids, columns


def _parents(session: Session, ids: Sequence[int]) -> Sequence[Any]:
    """The needed tasks, locked against ending meanwhile. Raises `InvalidInput` for unknown ones."""
    if not ids:
        return []
    # A lighter lock would let a parent end unseen, and strand the child
    rows = session.execute(_needed(ids).with_for_update(read=True)).all()
    _refuse_unknown(ids, rows)
    return rows


def check_needs(options: Options) -> None:
    """Refuse needs that there are not, and lock nothing. Raises `InvalidInput`."""
    if options.needed_ids:
        with reading() as session:
            _refuse_unknown(options.needed_ids, session.execute(_needed(options.needed_ids)).all())


def _needed(ids: Sequence[int]) -> Any:
    t = tables.tasks.c
    return select(t.id, t.status, t.root_id).where(t.id.in_(ids), t.deleted_at.is_(None)).order_by(t.id)


def _refuse_unknown(ids: Sequence[int], rows: Sequence[Any]) -> None:
    unknown = sorted(set(ids) - {row.id for row in rows})
    if unknown:
        shown = ", ".join(f"#{i}" for i in unknown[:5]) + ("…" if len(unknown) > 5 else "")
        raise InvalidInput("needs", f"there is no task {shown}; a task can only need tasks that exist already")


def _live(session: Session, type_name: str, key: str | None) -> Task | None:
    query = select(Task).where(tables.tasks.c.type == type_name, tables.tasks.c.unique_key == key, text(LIVE_WITH_KEY))
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
    key, most = options.concurrency_key, options.max_running
    known = session.execute(select(tables.key_limits.c.max_running).where(tables.key_limits.c.key == key)).scalar()
    if known is None:
        insert_missing(session, KeyLimit, [{"key": key, "max_running": most or 1}])
    if most not in (None, known):  # only then: the row stays locked, and workers wait for it
        upsert(session, KeyLimit, [{"key": key, "max_running": most}])


def _provenance() -> dict[str, Any]:
    """Who made it: the body that runs here, else the acting person or program."""
    actor, maker = audit.current(), origin.get()
    if maker is not None:
        return {
            "created_by_kind": "task", "created_by_id": str(maker.task_id), "parent_id": maker.task_id,
            "root_id": maker.root_id or maker.task_id, "owner": maker.owner,
        }  # fmt: skip
    return {"created_by_kind": actor.kind, "created_by_id": actor.id, "owner": actor.operator_id}
