"""What a worker process weighs: memory, descriptors, threads, and the processor's time while there is nothing to do."""

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from settings import ROOT
from tests.processes import facts, kinds
from tests.support import one_ledger, wait_until

IDLE_S = 8.0
MOST_WAKES = 40  # a second, of all its threads together: what processor time that takes, a benchmark says


def weight(process: psutil.Process) -> tuple[int, int, int]:
    """Memory in bytes, descriptors, threads."""
    return process.memory_info().rss, process.num_fds(), process.num_threads()


def wakes(process: psutil.Process) -> int:
    """How often its threads have gone to sleep of themselves: unlike processor time, the same on a busy machine."""
    told = [status.read_text() for status in Path(f"/proc/{process.pid}/task").glob("*/status")]
    return sum(int(line.split()[1]) for one in told for line in one.splitlines() if line.startswith("voluntary"))


@one_ledger
@pytest.mark.usefixtures("valkey")
def test_an_idle_worker_sleeps_and_is_small(worker):
    one = worker(by_command=True, POLL_S="1", WORKER_THREADS="8").up()  # as they are out of the box
    process = psutil.Process(one.pid)
    facts.completed(kinds.echo.enqueue_many([{}] * 100))
    began, before = time.monotonic(), wakes(process)
    wait_until(lambda: time.monotonic() - began >= IDLE_S, timeout=2 * IDLE_S, every=0.5, what="some idle time")
    assert (wakes(process) - before) / (time.monotonic() - began) <= MOST_WAKES
    assert process.memory_info().rss <= 130 * 10**6


@pytest.mark.parametrize("ledger", ["sqlite"], indirect=True)
def test_a_worker_does_not_grow_with_what_it_has_done(worker):
    process = psutil.Process(worker(WORKER_THREADS="4").up().pid)
    facts.completed(kinds.failing.enqueue_many([{"times": 1}] * 50) + kinds.alone.enqueue_many([{}] * 4))
    weights = []
    for _ in range(3):
        mixed = kinds.echo.enqueue_many([{}] * 900)
        mixed += kinds.failing.enqueue_many([{"times": 1}] * 80) + kinds.alone.enqueue_many([{}] * 20)
        facts.completed(mixed)
        weights.append(weight(process))
    first, _, last = weights
    assert last[0] < first[0] + 4 * 2**20
    assert last[1] <= first[1] + 4
    assert last[2] <= first[2]


def test_importing_the_actors_loads_no_library_of_their_trade():
    heavy = "numpy pandas duckdb scipy reportlab pptx alembic streamlit"
    script = f"import runtime.worker_process, actors, sys; print(sorted(set('{heavy}'.split()) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
