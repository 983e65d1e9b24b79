"""Of all attempts of a task exactly one finishes it."""

from dataclasses import replace

import pytest
from sqlalchemy.exc import DBAPIError
from sqlmodel import select

from models import Attempt, Move, Outcome, Status, now, reading, transaction
from models.db import engine, is_away
from runtime.writer import Writer
from services import tasks
from services.lifecycle import rescue
from services.lifecycle.ending import already_ended
from tests.services import kit

pytestmark = pytest.mark.usefixtures("core")

GONE = "UPDATE tasks SET lease_until = '2020-01-01 00:00:00' WHERE status = 'running'"


def attempts(task):
    with reading() as session:
        return {a.epoch: a for a in session.exec(select(Attempt).where(Attempt.task_id == task.id))}


def reclaimed(task):
    """Two attempts of the task: the first was taken for dead, the second runs."""
    first = kit.take_one(task)
    kit.execute(GONE)
    assert rescue.rescue() == 1
    return first, kit.take_one(task)


def test_a_result_comes_back_as_it_was_returned():
    task = kit.greet()
    kit.finish(kit.take_one(task), result='{"größe": [1, 2.5, null], "text": "☃ \\u0001"}')
    ended = tasks.get(task.id)
    assert ended.status is Status.completed
    assert ended.result == {"größe": [1, 2.5, None], "text": "☃ \x01"}
    assert ended.body.result_bytes == len('{"größe": [1, 2.5, null], "text": "☃ \\u0001"}'.encode())
    assert ended.worker is None
    assert ended.progress_percent == 100
    assert ended.actual_duration_s is not None


def test_a_zombie_attempt_cannot_finish():
    task = kit.greet()
    zombie, second = reclaimed(task)
    assert not kit.finish(second, result='"second"')
    before = tasks.get(task.id)
    fenced = kit.finish(zombie, result='"zombie"')
    assert [(e.task_id, e.epoch) for e in fenced] == [(task.id, 1)]
    assert tasks.get(task.id) == before
    assert before.result == "second"
    (event,) = kit.events("fence", task)
    assert event.after == {"epoch": 1, "refused": "completed"}
    assert [a.outcome for a in attempts(task).values()] == [Outcome.lost, Outcome.completed]


@pytest.mark.parametrize("move", [Move.complete, Move.fail, Move.defer, Move.hand_back, Move.stop])
def test_a_zombie_changes_nothing_while_its_successor_runs(move):
    task = kit.greet()
    zombie, _ = reclaimed(task)
    before = tasks.get(task.id)
    assert kit.finish(zombie, move)
    assert tasks.get(task.id) == before
    assert before.status is Status.running


@pytest.mark.parametrize("zombie_first", [True, False])
def test_a_zombie_and_its_successor_in_one_batch_are_told_apart(zombie_first):
    """A process that froze, lost its task and claimed it again ends both attempts at once."""
    task = kit.greet()
    child = kit.greet(needs=[task])
    zombie, second = reclaimed(task)
    batch = [kit.ending(zombie, result='"zombie"'), kit.ending(second, result='"second"')]
    fenced = kit.commit(*(batch if zombie_first else batch[::-1]))
    assert [e.epoch for e in fenced] == [1]
    assert tasks.get(task.id).result == "second"
    assert attempts(task)[1].outcome is Outcome.lost
    assert kit.status(child) == [Status.queued]


@pytest.mark.parametrize("move", [Move.complete, Move.fail])
def test_an_attempt_of_the_same_number_that_another_worker_has_is_left_alone(move):
    """A server that lost what it had answered for, by a failover or an older copy, gives numbers out again."""
    task, other = kit.greet(), kit.greet()
    mine, fine = kit.take()
    kit.execute("UPDATE tasks SET worker = 'another' WHERE id = :id", id=task.id)
    fenced = kit.commit(kit.ending(mine, move), kit.ending(fine))
    assert [e.task_id for e in fenced] == [task.id]
    assert kit.status(task, other) == [Status.running, Status.completed]
    assert attempts(task) == {}


def test_the_same_ending_counts_once_in_two_commits():
    task = kit.greet()
    ending = kit.ending(kit.take_one(task))
    assert kit.commit(ending) == []
    assert kit.commit(ending) == [ending]
    assert len(kit.events("fence", task)) == 1


def test_the_same_ending_counts_once_in_one_batch():
    task = kit.greet()
    ending = kit.ending(kit.take_one(task))
    kit.commit(ending, ending)
    assert kit.status(task) == [Status.completed]


def test_one_fenced_ending_lets_the_rest_of_its_batch_land():
    ids = tasks.enqueue_many("greet", [{}] * 20)
    claimed = kit.take()
    kit.execute(f"UPDATE tasks SET epoch = epoch + 1 WHERE id = {ids[7]}")
    assert [e.task_id for e in kit.finish(claimed)] == [ids[7]]
    assert kit.count("status = 'completed'") == 19
    assert kit.status(ids[7]) == [Status.running]


NO_NUMBER, NO_TEXT = {"extras": {"cpu_s": float("nan")}}, {"result": r'"\u0000"'}  # JSON and PostgreSQL have no such


@pytest.mark.parametrize("bad", [NO_NUMBER, NO_TEXT], ids=["no number", "no text"])
def test_an_ending_that_cannot_be_stored_fails_its_task_alone(core, bad):
    if core == "sqlite" and bad is NO_TEXT:
        pytest.skip("SQLite stores any text")
    ids = tasks.enqueue_many("greet", [{}] * 5)
    endings = [kit.ending(claimed) for claimed in kit.take()]
    endings[3] = replace(endings[3], **bad)
    writer = Writer()
    for each in endings:
        writer.hand_over(each)
    writer.start()
    assert writer.stop(10)
    assert kit.status(*ids) == [Status.completed] * 3 + [Status.failed, Status.completed]
    failed = tasks.get(ids[3])
    assert failed.error.startswith("its ending could not be stored: ")
    assert (failed.tries, attempts(failed)[1].outcome) == (1, Outcome.failed)


def test_many_large_results_are_written_a_few_a_commit_so_that_others_can_write_between():
    ids = tasks.enqueue_many("greet", [{}] * 20)
    writer = Writer()
    for claimed in kit.take():
        writer.hand_over(kit.ending(claimed, result=f'"{"x" * (2**20 - 2)}"'))
    commits = []
    with kit.hooked("commit", commits.append):
        writer.start()
        assert writer.stop(30)
    assert len(commits) >= 3
    assert kit.status(*ids) == [Status.completed] * 20


def test_two_racing_endings_of_one_attempt_land_once():
    ids = tasks.enqueue_many("greet", [{}] * 100)
    endings = [kit.ending(claimed) for claimed in kit.take()]
    outcomes = kit.race(100, *[lambda n: kit.commit(endings[n])] * 2)
    assert all(sorted(map(len, both)) == [0, 1] for both in outcomes)
    assert kit.status(*ids) == [Status.completed] * 100


def test_an_ending_whose_commit_was_not_answered_is_found_again():
    task, other = kit.greet(), kit.greet()
    done, open_ = [kit.ending(claimed) for claimed in kit.take()]
    kit.commit(done)
    assert already_ended([done, open_]) == {(task.id, 1)}
    assert kit.status(other) == [Status.running]


def test_a_hand_back_of_what_never_started_is_found_again_although_it_leaves_no_attempt():
    """Told again it would be refused, and the audit trail would speak of a zombie where there was none."""
    kit.greet(), kit.greet(), kit.greet()
    returned, again, kept = kit.take()
    back, taken_again, open_ = (
        kit.ending(claim, Move.hand_back, started_at=None) for claim in (returned, again, kept)
    )  # fmt: skip
    kit.commit(back, taken_again)
    assert {claim.id for claim in kit.take(2)} == {returned.id, again.id}
    assert already_ended([back, taken_again, open_]) == {back.key, taken_again.key}


def test_what_a_rescuer_wrote_is_not_taken_for_ones_own_ending():
    task = kit.greet()
    mine = kit.ending(kit.take_one(task))
    kit.execute(GONE)
    rescue.rescue()
    assert already_ended([mine]) == set()


def test_a_connection_lost_at_commit_changes_all_or_nothing_and_says_so(core):
    """The server ends the connection between the statements and the commit."""
    if core == "sqlite":
        pytest.skip("SQLite has no connection to lose")
    task = kit.greet()
    ending = kit.ending(kit.take_one(task))
    with pytest.raises(DBAPIError) as lost, transaction() as session:
        kit.end(session, kit.Batch([ending]))
        pid = session.connection().exec_driver_sql("SELECT pg_backend_pid()").scalar()
        with engine().connect() as other:
            other.exec_driver_sql(f"SELECT pg_terminate_backend({pid}, 5000)")
    assert is_away(lost.value)
    assert kit.status(task) == [Status.running]
    assert kit.commit(ending) == []


def test_a_retry_spends_a_try_and_waits_for_its_time():
    task = kit.greet(retries=2)
    kit.finish(kit.take_one(task), Move.defer)
    again = tasks.get(task.id)
    assert (again.status, again.tries, again.error) == (Status.pending, 1, "no such album")
    assert attempts(task)[1].outcome is Outcome.retried


def test_a_hand_back_spends_nothing_and_an_unstarted_one_leaves_no_attempt():
    task = kit.greet()
    kit.finish(kit.take_one(task), Move.hand_back, started_at=None)
    assert attempts(task) == {}
    kit.finish(kit.take_one(task), Move.hand_back)
    back = tasks.get(task.id)
    assert (back.status, back.tries, back.losses, back.epoch) == (Status.queued, 0, 0, 2)
    assert attempts(task)[2].outcome is Outcome.handed_back


@pytest.mark.parametrize("move", [Move.defer, Move.hand_back])
def test_a_task_that_comes_back_with_a_cancellation_is_cancelled(move):
    task = kit.greet()
    child = kit.greet(needs=[task])
    claimed = kit.take_one(task)
    tasks.cancel(task.id, "wrong album")
    kit.finish(claimed, move)
    ended = tasks.get(task.id)
    assert (ended.status, ended.cancel_reason) == (Status.cancelled, "wrong album")
    assert attempts(task)[1].outcome is Outcome.cancelled
    assert kit.status(child) == [Status.cancelled]
    counted = "SELECT sum(n) FROM rollup_deltas WHERE hour > 0 AND measure = :measure"
    assert kit.scalar(counted, measure="cancelled") == 2, "the task, and its child"
    assert not kit.scalar(counted, measure=kit.OUTCOMES[move].value)


def test_a_completion_after_a_failed_try_leaves_no_error_behind():
    task = kit.greet()
    kit.finish(kit.take_one(task), Move.defer, run_at=now())
    kit.execute("UPDATE tasks SET status = 'queued' WHERE id = :id", id=task.id)
    kit.execute("UPDATE rollup_deltas SET measure = 'queued' WHERE measure = 'pending'")
    kit.finish(kit.take_one(task), result=None)
    done = tasks.get(task.id)
    assert (done.status, done.error, done.error_class, done.result) == (Status.completed, None, None, None)
