"""From `enqueue` in one process to the first line of the body in another that was idle, in milliseconds.

One task at a time, with a pause that is long enough for the worker to sleep again. Callboard on SQLite and PostgreSQL
against bare Dramatiq on Redis, alternately in one run; both write the instant down in the body itself.
"""

import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import servers

PAUSE_S = 0.05
WARM_UP = 10


def callboard(tasks: int, database_url: str | None, redis_url: str) -> list[float]:
    """In a process of its own, so that settings are read anew; returns milliseconds, one a task."""
    with tempfile.TemporaryDirectory(prefix="cb-bench-") as folder:
        environment = {
            **os.environ, "VAR_DIR": folder, "REDIS_URL": redis_url, "ACTOR_MODULES": "benchmarks.kinds",
            "LOG_LEVEL": "error", "NOTE": f"{folder}/note",
        }  # fmt: skip
        environment.pop("DATABASE_URL", None)
        if database_url:
            environment["DATABASE_URL"] = database_url
        return _in_a_process("callboard", tasks, environment)


def bare_dramatiq(tasks: int, redis_url: str) -> list[float]:
    """The same with Dramatiq's own Redis broker."""
    with tempfile.TemporaryDirectory(prefix="cb-bench-") as folder:
        environment = {**os.environ, "REDIS_URL": redis_url, "STARTED_DIR": folder, "NOTE": f"{folder}/note"}
        return _in_a_process("dramatiq", tasks, environment)


def _in_a_process(which: str, tasks: int, environment: dict[str, str]) -> list[float]:
    command = [sys.executable, "-m", "benchmarks.latency", which, str(tasks)]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def _measure_callboard(tasks: int) -> list[float]:
    from benchmarks.kinds import note
    from models import migrate

    migrate.upgrade()
    with _running("-m", "runtime.worker_process"):
        return _one_by_one(tasks, lambda: note.enqueue())


def _measure_dramatiq(tasks: int) -> list[float]:
    from benchmarks.peers.bare_dramatiq import note

    with _running("-m", "dramatiq", "benchmarks.peers.bare_dramatiq", "-p", "1", "-t", "8"):
        return _one_by_one(tasks, note.send)


@contextmanager
def _running(*arguments: str) -> Iterator[None]:
    worker = subprocess.Popen([sys.executable, *arguments], stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait()


def _one_by_one(tasks: int, enqueue: Callable[[], object]) -> list[float]:
    path = Path(os.environ["NOTE"])
    path.touch()
    delays = []
    for _ in range(WARM_UP + tasks):
        size = path.stat().st_size
        before = time.time()
        enqueue()
        while path.stat().st_size == size:
            time.sleep(0.001)
        delays.append(1000 * (float(path.read_text().splitlines()[-1]) - before))
        time.sleep(PAUSE_S * random.uniform(1, 2))
    return delays[WARM_UP:]


def main(tasks: int = 200, rounds: int = 3) -> None:
    """Print the table, save the JSON."""
    figures: dict[str, list[float]] = {}
    with servers.valkey() as redis_url, servers.postgresql() as database_url:
        contenders: dict[str, Callable[[], list[float]]] = {
            "Callboard, PostgreSQL": lambda: callboard(tasks, database_url, redis_url),
            "Callboard, SQLite": lambda: callboard(tasks, None, redis_url),
            "bare Dramatiq, Redis": lambda: bare_dramatiq(tasks, redis_url),
        }
        for _ in range(rounds):
            for name, measure in contenders.items():
                figures.setdefault(name, []).extend(measure())
    print("| enqueue to body, idle worker | median ms | p95 ms |\n|---|---|---|")
    for name, delays in figures.items():
        print(f"| {name} | {statistics.median(delays):.1f} | {statistics.quantiles(delays, n=20)[-1]:.1f} |")
    rounded = {name: [round(d, 2) for d in delays] for name, delays in figures.items()}
    (Path(__file__).parent / "results" / "latency.json").write_text(json.dumps(rounded) + "\n")


if __name__ == "__main__":
    which, many = sys.argv[1], int(sys.argv[2])
    print(json.dumps(_measure_callboard(many) if which == "callboard" else _measure_dramatiq(many)))
