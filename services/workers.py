"""The processes that beat: who lives, who was asked to stop, who died."""

import hashlib
import os
import socket
import uuid
from collections.abc import Iterable
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import psutil
import structlog
from sqlalchemy import Row, bindparam, func, insert, select, update

from models import Role, Worker, now, reading, tables, transaction
from models.base import follow_clock
from models.db import is_postgresql
from models.schema import CODE
from services import audit, checks, marks
from services.errors import NotFound, StaleTask
from services.lifecycle import rescue
from services.lifecycle.batch import per_database
from settings import settings

log = structlog.get_logger(__name__)


@lru_cache(1)
def boot_id() -> str:
    """Identifies where and when a pid means something: this boot of this machine, and this container on it."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        container = Path("/proc/self/ns/pid").stat().st_ino
    except OSError:
        return "unknown"
    return hashlib.sha256(f"{boot} {container}".encode()).hexdigest()[:40]


def register(
    kind: str = "worker",
    *,
    queues: Iterable[str] | None = None,
    types: Iterable[str] = (),
    threads: int = 1,
) -> str:
    """Write this process down; returns its name, unique for ever."""
    host = socket.gethostname()[:60]
    name = f"{host}-{os.getpid()}-{uuid.uuid4().hex[:6]}"
    row = {
        "name": name, "kind": kind, "host": host, "pid": os.getpid(), "boot_id": boot_id(),
        "code_version": settings().version[:100], "queues": None if queues is None else sorted(queues),
        "types": sorted(types), "threads": threads, "busy": 0, "started_at": now(), "last_beat_at": now(),
    }  # fmt: skip
    with transaction() as session:
        session.execute(insert(tables.workers).values(row))
    log.info("started", process=name, kind=kind, threads=threads)
    return name


def beat(name: str, *, busy: int = 0, rss: int | None = None) -> Row | None:
    """Show that the process lives, and keep step with the database's clock; returns its row's (stop_requested_at,)."""
    with transaction() as session:
        values: dict[str, Any] = {"worker": name, "busy": busy, "rss": rss, "at": now()}
        row = session.execute(_beat_statement(), values).first()
    if row is not None and is_postgresql():
        follow_clock(row.clock)
    return row


@per_database
def _beat_statement() -> Any:
    w = tables.workers.c
    clock = [func.clock_timestamp().label("clock")] if is_postgresql() else []
    values: dict[str, Any] = {"busy": bindparam("busy"), "rss": bindparam("rss"), "last_beat_at": bindparam("at")}
    beating = update(tables.workers).where(w.name == bindparam("worker")).values(values)
    return beating.returning(w.stop_requested_at, *clock)


def draining(name: str) -> None:
    """Show that the process takes no more work."""
    _set(name, draining_at=now())


def goodbye(name: str, why: str) -> None:
    """The process ends in good order."""
    _set(name, stopped_at=now(), busy=0, stop_reason=why[:200])
    log.info("stopped", process=name, why=why)


def request_stop(name: str, reason: str | None = None) -> None:
    """Ask a worker to finish what it has and end (its supervisor starts another). Raises `NotFound`, `StaleTask`."""
    audit.require(Role.operator)
    with transaction() as session:
        row = session.get(Worker, name)
        if row is None:
            raise NotFound(f"there is no worker {checks.shortened(name)}")
        if row.stopped_at is not None:
            raise StaleTask(f"worker {name} has stopped already")
        row.stop_requested_at = now()
        audit.record("stop", "worker", name, reason=reason)


def report_death(pid: int, why: str = "its process died") -> int:
    """A supervisor's word that one of this machine's processes is gone: its tasks are taken back at once.

    Returns how many tasks.
    """
    with reading() as session:
        w = tables.workers.c
        names = session.execute(
            select(w.name).where(
                w.pid == pid, w.host == socket.gethostname()[:60], w.boot_id == boot_id(), w.stopped_at.is_(None)
            )
        ).scalars().all()  # fmt: skip
    return sum(_bury(name, why) for name in names)


def bury_the_dead_here() -> int:
    """At a start on this machine: take back the tasks of its workers whose processes no longer exist.

    Those of another boot are left to their leases: another machine or container may have the same name, and live.
    """
    with reading() as session:
        w = tables.workers.c
        rows = session.execute(
            select(w.name, w.pid).where(
                w.host == socket.gethostname()[:60], w.boot_id == boot_id(), w.stopped_at.is_(None)
            )
        ).all()
    dead = [row for row in rows if _gone(row.pid)]
    return sum(_bury(row.name, "its process was gone when another started here") for row in dead)


def alive(kind: str | None = "worker") -> list[Worker]:
    """The processes that beat within three leases and have not stopped."""
    since = now() - timedelta(seconds=3 * settings().lease_s)
    query = select(Worker).where(Worker.stopped_at.is_(None), Worker.last_beat_at > since)  # type: ignore[union-attr,arg-type]
    if kind is not None:
        query = query.where(Worker.kind == kind)  # type: ignore[arg-type]
    with reading() as session:
        return list(session.execute(query.order_by(Worker.name)).scalars())


def too_old() -> bool:
    """Whether the ledger has moved on to a schema that this code must not work on."""
    with reading() as session:
        floor = session.execute(select(tables.schema_floor.c.floor)).scalar()
    return floor is not None and floor > CODE


def _gone(pid: int) -> bool:
    """Whether the process has ended; until its parent has looked, the system still lists it."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:  # it is there, and somebody else's
        return False


def _bury(name: str, why: str) -> int:
    """By the first who comes, as its marks can be taken once; should that one die over it, the leases run out."""
    buried = update(tables.workers).where(tables.workers.c.name == name, tables.workers.c.stopped_at.is_(None))
    with transaction() as session:
        if not session.execute(buried.values(stopped_at=now(), busy=0, stop_reason=why[:200])).rowcount:  # type: ignore[attr-defined]
            return 0
    taken = rescue.bury(name, marks.take(name), why)
    log.warning("worker died", process=name, why=why, tasks_taken_back=taken)
    return taken


def _set(name: str, **values: object) -> None:
    with transaction() as session:
        session.execute(update(tables.workers).where(tables.workers.c.name == name).values(**values))
