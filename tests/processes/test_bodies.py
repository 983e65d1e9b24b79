"""What bodies may do, and what they do although they may not, in one worker that survives all of it."""

from collections.abc import Iterator

import psutil
import pytest

from models import Outcome, Status, transaction
from services import tasks
from tests.processes import facts, kinds, odd_kinds
from tests.processes.conftest import one_shared
from tests.processes.programs import Crew, Started
from tests.services import kit
from tests.support import wait_until


@pytest.fixture(scope="module")
def one(shared: Crew) -> Iterator[Started]:
    """The worker of this module: the same process at the end as at the beginning."""
    process = shared.worker().up()
    yield process
    assert process.runs(), "the worker did not survive"
    assert facts.completed([kinds.echo.enqueue(text="still here").id])[0].result["text"] == "still here"


pytestmark = pytest.mark.usefixtures("one")


def only(task_id: int):
    """The task's one attempt, once the task has ended."""
    facts.ended([task_id])
    (attempt,) = facts.attempts(task_id)
    return attempt


def said(task_id: int) -> list[tuple[str, str]]:
    return [(line.level, line.message) for line in facts.log_lines(task_id)]


def test_a_result_a_log_line_and_progress_arrive(shared):
    task = kinds.echo.enqueue(text="grüße\u2028", number=7)
    assert facts.completed([task.id])[0].result == {"text": "grüße\u2028", "number": 7}
    (line,) = facts.log_lines(task.id)
    assert (line.message, line.fields, line.epoch, line.seq) == ("saying grüße\u2028", {"number": 7}, 1, 1)
    slept = facts.completed([kinds.sleepy.enqueue(seconds=0.1).id])[0]
    assert (slept.progress_percent, slept.progress_note, slept.tries) == (100.0, "sleeping", 0)


@pytest.mark.parametrize("what", ["nan", "object", "huge"])
def test_an_unfit_result_fails_for_good_with_a_sentence(shared, what):
    task = kinds.unfit.enqueue(what=what)
    attempt = only(task.id)
    assert (attempt.outcome, attempt.error_class) == (Outcome.failed, "GiveUp")
    assert attempt.error_text.startswith("the body's result is unfit: result")
    assert tasks.get(task.id).result is None


def test_a_result_that_cannot_be_written_fails_with_the_reason(shared):
    here, alone = only(odd_kinds.unwilling.enqueue().id), only(odd_kinds.unwilling_alone.enqueue().id)
    for attempt in (here, alone):
        assert attempt.outcome is Outcome.failed
        assert "I will not be written" in attempt.error_text


@pytest.mark.parametrize("kind", [odd_kinds.overflowing, odd_kinds.overflowing_alone])
def test_words_and_numbers_that_no_column_holds_are_cut_and_harm_nothing(shared, kind):
    task = kind.enqueue()
    done = facts.completed([task.id])[0]
    assert done.progress_done == 3
    assert [line.message for line in facts.log_lines(task.id)] == ["nul \ufffd, half a pair ?", "last"]
    assert only(task.id).engine == "e" * 100


@one_shared
@pytest.mark.parametrize(
    ("what", "error"),
    [
        ("exit", "SystemExit"),
        ("base", "BaseException"),
        ("interrupt", "KeyboardInterrupt"),
        ("generator", "GeneratorExit"),
    ],
)
def test_what_is_no_exception_fails_the_task_and_not_the_worker(shared, what, error):
    attempt = only(kinds.unfit.enqueue(what=what).id)
    assert (attempt.outcome, attempt.error_class) == (Outcome.failed, error)


@one_shared
def test_an_error_without_words_is_told_by_its_name(shared):
    attempt = only(kinds.unfit.enqueue(what="bad str").id)
    assert (attempt.error_class, attempt.error_text) == ("_BadStr", "(the error's own message could not be read)")
    assert "raise _BadStr" in attempt.traceback


@one_shared
@pytest.mark.parametrize("isolated", [False, True])
def test_an_errors_words_are_cut_and_no_password_is_kept(shared, isolated):
    words = "no answer from https://ada:hunter2@example.org password=hunter2 " + "x" * 500_000
    kind = odd_kinds.giving_up_alone if isolated else kinds.giving_up
    attempt = only(kind.enqueue(why=words).id)
    assert attempt.error_text.startswith("no answer from https://***@example.org password=*** xxx")
    assert len(attempt.error_text) <= 8_192
    assert "hunter2" not in attempt.traceback


@one_shared
def test_a_gigabyte_of_prints_is_cut_and_does_not_fill_the_worker(shared, one):
    task = kinds.unfit.enqueue(what="print")
    most = 0

    def over() -> bool:
        nonlocal most
        most = max(most, psutil.Process(one.pid).memory_info().rss)
        return tasks.get(task.id).finished

    wait_until(over, timeout=facts.SLOW_S, every=0.05)
    assert tasks.get(task.id).result == "printed"
    assert most < 250 * 10**6
    lines = said(task.id)
    assert lines[-1] == ("warning", "the log is full; further lines are dropped")
    assert sum(len(message) for _, message in lines) < 1.1 * 2**20


@one_shared
def test_twenty_thousand_log_lines_are_cut_at_ten_thousand_and_that_is_said(shared):
    task = odd_kinds.wordy.enqueue(lines=20_000)
    assert facts.completed([task.id])[0].result == 20_000
    lines = said(task.id)
    assert len(lines) == 10_001
    assert lines[9_999] == ("info", "line 9999")
    assert lines[-1] == ("warning", "the log is full; further lines are dropped")


@pytest.mark.parametrize("kind", [odd_kinds.printing, odd_kinds.printing_alone])
def test_what_a_body_prints_and_logs_lands_in_its_log(shared, kind):
    task = kind.enqueue(words="greetings")
    facts.completed([task.id])
    assert said(task.id) == [
        ("info", "greetings from print"),
        ("info", "one line"),
        ("info", "and another"),
        ("warning", "greetings from the error stream"),
        ("info", "greetings from logging"),
        ("error", "greetings, an error"),
        ("info", "no line end"),
    ]


def test_a_retry_waits_and_says_which_try_it_is(shared):
    task = kinds.failing.enqueue(times=2, pause=0.2)
    assert facts.completed([task.id])[0].result == {"attempt": 3}
    first, second, third = facts.attempts(task.id)
    assert (first.outcome, second.outcome, third.outcome) == (Outcome.retried, Outcome.retried, Outcome.completed)
    assert facts.seconds(second.started_at, first.ended_at) >= 0.2


def test_giving_up_is_final_and_the_last_retry_fails(shared):
    given_up, spent = kinds.giving_up.enqueue(why="the album is empty"), kinds.failing.enqueue(times=9)
    assert only(given_up.id).error_text == "the album is empty"
    assert [t.status for t in facts.ended([given_up.id, spent.id])] == [Status.failed, Status.failed]
    assert facts.outcomes(spent.id) == [Outcome.retried, Outcome.retried, Outcome.failed]
    assert tasks.get(spent.id).tries == 3


def test_a_payload_of_an_older_release_that_no_longer_fits_fails_for_good_with_a_sentence(shared):
    with transaction():
        task = kinds.echo.enqueue()
        kit.execute("""UPDATE task_bodies SET payload = '{"txt": "hello"}' WHERE task_id = :id""", id=task.id)
    attempt = only(task.id)
    assert (attempt.outcome, attempt.error_class) == (Outcome.failed, "GiveUp")
    assert attempt.error_text.startswith("the payload no longer fits echo: ")
    assert "txt" in attempt.error_text


def test_what_a_body_enqueues_is_its_child(shared):
    task = kinds.parent.enqueue(children=2)
    made = facts.completed([task.id])[0].result
    for child in facts.completed(made):
        assert (child.parent_id, child.created_by_kind) == (task.id, "task")
    nested = facts.completed([odd_kinds.gathering.enqueue().id])[0]
    assert facts.completed([nested.result["child"]])[0].parent_id == nested.id


# In a process of their own


@one_shared
def test_an_isolated_body_runs_in_another_process_and_its_costs_are_known(shared, one):
    task = odd_kinds.crunching.enqueue(seconds=0.3)
    assert facts.completed([task.id])[0].result == 64 * 2**20
    attempt = only(task.id)
    assert 0.3 <= attempt.cpu_s < 3
    assert 64 * 2**20 < attempt.peak_rss < 400 * 2**20
    other = facts.completed([kinds.alone.enqueue().id])[0]
    assert other.result["pid"] != one.pid
    assert [line.message for line in facts.log_lines(other.id)] == ["alone: ok"]
    assert (other.progress_done, other.progress_total, other.progress_note) == (1, 2, "ok")


def test_an_isolated_body_knows_what_it_needed(shared):
    first = kinds.echo.enqueue(text="before")
    task = odd_kinds.gathering.with_options(needs=[first]).enqueue()
    done = facts.completed([task.id])[0]
    assert done.result["needs"] == [[first.id, "completed", {"text": "before", "number": 1}]]
    assert done.progress_step == "first"


@one_shared
def test_an_isolated_body_stores_a_file_and_reads_it_back(shared):
    done = facts.completed([odd_kinds.filing.enqueue(words="kept").id])[0]
    assert (done.result["size"], done.result["read"]) == (4, "kept")


@one_shared
def test_an_isolated_error_comes_with_the_childs_traceback(shared):
    task = kinds.alone.with_options(retries=0).enqueue(what="raise")
    attempt = only(task.id)
    assert (attempt.error_class, attempt.error_text) == ("ValueError", "wrong in the child")
    assert 'raise ValueError("wrong in the child")' in attempt.traceback
    assert attempt.cpu_s is not None
    assert only(kinds.alone.with_options(retries=0).enqueue(what="exit").id).error_class == "SystemExit"


@one_shared
def test_an_error_that_is_merely_called_like_one_of_ours_is_an_error(shared):
    attempt = only(odd_kinds.namesake.enqueue().id)
    assert (attempt.outcome, attempt.error_class, attempt.error_text) == (Outcome.failed, "Cancelled", "by the bank")


@one_shared
def test_a_child_that_dies_costs_a_loss_and_three_of_them_the_task(shared):
    task = kinds.alone.enqueue(what="die")
    done = facts.ended([task.id])[0]
    assert (done.status, done.losses, done.tries) == (Status.failed, 3, 0)
    assert facts.outcomes(task.id) == [Outcome.lost] * 3
    assert "SIGKILL" in done.error


@one_shared
def test_the_memory_limit_ends_the_task_with_a_sentence(shared):
    attempt = only(kinds.hungry.enqueue(megabytes=1000).id)
    assert attempt.outcome is Outcome.failed
    assert attempt.error_text == "out of memory: the task's limit is 300 MB; give its type a higher memory_mb"
    assert facts.completed([kinds.hungry.enqueue(megabytes=100).id])


@one_shared
@pytest.mark.parametrize("how", ["print", "c prints", "signal", "thread", "closed", "fork", "moved"])
def test_a_noisy_child_does_no_harm(shared, how):
    assert facts.completed([odd_kinds.noisy.enqueue(how=how).id])[0].result == how
