"""Who is dead on this machine: only those of whom it is certain."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import psutil
import pytest
from sqlalchemy import select, update

from models import Status, Worker, reading, tables, transaction
from services import marks, tasks, workers
from services.lifecycle.claim import claim
from settings import ROOT
from tests.processes import kinds
from tests.support import wait_until

REGISTERS = "from services import workers; print(workers.register())"


@pytest.fixture
def dead(ledger: str) -> str:
    """A worker that has registered, and whose process is gone."""
    done = subprocess.run([sys.executable, "-c", REGISTERS], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.split()[-1]


def stopped(name: str) -> bool:
    with reading() as session:
        return session.execute(select(Worker.stopped_at).where(Worker.name == name)).scalar_one() is not None


def test_a_process_that_is_gone_is_buried_and_one_that_lives_is_not(dead):
    living = workers.register()
    lost, kept = kinds.noop.enqueue(), kinds.noop.enqueue()
    assert [claim(name, ["noop"], None, 1, 60)[0].id for name in (dead, living)] == [lost.id, kept.id]
    assert workers.bury_the_dead_here() == 1
    assert (stopped(dead), stopped(living)) == (True, False)
    assert (tasks.get(lost.id).status, tasks.get(kept.id).status) == (Status.queued, Status.running)


def test_a_worker_of_another_boot_or_container_with_our_hosts_name_is_left_to_its_lease(dead):
    task = kinds.noop.enqueue()
    claim(dead, ["noop"], None, 1, 60)
    with transaction() as session:
        session.execute(update(tables.workers).where(Worker.name == dead).values(boot_id="another"))
    assert workers.bury_the_dead_here() == 0
    assert not stopped(dead)
    assert tasks.get(task.id).status is Status.running


def test_a_process_that_ended_and_whose_parent_has_not_looked_is_gone(ledger):
    """As where the first process of a container takes its time to collect the children it inherits."""
    waits = f"{REGISTERS[:-1]}, flush=True); import signal; signal.pause()"
    with subprocess.Popen([sys.executable, "-c", waits], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        name = next(words[0] for line in process.stdout if len(words := line.split()) == 1)  # after the log's lines
        os.kill(process.pid, signal.SIGKILL)
        wait_until(lambda: psutil.Process(process.pid).status() == psutil.STATUS_ZOMBIE, what="its end")
        task = kinds.noop.enqueue()
        claim(name, ["noop"], None, 1, 60)
        assert workers.bury_the_dead_here() == 1
    assert tasks.get(task.id).status is Status.queued


def test_of_two_that_find_the_same_dead_worker_one_buries_it(dead):
    """The second would not find the marks any more, and count a loss for tasks that had not started."""
    for _ in range(3):
        with transaction() as session:
            session.execute(update(tables.workers).where(Worker.name == dead).values(stopped_at=None))
        marks.path_of(dead).parent.mkdir(parents=True, exist_ok=True)
        marks.path_of(dead).write_bytes(b"")
        kinds.noop.enqueue_many([{}] * 40)
        claimed = [task.id for task in claim(dead, ["noop"], None, 1000, 60)]
        together = Barrier(2)

        def bury(_: int, together: Barrier = together) -> int:
            together.wait()
            return workers.bury_the_dead_here()

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(bury, range(2))) == [0, len(claimed)]
        assert {tasks.get(task_id).losses for task_id in claimed} == {0}
