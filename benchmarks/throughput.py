"""No-op tasks a second, 2 processes × 8 threads: Callboard on SQLite and PostgreSQL against bare Dramatiq on Redis.

Run alternately, several rounds, in one run. Tasks are queued beforehand; the clock runs from the first start of a body
to the last ending. For Callboard "ended" means committed: attempts, counts and results with it.
"""

import argparse
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import redis

from benchmarks import servers

PROCESSES, THREADS = 2, 8


def callboard(tasks: int, database_url: str | None, redis_url: str) -> dict[str, float]:
    """Queue and run no-ops in Callboard, in processes of their own so that settings are read anew."""
    with tempfile.TemporaryDirectory(prefix="cb-bench-") as folder:
        environment = {
            **os.environ, "VAR_DIR": folder, "REDIS_URL": redis_url, "ACTOR_MODULES": "benchmarks.kinds",
            "WORKER_THREADS": str(THREADS), "LOG_LEVEL": "error",
        }  # fmt: skip
        environment.pop("DATABASE_URL", None)
        if database_url:
            environment["DATABASE_URL"] = database_url
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.throughput", "--one", str(tasks)],
            env=environment, check=True, capture_output=True, text=True,
        )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def one(tasks: int) -> dict[str, float]:
    """Inside that process: migrate, enqueue, start workers, wait, read the ledger."""
    from sqlalchemy import text
    from sqlmodel import SQLModel

    from benchmarks.kinds import noop
    from models import db, migrate, reading

    migrate.upgrade()
    if db.is_postgresql():
        names = ", ".join(t.name for t in SQLModel.metadata.sorted_tables if t.name != "schema_floor")
        with db.engine().begin() as connection:
            connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY"))
    began = time.monotonic()
    noop.enqueue_many([{}] * tasks)
    enqueued = tasks / (time.monotonic() - began)
    workers = [subprocess.Popen([sys.executable, "-m", "runtime.worker_process"]) for _ in range(PROCESSES)]
    try:
        while True:
            with reading() as session:
                last = session.execute(text("SELECT count(*) FROM attempts")).scalar_one()
            if last >= tasks:
                break
            time.sleep(0.2)
        with reading() as session:
            span, attempts = session.execute(text(_SPAN[db.is_postgresql()])).one()
    finally:
        for worker in workers:
            worker.send_signal(signal.SIGTERM)
        for worker in workers:
            worker.wait()
    assert attempts == tasks, f"{attempts} attempts for {tasks} tasks"
    return {"per_s": tasks / float(span), "enqueue_per_s": enqueued}


_SPAN = {
    False: "SELECT (julianday(max(ended_at)) - julianday(min(started_at))) * 86400, count(*) FROM attempts",
    True: "SELECT extract(epoch FROM max(ended_at) - min(started_at)), count(*) FROM attempts",
}


def bare_dramatiq(tasks: int, redis_url: str) -> dict[str, float]:
    """The same with Dramatiq's own Redis broker."""
    client = redis.Redis.from_url(redis_url)
    client.flushall()
    with tempfile.TemporaryDirectory(prefix="cb-bench-") as folder:
        os.environ.update(REDIS_URL=redis_url, STARTED_DIR=folder)
        from benchmarks.peers.bare_dramatiq import noop

        noop.broker.client.connection_pool = client.connection_pool  # type: ignore[attr-defined]
        began = time.monotonic()
        for _ in range(tasks):
            noop.send()
        enqueued = tasks / (time.monotonic() - began)
        command = ["-m", "dramatiq", "benchmarks.peers.bare_dramatiq", "-p", str(PROCESSES), "-t", str(THREADS)]
        worker = subprocess.Popen([sys.executable, *command], stderr=subprocess.DEVNULL)
        try:
            while client.hlen("dramatiq:default.msgs"):
                time.sleep(0.01)
            ended = time.time()
        finally:
            worker.send_signal(signal.SIGTERM)
            worker.wait()
        started = min(float(path.read_text()) for path in Path(folder).iterdir())
    return {"per_s": tasks / (ended - started), "enqueue_per_s": enqueued}


def main() -> None:
    """Print the table, save the JSON."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--tasks", type=int, default=20_000)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--only", default="", help="names of contenders, separated by commas")
    options.add_argument("--one", type=int, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.one:
        print(json.dumps(one(given.one)))
        return
    with servers.valkey() as redis_url, servers.postgresql() as database_url:
        contenders: dict[str, Callable[[], dict[str, float]]] = {
            "Callboard, PostgreSQL": lambda: callboard(given.tasks, database_url, redis_url),
            "Callboard, SQLite": lambda: callboard(given.tasks, None, redis_url),
            "bare Dramatiq, Redis": lambda: bare_dramatiq(given.tasks, redis_url),
        }
        wanted = [name.strip() for name in given.only.split(",") if name.strip()]
        figures: dict[str, list[dict[str, float]]] = {}
        for round_ in range(given.rounds):
            for name, measure in contenders.items():
                if wanted and not any(w.lower() in name.lower() for w in wanted):
                    continue
                figures.setdefault(name, []).append(measure())
                print(f"round {round_ + 1}: {name}: {figures[name][-1]['per_s']:,.0f}/s", file=sys.stderr)
    _report(figures, given.tasks)


def _report(figures: dict[str, list[dict[str, float]]], tasks: int) -> None:
    def median(name: str, what: str) -> float:
        return statistics.median(f[what] for f in figures[name])

    base = median("bare Dramatiq, Redis", "per_s") if "bare Dramatiq, Redis" in figures else float("nan")
    print("| | no-op tasks/s | range | × bare Dramatiq | enqueued/s |\n|---|---|---|---|---|")
    for name, rounds in figures.items():
        rates = [f["per_s"] for f in rounds]
        print(
            f"| {name} | {median(name, 'per_s'):,.0f} | {min(rates):,.0f}–{max(rates):,.0f} "
            f"| {median(name, 'per_s') / base:.2f} | {median(name, 'enqueue_per_s'):,.0f} |"
        )
    facts: dict[str, Any] = {"tasks": tasks, "cores": os.cpu_count(), "python": platform.python_version()}
    path = Path(__file__).parent / "results" / "throughput.json"
    path.write_text(json.dumps({"machine": facts, "figures": figures}, indent=1) + "\n")


if __name__ == "__main__":
    main()
