"""Many processes on one line: each task once, the best first."""

from collections import Counter

from sqlalchemy import select

from models import Attempt, Outcome, reading
from tests.processes import facts, kinds

THREADS = 2


def test_eight_processes_take_each_of_three_thousand_tasks_once(worker):
    crowd = [worker(WORKER_THREADS=str(THREADS)) for _ in range(8)]
    for one in crowd:
        one.up()
    ids = kinds.noop.enqueue_many([{}] * 3_000)
    done = facts.completed(ids, timeout=120)
    assert {task.epoch for task in done if task.losses} == set()
    with reading() as session:
        rows = session.execute(select(Attempt.task_id, Attempt.outcome, Attempt.worker)).all()
    assert Counter(row.task_id for row in rows) == Counter(ids)
    assert {row.outcome for row in rows} == {Outcome.completed}
    assert len({row.worker for row in rows}) > 1, "they did not claim at once"


def test_an_urgent_task_waits_for_no_more_than_what_a_process_holds_already(worker):
    worker(WORKER_THREADS=str(THREADS)).up()
    low = kinds.sleepy.with_options(priority=10, queue="reports").enqueue_many([{"seconds": 0.1}] * 60)
    facts.completed(low[:10])
    urgent = kinds.sleepy.with_options(priority=90).enqueue(seconds=0)
    facts.completed([urgent.id, *low])
    (mine,) = facts.attempts(urgent.id)
    before = [a for task in low for a in facts.attempts(task) if urgent.created_at < a.started_at < mine.started_at]
    assert len(before) <= 2 * THREADS  # those at work and one batch, which for real work is a task a thread
