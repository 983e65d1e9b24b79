"""A ledger for the doctor to look at."""

from datetime import timedelta

import pytest

from models import Move, now
from services import tasks
from services.lifecycle.batch import stamp
from services.lifecycle.release import release
from tests.services import kit
from tests.services.doctor.looks import at_work, broken


@pytest.fixture
def patient(ledger: str):
    """A ledger with something of everything in it, and processes that have been at work for a while."""
    with kit.known(kit.a_type("greet"), kit.a_type("count", queue="numbers")):
        done, failed, cut = kit.greet(), kit.greet(retries=1), kit.greet()
        kit.finish(kit.take_one(done))
        kit.finish(kit.take_one(failed), Move.defer)
        tasks.cancel(cut.id)
        kit.execute("UPDATE tasks SET run_at = :at WHERE id = :id", at=stamp(now()), id=failed.id)
        release()
        kit.finish(kit.take_one(failed), Move.fail)
        kit.greet(needs=[done, kit.greet(run_at=now() + timedelta(hours=1))], title="waits")
        for kind in ("worker", "scheduler"):
            at_work(kind)
        assert not broken()
        yield ledger
