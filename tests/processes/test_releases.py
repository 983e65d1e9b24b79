"""Workers whose ledger has moved on without them: they finish what they have, and end."""

from collections.abc import Iterator

import pytest
from sqlalchemy import delete, update

from models import Outcome, Status, transaction
from models.schema import CODE, SchemaFloor
from models.worker import Worker
from tests.processes import facts, kinds


@pytest.fixture
def floor(ledger: str) -> Iterator[None]:
    """The floor is put back, as no test empties that table."""
    yield
    raise_to(CODE)


def raise_to(floor: int) -> None:
    with transaction() as session:
        session.execute(update(SchemaFloor).values(floor=floor))


@pytest.mark.parametrize("ledger", ["sqlite"], indirect=True)
def test_workers_that_are_too_old_for_their_ledger_or_unknown_to_it_finish_what_they_have_and_end(floor, worker):
    old, unknown = (
        worker(WORKER_QUEUES=queue, BEAT_S="0.3") for queue in ("old", "unknown")
    )  # asks at each tenth beat
    old.up(), unknown.up()
    runs = [kinds.sleepy.with_options(queue=queue).enqueue(seconds=0.8).id for queue in ("old", "unknown")]
    for task in runs:
        facts.started(task)
    with transaction() as session:  # as where a copy was restored from before it started
        session.execute(delete(Worker).where(Worker.pid == unknown.pid))
    raise_to(CODE + 1)
    assert [old.wait(), unknown.wait()] == [0, 0]
    assert {tuple(facts.outcomes(task.id)) for task in facts.completed(runs)} == {(Outcome.completed,)}
    assert "the ledger needs newer code" in old.said()
    assert "the ledger does not know this worker" in unknown.said()

    waits = kinds.noop.with_options(queue="old").enqueue()
    again = worker(WORKER_QUEUES="old")
    assert again.wait() == 0
    assert "this code is too old for the ledger" in again.said()
    assert facts.has(waits.id, Status.queued)
