"""The text index: which words each task has. Filled by a loop, so that neither `enqueue` nor an ending pays for it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Text, cast, func, select, text, update
from sqlmodel import Session

from models import Status, now, reading, tables, transaction
from models.db import is_postgresql
from models.search import SearchMark
from models.upsert import insert_missing
from services import fulltext, secrecy, words
from settings import settings

BATCH = 250  # on SQLite, the write lock is held for about 0.1 s
SPAN = 50_000  # ids looked through once more in one go
LATE = timedelta(minutes=1)  # how late the ending of a failed attempt may be committed, at least
READ = 4_000  # characters of a payload that are read …
KEPT = 500  # … and of payload and error that are kept

ANYTHING = text("""
    SELECT newest, settled,
        EXISTS (SELECT 1 FROM tasks WHERE id > newest) AS is_new,
        EXISTS (
            SELECT 1 FROM tasks JOIN task_search ON task_id = tasks.id
            WHERE status = 'failed' AND finished_at > failed_at AND as_of <> finished_at
        ) AS has_failed
    FROM search_mark WHERE search_mark.id = 1
""")
OPEN = text(
    "SELECT cast(cast(pg_snapshot_xmin(s) AS text) AS bigint), cast(cast(pg_snapshot_xmax(s) AS text) AS bigint) "
    "FROM pg_current_snapshot() AS s"
)
_mark = SearchMark.__table__.c  # type: ignore[attr-defined]


class _Mark(NamedTuple):
    """The columns of `SearchMark`, as they are before the first look."""

    id: int = 1
    newest: int = 0
    settled: int = 0
    look_until: int | None = None
    look_xid: int | None = None
    failed_at: datetime | None = None


@dataclass
class _Look:
    """What one look found, and the mark that goes with it."""

    mark: _Mark
    ids: list[int] = field(default_factory=list)
    after: dict[str, Any] = field(default_factory=dict)


def index(limit: int = BATCH) -> int:
    """Index tasks that are new, and failed ones whose error is new. Returns how many.

    Several processes may try at once: what was read is thrown away where another was faster. Nothing is written while
    there is nothing new.
    """
    with reading() as session:
        if _up_to_date(session):
            return 0
        look = _look(session, limit)
        rows = _rows(session, look.ids)
    entries = [_entry(row) for row in rows]
    with transaction() as session:
        if not look.after or not _advance(session, look):
            return 0
        fulltext.store(session, entries)
    return len(entries)


def _up_to_date(session: Session) -> bool:
    """One cheap question, asked every two seconds for ever."""
    row = session.execute(ANYTHING).one_or_none()
    return row is not None and row.settled == row.newest and not row.is_new and not row.has_failed


def _look(session: Session, limit: int) -> _Look:
    row = session.execute(select(*(_mark[name] for name in _Mark._fields)).where(_mark.id == 1)).one_or_none()
    mark = _Mark(*row) if row else _Mark()
    look = _Look(mark)
    t = tables.tasks.c
    look.ids = list(session.execute(select(t.id).where(t.id > mark.newest).order_by(t.id).limit(limit)).scalars())
    if look.ids:
        look.after["newest"] = look.ids[-1]
    if is_postgresql():
        _look_again(session, mark, look, limit)
    else:
        look.after["settled"] = look.after.get("newest", mark.newest)  # one writer: ids come in their order
    started_at = now()
    failed = _failed(session, mark.failed_at, limit)
    look.ids += failed
    if len(failed) < limit:
        # An ending bears the time at which its body ended, and is committed a little later: a lease at most
        look.after["failed_at"] = started_at - max(LATE, timedelta(seconds=3 * settings().lease_s))
    return look


def _look_again(session: Session, mark: _Mark, look: _Look, limit: int) -> None:
    """Find what was committed after a higher id had been indexed, once nothing older can still be committed."""
    if mark.newest == mark.settled:
        return
    oldest, next_ = session.execute(OPEN).one()
    if mark.look_until is None or mark.look_xid is None:
        look.after |= {"look_until": mark.newest, "look_xid": next_}
    elif oldest >= mark.look_xid:
        until = min(mark.look_until, mark.settled + SPAN)
        late = _not_indexed(session, mark.settled, until, limit)
        look.ids += late
        if len(late) < limit:
            look.after["settled"] = until
            if until == mark.look_until:
                look.after |= {"look_until": None, "look_xid": None}


def _not_indexed(session: Session, above: int, until: int, limit: int) -> list[int]:
    t, s = tables.tasks.c, tables.task_search.c
    missing = (
        select(t.id)
        .outerjoin_from(tables.tasks, tables.task_search, s.task_id == t.id)
        .where(t.id > above, t.id <= until, s.task_id.is_(None))
        .order_by(t.id)
        .limit(limit)
    )
    return list(session.execute(missing).scalars())


def _failed(session: Session, since: datetime | None, limit: int) -> list[int]:
    """Failed tasks that were indexed before they failed (or failed otherwise), oldest failure first."""
    if since is None:
        return []
    t, s = tables.tasks.c, tables.task_search.c
    stale = (
        select(t.id)
        .join_from(tables.tasks, tables.task_search, s.task_id == t.id)
        .where(text("tasks.status = 'failed'"), t.finished_at > since, s.as_of != t.finished_at)
        .order_by(t.finished_at)
        .limit(limit)
    )
    return list(session.execute(stale).scalars())


def _rows(session: Session, ids: Collection[int]) -> Sequence[Any]:
    if not ids:
        return []
    t, b = tables.tasks.c, tables.task_bodies.c
    query = (
        select(
            t.id, t.type, t.title, t.tags, t.status, t.error_class, t.created_at, t.finished_at,
            func.substr(b.error_text, 1, KEPT).label("error"),
            func.substr(cast(b.payload, Text), 1, READ).label("payload"),
        )
        .outerjoin_from(tables.tasks, tables.task_bodies, b.task_id == t.id)
        .where(t.id.in_(ids))
        .order_by(t.id)
    )  # fmt: skip
    return session.execute(query).all()


def _entry(row: Any) -> dict[str, Any]:
    """A task's row of the index. A failed task's `as_of` is its failure, so that a later one is told from it."""
    failed = row.status is Status.failed
    parts = [str(row.id), row.type, row.title, *row.tags]
    if failed:
        parts += [row.error_class or "", row.error or ""]
    parts.append(secrecy.text(words.of_json(row.payload or "", secrecy.is_secret))[:KEPT])
    written = words.plain("\n".join(parts))
    return {
        "task_id": row.id, "words": written.casefold(), "as_of": row.finished_at if failed else row.created_at,
        "lexemes": words.of(written),
    }  # fmt: skip


def _advance(session: Session, look: _Look) -> bool:
    """Move the mark on, unless somebody else did so since it was read."""
    if look.mark == _Mark():
        insert_missing(session, SearchMark, [_Mark()._asdict()])
    unchanged = [_mark[name].is_not_distinct_from(value) for name, value in look.mark._asdict().items()]
    moved = session.execute(update(SearchMark).where(*unchanged).values(**look.after))
    return bool(moved.rowcount)  # type: ignore[attr-defined]
