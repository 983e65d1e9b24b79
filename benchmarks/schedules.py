"""10,000 schedules due at one instant, or spread over a minute: how late each is, how long until all are enqueued.

`python -m benchmarks.schedules [schedules]`: on PostgreSQL, and on SQLite. The schedulers run as they do in production:
`scheduler.py`, with all its loops, started before the minute; by one, and at the same instant by two. Also: what an
idle scheduler uses in 120 seconds.
"""

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import servers

ROOT = Path(__file__).resolve().parents[1]
IDLE_S = 120


def main() -> None:
    """Measure, and print."""
    many = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with servers.postgresql() as url:
        for schedulers, over_s in ((1, 0), (1, 60), (2, 0)):
            print(json.dumps({"database": "PostgreSQL", **measured(many, schedulers, over_s, url)}), flush=True)
    for over_s in (0, 60):
        print(json.dumps({"database": "SQLite", **measured(many, 1, over_s, None)}), flush=True)


def measured(many: int, schedulers: int, over_s: int, url: str | None) -> dict[str, object]:
    """One run on an empty ledger; the schedules are due over so many seconds, evenly (0: all at once)."""
    with tempfile.TemporaryDirectory(prefix="cb-bench-") as folder:
        environment = {**os.environ, "VAR_DIR": folder, "LOG_LEVEL": "error"}
        environment.pop("DATABASE_URL", None)
        if url:
            environment["DATABASE_URL"] = url
        os.environ.update(environment)
        if not url:
            os.environ.pop("DATABASE_URL", None)
        due_in_s = prepare(many, over_s)
        with running(schedulers, environment) as processes:
            idle_from = [cpu_s(p.pid) for p in processes]
            waited = time.monotonic()
            time.sleep(max(0.0, due_in_s() - 1))
            waited = time.monotonic() - waited
            idle = [120 / waited * (cpu_s(p.pid) - before) for p, before in zip(processes, idle_from, strict=True)]
            found = results(many, time.monotonic() + due_in_s())
        return {
            "schedules": many,
            "schedulers": schedulers,
            "due_over_s": over_s,
            **found,
            "idle_cpu_s_in_120_s": [round(s, 2) for s in idle],
        }


def prepare(many: int, over_s: int) -> Callable[[], float]:
    """Schedules that are due within one minute, not too soon; returns how many seconds it is until it begins."""
    from datetime import timedelta

    from pydantic import create_model
    from sqlalchemy import insert, text

    import settings
    from models import db, migrate, now, tables, transaction
    from services import catalog, schedules

    settings.settings.cache_clear()
    db.forget_engine()
    migrate.upgrade()
    catalog.forget()
    if db.is_postgresql():
        with transaction() as session:
            names = "tasks, task_bodies, schedules, fires, events, rollup_deltas, rollups, types"
            session.execute(text(f"TRUNCATE {names}"))
    catalog.register(catalog.TaskType("noop", create_model("noop", n=(int, 0))))
    catalog.declare()
    first = schedules.create("schedule 0", "noop", {"n": 0}, cron="0 3 1 1 *")
    due = now().replace(second=0, microsecond=0) + timedelta(seconds=IDLE_S + 60)
    columns = {c.name: getattr(first, c.name) for c in tables.schedules.c if c.name != "id"}

    def when(n: int) -> dict[str, Any]:
        at = due + timedelta(seconds=n * over_s // many)
        cron = f"{at.second} {at.minute} {at.hour} * * *" if over_s else f"{at.minute} {at.hour} * * *"
        slot = f"{at:%Y-%m-%dT%H:%M:%S}" if over_s else f"{at:%Y-%m-%dT%H:%M}"
        return {"cron": cron, "next_slot": slot, "next_at": at, "due_at": at}

    with transaction() as session:
        rows = [{**columns, "name": f"schedule {n}", "payload": {"n": n}, **when(n)} for n in range(1, many)]
        for start in range(0, len(rows), 1_000):
            session.execute(insert(tables.schedules), rows[start : start + 1_000])
        session.execute(tables.schedules.update().where(tables.schedules.c.id == first.id).values(**when(0)))
    return lambda: (due - now()).total_seconds()


@contextmanager
def running(many: int, environment: dict[str, str]) -> Iterator[list[subprocess.Popen[bytes]]]:
    """So many schedulers."""
    processes = [subprocess.Popen([sys.executable, "scheduler.py"], cwd=ROOT, env=environment) for _ in range(many)]
    try:
        for process in processes:
            settled(process.pid)
        yield processes
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            process.wait(20)


def settled(pid: int) -> None:
    """Wait until it has started, which looks at every schedule once: it uses next to nothing for two seconds."""
    used = -1.0
    while cpu_s(pid) - used > 0.1:
        used = cpu_s(pid)
        time.sleep(2)


def results(many: int, began: float) -> dict[str, object]:
    """Wait until every schedule has fired, since `began`; what the ledger says of it."""
    from sqlalchemy import func, select

    from models import reading, tables

    f = tables.fires.c
    while True:
        with reading() as session:
            done = session.execute(select(func.count()).select_from(tables.fires)).scalar_one()
        if done >= many or time.monotonic() - began > 150:
            break
        time.sleep(0.1)
    with reading() as session:
        rows = session.execute(select(f.late_s, f.outcome)).all()
        n = session.execute(select(func.count()).select_from(tables.tasks)).scalar_one()
    late = sorted(row.late_s for row in rows)
    return {
        "fires": len(rows), "tasks": n, "ran": sum(row.outcome.value == "ran" for row in rows),
        "median_late_s": round(statistics.median(late), 2), "latest_s": round(late[-1], 2),
        "all_enqueued_within_s": round(time.monotonic() - began, 2),
    }  # fmt: skip


def cpu_s(pid: int) -> float:
    """Processor seconds a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
