"""In words: why a task has not started. A few bounded look-ups by index, whatever the size of the ledger."""

from datetime import UTC, datetime, timedelta, tzinfo

from sqlalchemy import select, text
from sqlmodel import Session

from models import tables
from models.base import now
from models.db import reading
from models.queue import KeyLimit, Queue
from models.status import Status
from models.task import IN_LINE, RUNNING, RUNNING_WITH_KEY, Task
from settings import settings

FARTHEST = 10_000  # places in line that are counted
LIVE_LEASES = 3  # a worker that was silent for so many leases is not counted on

# Two ranges of `ix_tasks_line` instead of one OR, which no index answers
AHEAD = text(f"""
    SELECT (SELECT count(*) FROM (SELECT 1 FROM tasks
              WHERE queue = :queue AND {IN_LINE} AND priority > :priority LIMIT :most) AS higher)
         + (SELECT count(*) FROM (SELECT 1 FROM tasks
              WHERE queue = :queue AND {IN_LINE} AND priority = :priority AND id < :id LIMIT :most) AS earlier)
""")
RUNNING_OF_QUEUE = text(f"SELECT count(*) FROM tasks WHERE queue = :queue AND {RUNNING}")
RUNNING_OF_KEY = text(f"SELECT count(*) FROM tasks WHERE concurrency_key = :key AND {RUNNING_WITH_KEY}")


def reason(task: Task, zone: tzinfo = UTC) -> str | None:
    """Why it has not started, with times in `zone`; None for a task that runs or has ended."""
    if task.status is Status.pending:
        return _of_its_own(task, zone)
    if task.status is Status.queued:
        with reading():
            return obstacle(task) or in_line(task)
    return None


def obstacle(task: Task) -> str | None:
    """What keeps a task in line from starting though it were the next; the same for all that are `alike`."""
    with reading() as session:
        return _limited(session, task) or _nobody(session, task)


def alike(task: Task) -> tuple[object, ...]:
    """What its obstacle depends on."""
    return task.queue, task.type, task.concurrency_key, task.parked


def in_line(task: Task) -> str:
    """Its place in line, in words."""
    with reading() as session:
        return _in_words(place(session, task.queue, task.priority, task.id or 0))


def place(session: Session, queue: str, priority: int, task_id: int) -> int:
    """Its place among the tasks of its queue that are in line, from 1; FARTHEST + 1 for all that are farther back."""
    values = {"queue": queue, "priority": priority, "id": task_id, "most": FARTHEST}
    return min(session.execute(AHEAD, values).scalar_one(), FARTHEST) + 1


def at(moment: datetime, zone: tzinfo = UTC) -> str:
    """A time as people say it: the hour alone when it is today, with its zone unless that is the reader's own."""
    local, today = moment.astimezone(zone), now().astimezone(zone)
    clock = f"{local:%H:%M}" + (" UTC" if zone is UTC else "")
    if local.date() == today.date():
        return clock
    year = f" {local.year}" if local.year != today.year else ""
    return f"{local.day} {local:%b}{year} {clock}"


def _of_its_own(task: Task, zone: tzinfo) -> str:
    if task.held_reason is not None:
        return f"held: {task.held_reason}"
    if task.waits_on > 0:
        return _needs(task)
    if task.run_at <= now():
        return "its time has come: it joins the line within a second"
    if task.tries > 0:
        return f"retry {task.tries} of {task.max_tries - 1} at {at(task.run_at, zone)}"
    return f"starts at {at(task.run_at, zone)}"


def _needs(task: Task) -> str:
    c = tables.task_needs.c
    open_edges = select(c.parent).where(c.child == task.id, c.settled_at.is_(None)).order_by(c.parent).limit(1)
    with reading() as session:
        first = session.execute(open_edges).scalar_one_or_none()
    if first is None:
        return "what it needs has ended: it joins the line within a second"
    return f"waits for #{first}" + (f" and {task.waits_on - 1:,} more" if task.waits_on > 1 else "")


def _limited(session: Session, task: Task) -> str | None:
    queue = session.get(Queue, task.queue, populate_existing=True)
    if queue is not None and queue.paused_at is not None:
        return f"queue {queue.name} is paused" + (f": {queue.pause_reason}" if queue.pause_reason else "")
    if queue is not None and queue.max_running is not None:
        running = session.execute(RUNNING_OF_QUEUE, {"queue": queue.name}).scalar_one()
        if running >= queue.max_running:
            return f"limit of queue {queue.name} is reached ({running} running)"
    if task.concurrency_key is not None:
        gate = session.get(KeyLimit, task.concurrency_key, populate_existing=True)
        running = session.execute(RUNNING_OF_KEY, {"key": task.concurrency_key}).scalar_one()
        if task.parked or running >= (gate.max_running if gate else 1):
            return f"key {task.concurrency_key} is at its limit ({running} running)"
    return None


def _nobody(session: Session, task: Task) -> str | None:
    """Whether no live worker would take it: one that does not stop, serves its queue and knows its type."""
    since = now() - timedelta(seconds=LIVE_LEASES * settings().lease_s)
    c = tables.workers.c
    live = select(c.queues, c.types).where(
        c.kind == "worker", c.stopped_at.is_(None), c.draining_at.is_(None), c.last_beat_at > since
    )
    workers = session.execute(live).all()
    serving = [types for queues, types in workers if queues is None or task.queue in queues]
    if not serving:
        return f"no live worker serves queue {task.queue}"
    if any(task.type in types for types in serving):
        return None
    if any(task.type in types for _, types in workers):
        return f"no live worker that serves queue {task.queue} knows type {task.type}"
    return f"no live worker knows type {task.type}"


def _in_words(number: int) -> str:
    if number == 1:
        return "next in line"
    if number > FARTHEST:
        return f"beyond {FARTHEST:,}th in line"
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{ending} in line"
