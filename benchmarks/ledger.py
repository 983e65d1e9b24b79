"""Makes a large ledger for measuring the console: `python -m benchmarks.ledger --tasks 1000000`.

Fills the empty database of DATABASE_URL or VAR_DIR with tasks of 30 days in a realistic mix: most completed, some
failed with a few kinds of error, some cancelled, some thousands that wait, a handful that run; with bodies, attempts,
logs for some, events, and the roll-ups that would have come of them. The same seed gives the same ledger.
"""

import argparse
import json
import math
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, text

CHUNK = 20_000
DAYS = 30
RUNNING = 16
SCHEDULES = 100
# name, queue, share, typical seconds, share that fails
TYPES = [
    ("send_mail", "mail", 40, 0.2, 0.01), ("make_thumbnail", "media", 20, 1.5, 0.01),
    ("sync_customer", "default", 12, 4.0, 0.04), ("score_lead", "default", 10, 0.8, 0.0),
    ("import_orders", "default", 6, 30.0, 0.05), ("transcribe_call", "gpu", 4, 90.0, 0.03),
    ("bulk_analysis", "reports", 3, 12.0, 0.02), ("simulation_batch", "reports", 2, 45.0, 0.02),
    ("report_generation", "reports", 2, 20.0, 0.25), ("rebuild_index", "default", 1, 300.0, 0.1),
]  # fmt: skip
ERRORS = ["TimeoutError", "ConnectionError", "ValueError", "KeyError", "RateLimited", "PermissionError"]
WAITING = {"pending": 0.005, "queued": 0.004}
STATUSES = ("pending", "queued", "running")


class Maker:
    """The rows, table by table, and the counts that follow from them."""

    def __init__(self, tasks: int, seed: int = 1) -> None:
        self.n, self.chance = tasks, random.Random(seed)
        self.until = datetime.now(UTC)
        self.counts: Counter[tuple[int, str, str, str, int]] = Counter()
        self.minutes: Counter[tuple[str, int, str, str, int]] = Counter()
        self.happened: Counter[tuple[str, int, str, int]] = Counter()  # by the minute, in the last hours

    def chunks(self) -> Iterator[dict[str, list[dict[str, Any]]]]:
        """Rows of all tables, for some thousand tasks at a time."""
        for first in range(1, self.n + 1, CHUNK):
            ids = range(first, min(first + CHUNK, self.n + 1))
            chosen = self.chance.choices(TYPES, [t[2] for t in TYPES], k=len(ids))
            rows: dict[str, list[dict[str, Any]]] = {t: [] for t in ("tasks", "task_bodies", "attempts", "task_logs")}
            for task_id, kind in zip(ids, chosen, strict=True):
                self._task(rows, task_id, kind)
            yield rows

    def _task(self, rows: dict[str, list[dict[str, Any]]], task_id: int, kind: tuple) -> None:
        name, queue, _, typical_s, fails = kind
        chance = self.chance
        # Days are busier than nights
        at = self.until - timedelta(days=DAYS) * (1 - task_id / self.n) - timedelta(seconds=1 + chance.random() * 60)
        row: dict[str, Any] = dict.fromkeys(NULLABLE) | {
            "id": task_id, "type": name, "type_version": 1, "title": f"{name.replace('_', ' ')} {task_id % 9973}",
            "queue": queue, "priority": chance.choice((50, 50, 50, 50, 20, 80)), "status": "completed", "epoch": 1,
            "tries": 0, "max_tries": 4, "losses": 0, "waits_on": 0, "on_parent_failure": "cancel", "parked": False,
            "created_by_kind": "api", "tags": '["nightly"]' if chance.random() < 0.1 else "[]", "root_id": task_id,
            "run_at": at, "created_at": at, "updated_at": at, "queued_at": at,
        }  # fmt: skip
        body = {"task_id": task_id, "payload": f'{{"customer": {task_id % 5000}, "note": "{"x" * 60}"}}'}
        body |= {"result": None, "result_bytes": None, "error_text": None}
        if self._lives(task_id):
            self._waiting(row, task_id)
        else:
            self._ended(rows, row, body, typical_s, fails)
        self.counts[0, name, queue, row["status"], 0] += 1
        rows["tasks"].append(row)
        rows["task_bodies"].append(body)

    def _lives(self, task_id: int) -> bool:
        """The last few run; others that wait are among the last day's, between many that have ended."""
        lately = task_id > self.n * (1 - 1 / DAYS)
        return task_id > self.n - RUNNING or (lately and self.chance.random() < DAYS * sum(WAITING.values()))

    def _waiting(self, row: dict[str, Any], task_id: int) -> None:
        at = row["created_at"]
        if task_id > self.n - RUNNING:
            far = self.until + timedelta(days=365)
            row |= {"status": "running", "started_at": at, "lease_until": far, "worker": f"bench-{task_id % 2}"}
            row |= {"progress_percent": 40.0, "progress_note": "half of it"}
        elif self.chance.random() < WAITING["pending"] / sum(WAITING.values()):
            row |= {"status": "pending", "epoch": 0, "run_at": self.until + timedelta(days=2), "queued_at": None}
        else:
            row |= {"status": "queued", "epoch": 0}
        self._changed(row["queue"], row["status"], at, 1)

    def _ended(self, rows: dict, row: dict[str, Any], body: dict[str, Any], typical_s: float, fails: float) -> None:
        chance, at = self.chance, row["created_at"]
        wait_s, run_s = chance.expovariate(0.5), typical_s * chance.lognormvariate(0, 0.6)
        started = at + timedelta(seconds=wait_s)
        ended = min(started + timedelta(seconds=run_s), self.until)
        draw = chance.random()
        status = "failed" if draw < fails else "cancelled" if draw > 0.98 else "completed"
        error = None if status != "failed" else chance.choice(ERRORS)
        row |= {"status": status, "started_at": started, "finished_at": ended, "updated_at": ended}
        if error is not None:
            row |= {"error_class": error, "fingerprint": f"{row['type']}-{error}", "tries": 2, "epoch": 2}
            body["error_text"] = f"{error}: customer {row['id'] % 5000} could not be read"
        elif status == "completed":
            body |= {"result": '{"done": true}', "result_bytes": 14}
        for epoch in range(1, row["epoch"] + 1):
            outcome = status if epoch == row["epoch"] else "retried"
            rows["attempts"].append(
                {"task_id": row["id"], "epoch": epoch, "worker": f"bench-{row['id'] % 2}", "code_version": "v1",
                 "started_at": started, "ended_at": ended, "outcome": outcome, "error_class": error, "forced": False}
            )  # fmt: skip
            self._happened(row["type"], row["queue"], outcome, wait_s, (ended - started).total_seconds(), ended)
        if row["id"] % 100 == 0:
            rows["task_logs"] += [
                {"task_id": row["id"], "epoch": row["epoch"], "seq": seq, "at": started, "level": "info",
                 "message": f"step {seq} of 20"} for seq in range(20)
            ]  # fmt: skip
        self._changed(row["queue"], "queued", at, 1)
        self._changed(row["queue"], "queued", started, -1)
        self._changed(row["queue"], "running", started, 1)
        self._changed(row["queue"], "running", ended, -1)

    def _happened(self, name: str, queue: str, outcome: str, wait_s: float, run_s: float, ended: datetime) -> None:
        minute = int(ended.timestamp()) // 60
        for measure, bucket in ((outcome, 0), ("run", _bucket(run_s)), ("wait", _bucket(wait_s))):
            self.counts[minute // 60, name, queue, measure, bucket] += 1
            if (self.until - ended).total_seconds() < 7 * 3600:
                self.happened[measure, minute, name, bucket] += 1

    def _changed(self, queue: str, status: str, at: datetime, n: int) -> None:
        minute = int(at.timestamp()) // 60
        self.counts[minute // 60, "", queue, status, 0] += n
        if (self.until - at).total_seconds() < 7 * 3600:
            self.minutes[status, minute, "", queue, 0] += n

    def spans(self) -> Counter[tuple[str, str, str, int, int]]:
        """The sums that charts draw."""
        from services.spans import KEPT, SPANS

        hours = [(m, hour * 60, name, bucket, n) for (hour, name, _, m, bucket), n in self.counts.items()]
        hours = [row for row in hours if row[1] and row[2]]
        minutes = [(*key, n) for key, n in self.happened.items()]
        until = int(self.until.timestamp()) // 60
        found: Counter[tuple[str, str, str, int, int]] = Counter()
        for kept in KEPT:
            fine = kept.span in SPANS and SPANS[kept.span].fine
            since = until - SPANS[kept.span].minutes - kept.width if kept.width else 0
            for measure, minute, name, bucket, n in minutes if fine else hours:
                if minute >= since and kept.measure == (measure if measure in ("run", "wait") else "outcome"):
                    slot = minute - minute % kept.width if kept.width else 0
                    found[kept.span, measure, name if kept.by_type else "", bucket, slot] += n
        return found


NULLABLE = (
    "started_at", "finished_at", "lease_until", "worker", "error_class", "fingerprint", "progress_percent",
    "progress_note",
)  # fmt: skip


def _bucket(seconds: float) -> int:
    return max(0, math.ceil(4 * math.log2(max(seconds, 0.001) / 0.001)))


def make(tasks: int) -> None:
    """Fill the empty ledger of the settings."""
    from models import db, migrate, now, tables

    migrate.upgrade()
    with db.reading() as session:
        if session.execute(select(tables.tasks.c.id).limit(1)).first() is not None:
            raise SystemExit("This ledger is not empty. Point VAR_DIR or DATABASE_URL at a new one.")
    maker, began, done = Maker(tasks), time.monotonic(), 0
    for rows in maker.chunks():
        with db.engine().begin() as connection:
            for table, many in rows.items():
                _put(connection, table, many)
        done += len(rows["tasks"])
        print(f"\r{done:,} of {tasks:,} tasks, {time.monotonic() - began:.0f} s", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    at = now()
    workers = [
        {"name": f"bench-{n}", "kind": kind, "host": "bench", "pid": n + 1, "boot_id": "bench", "code_version": "v1",
         "queues": None, "types": [t[0] for t in TYPES], "threads": 8, "busy": 8, "rss": 150_000_000,
         "started_at": at, "last_beat_at": at + timedelta(days=365)}
        for n, kind in enumerate(("worker", "worker", "scheduler"))
    ]  # fmt: skip
    with db.transaction() as session:
        session.execute(insert(tables.queues), [{"name": q, "created_at": at} for q in sorted({t[1] for t in TYPES})])
        session.execute(insert(tables.workers), workers)
        hours = ("hour", "type", "queue", "measure", "bucket")
        by_hour = [dict(zip(hours, key, strict=True), n=n) for key, n in maker.counts.items()]
        session.execute(insert(tables.rollups), by_hour)
        minutes = ("measure", "minute", "type", "queue", "bucket")
        session.execute(
            insert(tables.rollup_minutes), [dict(zip(minutes, k, strict=True), n=n) for k, n in maker.minutes.items()]
        )
        spans = ("span", "measure", "type", "bucket", "slot")
        session.execute(
            insert(tables.rollup_spans), [dict(zip(spans, k, strict=True), n=n) for k, n in maker.spans().items()]
        )
        session.execute(insert(tables.events), [_event(n, at) for n in range(min(20_000, tasks // 10))])
        # Words are not indexed: nobody measures the search here, and a loop that catches up would disturb the rest
        session.execute(text("DELETE FROM search_mark"))
        session.execute(text("INSERT INTO search_mark (id, newest, settled) VALUES (1, :n, :n)"), {"n": tasks})
    _declare()
    _recur()
    with db.engine().begin() as connection:
        connection.execute(text("ANALYZE"))


def _event(n: int, at: datetime) -> dict[str, Any]:
    return {
        "at": at - timedelta(minutes=2 * n), "actor_kind": "operator", "actor_id": f"person {n % 7}", "verb": "cancel",
        "entity": "task", "entity_id": str(n + 1), "before": {"status": "queued"}, "after": {"status": "cancelled"},
        "reason": "made for measuring",
    }  # fmt: skip


def _declare() -> None:
    from pydantic import create_model

    from services import catalog

    for name, queue, *_ in TYPES:
        model = create_model(name, customer=(int, 1), note=(str, ""))
        catalog.register(catalog.TaskType(name, model, queue=queue))
    catalog.declare()


def _recur() -> None:
    """Some schedules, which nobody fires."""
    from services import schedules

    for n in range(SCHEDULES):
        name = TYPES[n % len(TYPES)][0]
        schedules.create(f"{name.replace('_', ' ')} {n}", name, {"customer": n + 1}, cron=f"{n % 60} */2 * * *")


def _put(connection: Any, table: str, rows: list[dict[str, Any]]) -> None:
    """COPY on PostgreSQL; one prepared statement for many rows on SQLite."""
    if not rows:
        return
    names = list(rows[0])
    cursor = connection.connection.cursor()
    if connection.dialect.name == "postgresql":
        with cursor.copy(f"COPY {table} ({', '.join(names)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row([row[name] for name in names])
        return
    marks = ", ".join("?" * len(names))
    stored = ([_stored(row[name]) for name in names] for row in rows)
    cursor.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", stored)


def _stored(value: Any) -> Any:
    return f"{value:%Y-%m-%d %H:%M:%S.%f}" if isinstance(value, datetime) else value


def main() -> None:
    """Make it, and say what there is."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--tasks", type=int, default=1_000_000)
    given = options.parse_args()
    make(given.tasks)
    from services import stats

    print(json.dumps({status.value: n for status, n in stats.by_status().items()}))


if __name__ == "__main__":
    main()
