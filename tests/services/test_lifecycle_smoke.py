from datetime import timedelta

import pytest
from pydantic import ConfigDict, create_model

from models import Move, Outcome, Status, now, transaction
from services import catalog, tasks
from services.lifecycle.claim import claim
from services.lifecycle.ending import Batch, Ending, end
from services.lifecycle.release import release


@pytest.fixture
def greet(ledger):
    params = create_model("greet", __config__=ConfigDict(extra="forbid"), name=(str, "x"))
    catalog.register(catalog.TaskType("greet", params))
    yield
    catalog.unregister("greet")


def finish(c, move=Move.complete, outcome=Outcome.completed, **more):
    e = Ending(
        c.id,
        c.epoch,
        c.type,
        c.queue,
        "w",
        move,
        outcome,
        now(),
        started_at=now(),
        queued_at=c.queued_at,
        concurrency_key=c.concurrency_key,
        **more,
    )
    with transaction() as session:
        return end(session, Batch([e]))


def test_a_task_goes_from_enqueue_to_completed(greet):
    a = tasks.enqueue("greet", {"name": "a"}, priority=10)
    b = tasks.enqueue("greet", {"name": "b"}, priority=90)
    c = tasks.enqueue("greet", {"name": "c"}, needs=[a, b])
    assert c.status is Status.pending and c.waits_on == 2
    got = claim("w", ["greet"], None, 10, 10)
    assert [g.id for g in got] == [b.id, a.id]
    assert got[0].payload == {"name": "b"}
    for g in got:
        assert not finish(g, result='{"x": 1}')
    assert tasks.get(a.id).result == {"x": 1}
    assert tasks.get(c.id).status is Status.queued
    (g,) = claim("w", ["greet"], None, 10, 10)
    finish(
        g, Move.defer, Outcome.retried, run_at=now() + timedelta(hours=1), tried=True, error_text="no", error_class="X"
    )
    assert tasks.get(c.id).status is Status.pending
    assert tasks.get(c.id).tries == 1
    assert len(finish(g)) == 1
    assert release() == 0
    ids = tasks.enqueue_many("greet", [{"name": str(i)} for i in range(2500)])
    assert len(ids) == 2500
    assert tasks.cancel(ids[0], "why").status is Status.cancelled
    assert tasks.rerun(ids[0]).status is Status.queued
    k = [tasks.enqueue("greet", {}, concurrency_key="k", max_running=2, priority=100) for _ in range(5)]
    got = claim("w", ["greet"], None, 10, 10)
    assert [g.id for g in got][:2] == [k[0].id, k[1].id] and len(got) == 10
    assert tasks.get(k[2].id).parked
    finish(got[0])
    assert not tasks.get(k[2].id).parked
