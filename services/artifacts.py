"""Files that tasks make, or that people hand to them: write-once, stored under our own ids, shown once they count.

`store` needs no database, so that an isolated child can write its file itself; `record` writes the row.
"""

import hashlib
import uuid
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

import structlog
from sqlalchemy import Select, delete, insert, literal, or_, select
from sqlmodel import Session

from models import Artifact, Role, Status, after_commit, now, reading, tables, transaction
from providers.store import CHUNK
from providers.store import store as _store
from services import audit, checks, filenames, plain_file
from services.errors import InvalidInput, NotFound, StaleTask
from services.lifecycle.batch import still
from services.storage import files_in_words, in_words

log = structlog.get_logger(__name__)

ORPHAN_AFTER = timedelta(days=1)  # a file whose row is still to be written is younger

_artifact = tables.artifacts.c
_task = tables.tasks.c

Content = bytes | bytearray | memoryview | Path | IO[bytes]


@dataclass(frozen=True, slots=True)
class Stored:
    """A file that lies in the store, and has no row yet."""

    uri: str
    size: int  # bytes
    sha256: str
    media_type: str
    name: str


def save(
    name: str, data: Content, media_type: str | None = None, task: int | None = None, epoch: int | None = None
) -> Artifact:
    """Store a file and write its row. Without a task it was handed in by the acting person."""
    if task is None:
        audit.require(Role.member)
    return record(store(name, data, media_type, task, epoch), task, epoch)


def store(
    name: str, data: Content, media_type: str | None = None, task: int | None = None, epoch: int | None = None
) -> Stored:
    """Write the file, durably; no database is asked.

    Raises `InvalidInput` for a name or media type that cannot be, `Unwritable` where the store is full.
    """
    name, media_type = filenames.checked(name), filenames.media_type(name, media_type)
    if (task is None) != (epoch is None):
        raise InvalidInput("epoch", "a task's file belongs to one of its attempts; give both task and epoch")
    key = f"inputs/{uuid.uuid4().hex}" if task is None else f"{task}/{epoch}/{uuid.uuid4().hex}"
    measured = _Measured()
    if isinstance(data, Path):
        with plain_file.opened(data, "data") as file:
            _put(key, measured.chunks(file.read))
    elif isinstance(data, bytes | bytearray | memoryview):
        _put(key, measured.parts(memoryview(data).cast("B")))
    else:
        _put(key, measured.chunks(data.read))
    return Stored(key, measured.size, measured.digest.hexdigest(), media_type, name)


@in_words
def record(stored: Stored, task_id: int | None = None, epoch: int | None = None) -> Artifact:
    """Write the row of a stored file. Raises `StaleTask` where the attempt no longer owns the task."""
    values = {
        "task_id": task_id, "epoch": epoch, "name": stored.name, "media_type": stored.media_type, "size": stored.size,
        "sha256": stored.sha256, "uri": stored.uri, "created_at": now(), "owner": audit.current().operator_id,
    }  # fmt: skip
    with transaction() as session:
        if task_id is None:
            made = insert(tables.artifacts).values(values).returning(_artifact.id, _artifact.owner)
        else:
            made = _fenced(values, task_id, epoch).returning(_artifact.id, _artifact.owner)
        row = session.execute(made).one_or_none()
        if row is None:
            raise StaleTask(f"attempt {epoch} no longer owns task #{task_id}: {stored.name} is not kept")
        if task_id is None:
            audit.record("upload", "artifact", row.id, after={"name": stored.name, "size": stored.size})
    return Artifact(**{**values, "id": row.id, "owner": row.owner})


def get(artifact_id: int) -> Artifact:
    """The row, visible or not. Raises `NotFound`."""
    return _one(artifact_id, select(Artifact))


def visible(artifact_id: int) -> Artifact:
    """The row of a file that was handed in, or whose attempt completed: what may be shown. Raises `NotFound`."""
    return _one(artifact_id, _visible())


def of_task(task_id: int) -> list[Artifact]:
    """The files of the attempt that completed, oldest first; none before that."""
    checks.whole(task_id, "task_id", 1, 2**53)
    with reading() as session:
        return list(
            session.execute(_visible().where(_artifact.task_id == task_id).order_by(_artifact.id)).scalars()
        )  # fmt: skip


def open_local(artifact_id: int) -> Path:
    """A file of this machine with the content, for reading: the stored one, or a private copy of it."""
    return _kept(get(artifact_id), lambda uri: _store().local(uri))


def read(artifact_id: int) -> bytes:
    """The content."""
    return _kept(get(artifact_id), lambda uri: _store().read(uri))


def delete_of_tasks(session: Session, task_ids: Collection[int]) -> int:
    """Delete the rows of these tasks' files, and the files once that is committed. Returns how many."""
    gone = delete(tables.artifacts).where(_artifact.task_id.in_(task_ids)).returning(_artifact.uri)
    uris = session.execute(gone).scalars().all()
    if uris:
        after_commit(lambda: _delete_files(uris))
    return len(uris)


def sweep(older_than: timedelta = ORPHAN_AFTER) -> int:
    """Delete files without a row: their attempt was cut, or their deletion was. Returns how many."""
    before = now() - older_than
    batch: list[str] = []
    done = 0
    for key, written_at in _store().listed():
        if written_at < before:
            batch.append(key)
        if len(batch) == 500:
            done += _delete_orphans(batch)
            batch = []
    return done + _delete_orphans(batch)


def _put(key: str, chunks: Iterator[bytes]) -> None:
    with files_in_words():
        _store().put(key, chunks)


class _Measured:
    """Counts and hashes what goes by."""

    def __init__(self) -> None:
        self.size = 0
        self.digest = hashlib.sha256()

    def chunks(self, read: Callable[[int], bytes]) -> Iterator[bytes]:
        while chunk := read(CHUNK):
            if not isinstance(chunk, bytes):
                raise InvalidInput("data", "the file is open as text; open it in binary mode")
            self._note(chunk)
            yield chunk

    def parts(self, data: memoryview) -> Iterator[bytes]:
        for start in range(0, len(data), CHUNK):
            part = bytes(data[start : start + CHUNK])
            self._note(part)
            yield part

    def _note(self, chunk: bytes) -> None:
        self.size += len(chunk)
        self.digest.update(chunk)


def _fenced(values: dict[str, Any], task_id: int, epoch: int | None) -> Any:
    """An insert that finds nothing to insert for an attempt that is over."""
    columns = [literal(v, _artifact[n].type).label(n) for n, v in values.items() if n != "owner"]
    mine = select(*columns, _task.owner).where(_task.id == task_id, _task.epoch == epoch, still(_task, "running"))
    return insert(tables.artifacts).from_select([c.key for c in columns] + ["owner"], mine, include_defaults=False)


def _visible() -> Select[Artifact]:
    counts = (_task.status == Status.completed) & (_task.epoch == _artifact.epoch)
    return (
        select(Artifact)
        .outerjoin_from(tables.artifacts, tables.tasks, _task.id == _artifact.task_id)
        .where(or_(_artifact.task_id.is_(None), counts))
    )


def _one(artifact_id: int, query: Select[Artifact]) -> Artifact:
    checks.whole(artifact_id, "artifact", 1, 2**53)
    with reading() as session:
        found = session.execute(query.where(_artifact.id == artifact_id)).scalar_one_or_none()
    if found is None:
        raise NotFound(f"there is no artifact {artifact_id}")
    return found


def _kept(artifact: Artifact, fetch: Callable[[str], Any]) -> Any:
    try:
        return fetch(artifact.uri)
    except FileNotFoundError:
        raise NotFound(f"the file of artifact {artifact.id} ({artifact.name}) is gone from the store") from None


def _delete_files(uris: Collection[str]) -> None:
    try:
        _store().delete(uris)
    except Exception as error:  # the rows are gone: what remains is an orphan, and swept later
        log.warning("files of artifacts could not be deleted yet", count=len(uris), error=str(error))


def _delete_orphans(keys: Collection[str]) -> int:
    if not keys:
        return 0
    tasks = {int(key.partition("/")[0]) for key in keys if not key.startswith("inputs/")}
    with reading() as session:
        of_these = or_(_artifact.task_id.in_(tasks), _artifact.task_id.is_(None) & _artifact.uri.in_(keys))
        known = set(session.execute(select(_artifact.uri).where(of_these)).scalars())
    orphans = [key for key in keys if key not in known]
    _store().delete(orphans)
    return len(orphans)
