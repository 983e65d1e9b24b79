"""Who is dead on this machine: only those of whom it is certain."""

import subprocess
import sys

import pytest
from sqlalchemy import select, update

from models import Status, Worker, reading, tables, transaction
from services import tasks, workers
from services.lifecycle.claim import claim
from settings import ROOT
from tests.processes import kinds

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
