"""Accepted is durable; what was not accepted has left nothing."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from models import Status, now, transaction
from models.db import reading
from services import tasks
from services.errors import InvalidInput
from services.options import Options
from tests.services import kit

pytestmark = pytest.mark.usefixtures("core")


class ChangedTheirMind(Exception):
    """The caller's own reason to roll back."""


def test_an_accepted_task_is_there_for_another_process(rings, crowd):
    task = tasks.enqueue("greet", {"name": "lisbon"}, title="Hello", tags=["a", "b"], context={"return_path": "/x"})
    assert (task.status, task.queue, task.priority, task.max_tries) == (Status.queued, "default", 50, 4)
    assert rings == ["default"]
    (seen,) = crowd.do(look, task.id, processes=1)
    assert seen == ("queued", {"name": "lisbon", "n": 0, "ratio": 0.5, "data": None}, ["a", "b"], {"return_path": "/x"})


def test_what_enqueue_returns_is_what_stands_in_the_ledger():
    there = timezone(timedelta(hours=5, minutes=30))
    rich = tasks.enqueue(
        "greet", {"name": "agra"}, title="Hello", tags=["a"], priority=70, unique_key="u", concurrency_key="c",
        run_at=datetime(2029, 1, 1, 6, tzinfo=there), expires_at=datetime(2030, 1, 1, tzinfo=there), timeout=9,
    )  # fmt: skip
    for given in (rich, tasks.enqueue("greet", {"name": "lisbon"}), tasks.enqueue("greet", {}, needs=[rich.id])):
        read = tasks.get(given.id)
        assert given.model_dump() == read.model_dump()
        assert {name: type(value) for name, value in given} == {name: type(value) for name, value in read}
        assert given.body.model_dump() == read.body.model_dump()


def test_a_task_that_needs_nothing_is_accepted_by_one_statement(core):
    if core == "sqlite":
        pytest.skip("SQLite has no round trips to spare")
    tasks.enqueue("greet", {})
    statements = []
    with kit.watching(statements):
        tasks.enqueue("greet", {})
    assert len(statements) == 1


def look(_, task_id):
    task = tasks.get(task_id)
    return task.status.value, task.body.payload, task.tags, task.body.context


def test_a_type_says_what_applies_where_the_task_says_nothing():
    plain = tasks.enqueue("count", {})
    assert (plain.queue, plain.max_tries, plain.timeout_s) == ("numbers", 1, 30.0)
    own = tasks.enqueue("count", {}, queue="other", retries=4, timeout=timedelta(minutes=2))
    assert (own.queue, own.max_tries, own.timeout_s) == ("other", 5, 120.0)


def test_ids_grow_and_come_in_the_order_of_the_payloads():
    ids = tasks.enqueue_many("greet", ({"n": n} for n in range(2_500)))
    assert ids == sorted(set(ids))
    assert [tasks.get(ids[n]).body.payload["n"] for n in (0, 999, 1000, 2_499)] == [0, 999, 1000, 2_499]
    kit.execute("DELETE FROM tasks WHERE id = :id", id=ids[-1])
    kit.execute("DELETE FROM task_bodies WHERE task_id = :id", id=ids[-1])
    kit.execute("UPDATE rollup_deltas SET n = n - 1 WHERE id = (SELECT max(id) FROM rollup_deltas)")
    assert kit.greet().id > ids[-1], "an id is never used twice"


def test_many_tasks_are_written_in_few_statements():
    statements = []
    with kit.watching(statements):
        tasks.enqueue_many("greet", [{"n": n} for n in range(2_500)])
    assert len(statements) < 40


@pytest.mark.parametrize("large", ["payload", "context"])
def test_many_large_tasks_are_accepted_a_few_a_commit_so_that_others_can_write_between(large):
    of_payload, of_context = ({"name": "x" * (2**20 - 100)}, None, 20), ({}, {"x": "x" * 60_000}, 350)
    payload, context, many = of_payload if large == "payload" else of_context
    commits = []
    with kit.hooked("commit", commits.append):
        ids = tasks.enqueue_many("greet", [payload] * many, context=context)
    assert len(commits) >= 3
    assert [tasks.get(ids[n]).body.context for n in (0, -1)] == [context] * 2
    assert (len(ids), ids) == (many, sorted(set(ids)))


def test_no_tasks_at_all_are_no_error(rings):
    assert tasks.enqueue_many("greet", []) == []
    assert rings == []


def test_what_is_rolled_back_was_never_there(rings):
    with pytest.raises(ChangedTheirMind), transaction():
        first = kit.greet()
        kit.greet(needs=[first], concurrency_key="k", queue="new")
        tasks.enqueue_many("greet", [{}] * 10)
        raise ChangedTheirMind
    assert (kit.count(), rings) == (0, [])
    assert kit.scalar("SELECT count(*) FROM task_bodies") == 0
    assert kit.scalar("SELECT count(*) FROM rollup_deltas") == 0
    assert kit.take_one(kit.greet(queue="new")), "a queue first named in a transaction that was rolled back is served"


def test_both_or_neither():
    with transaction():
        first = kit.greet()
        second = kit.greet(needs=[first])
    assert kit.status(first, second) == [Status.queued, Status.pending]


def test_the_bell_rings_after_the_commit_and_not_before(rings):
    with transaction():
        kit.greet(queue="mail")
        assert rings == []
    assert rings == ["mail"]


def test_what_is_not_ready_rings_no_bell(rings):
    kit.greet(run_at=now() + timedelta(hours=1))
    assert rings == []


def test_a_refusal_within_a_transaction_leaves_the_rest_of_it_whole():
    with transaction():
        first = kit.greet()
        for wrong in ({"priority": 0}, {"needs": [10**6]}, {"unique_key": ""}):
            with pytest.raises(InvalidInput):
                kit.greet(**wrong)
    assert kit.status(first) == [Status.queued]
    assert kit.count() == 1


def test_one_bad_payload_among_thousands_writes_nothing():
    payloads = [{"n": n} for n in range(2_500)]
    payloads[2_400] = {"n": "many"}
    with pytest.raises(InvalidInput, match="payload/2400/n: 'many' does not fit greet"):
        tasks.enqueue_many("greet", payloads)
    assert kit.count() == 0


def test_a_write_inside_a_question_is_refused():
    with reading(), pytest.raises(RuntimeError, match="a write inside reading"):
        kit.greet()


def test_the_largest_payload_is_accepted_and_comes_back():
    name = "ü" * ((1024 * 1024 - 60) // 2)
    task = tasks.enqueue("greet", {"name": name})
    assert tasks.get(task.id).body.payload["name"] == name


@pytest.mark.parametrize(
    "value",
    ["", " ", "\x01\x1f\x7f\x85", "שלום \u202e abc", "👩‍👩‍👧‍👦", "'; DROP TABLE tasks; --", '\\"', "\\u0000",
     "%s %(x)s {} :name",
     2**53, -(2**53), 0.1, 1e308, 5e-324, -0.0, 1.0, True, False, None, [], {}, [[[[]]]], {"": {"": ""}},
     {"a/b~c": 1, "$ref": "#", "__proto__": 1}, "\ufeff\uffff\U0010ffff", "NaN", "1e999"],
    ids=ascii,
)  # fmt: skip
def test_what_json_can_hold_comes_back_as_it_was(value):
    task = tasks.enqueue("greet", {"data": value}, context={"data": value})
    body = tasks.get(task.id).body
    assert body.payload["data"] == value
    assert type(body.payload["data"]) is type(value)
    assert body.context == {"data": value}
    assert kit.take_one(task).payload["data"] == value


def test_names_of_every_script_are_kept_as_they_are_said_and_keys_are_told_apart_by_every_letter():
    names = ["porto", "Porto", "pörto", "po\u0308rto", "по\u0440то", "🦆", "👩\u200d🚀", "a\u200bb", "بورتو"]
    made = [kit.greet(title=name, unique_key=name, tags=[name]) for name in names]
    assert len({task.id for task in made}) == len(names)
    kept = [tasks.get(task.id) for task in made]
    assert [(task.title, task.unique_key, task.tags) for task in kept] == [(name, name, [name]) for name in names]


def test_times_are_kept_as_instants_whatever_their_zone():
    at = datetime.now(UTC).replace(microsecond=123456) + timedelta(hours=3)
    task = kit.greet(run_at=at.astimezone(timezone(timedelta(hours=-9, minutes=-30))))
    assert tasks.get(task.id).run_at == at
    assert tasks.get(task.id).run_at.utcoffset() == timedelta(0)


def test_options_may_be_made_beforehand():
    assert tasks.enqueue("greet", {}, Options(priority=7)).priority == 7
    with pytest.raises(InvalidInput, match="options: give either Options or their fields by name, not both"):
        tasks.enqueue("greet", {}, Options(priority=7), priority=8)


def test_many_children_of_many_parents_are_written_in_bounded_steps():
    parents = tasks.enqueue_many("greet", [{}] * 300)
    children = tasks.enqueue_many("greet", [{}] * 100, needs=parents)
    assert kit.scalar("SELECT count(*) FROM task_needs") == 30_000
    assert tasks.get(children[0]).waits_on == 300
