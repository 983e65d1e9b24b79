"""Every statement of the core finds its rows by an index, however long the history is."""

import json
import re
from datetime import timedelta

import pytest
from sqlalchemy import text

from models import Move, Role, migrate, now
from models.db import engine
from services import inbox, operators, tasks
from services.audit import acting_as
from services.lifecycle import rescue
from services.lifecycle.claim import claim
from services.lifecycle.release import expire, release, unpark
from tests.conftest import empty, forget, use
from tests.services import kit

HISTORY = 20_000

FILL = """
    INSERT INTO tasks (type, type_version, title, queue, priority, status, epoch, tries, max_tries, losses, waits_on,
        on_parent_failure, parked, created_by_kind, owner, tags, run_at, created_at, updated_at, finished_at,
        unique_key, concurrency_key, root_id)
    SELECT 'greet', 1, '', 'default', 50, 'completed', 1, 0, 4, 0, 0, 'cancel', FALSE,
        CASE n % 4 WHEN 0 THEN 'operator' ELSE 'api' END, CASE n % 4 WHEN 0 THEN 1000 + n % 100 END, '[]',
        :at, :at, :at, :at, 'key' || n, 'k' || (n % 100), n
    FROM (WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < :many) SELECT n FROM c) AS counted
"""
MORE = [
    f"INSERT INTO task_bodies (task_id, payload) SELECT id, '{json.dumps({'name': 'x' * 400})}' FROM tasks",
    "INSERT INTO attempts (task_id, epoch, worker, started_at, ended_at, outcome, forced) "
    "SELECT id, 1, 'w', created_at, finished_at, 'completed', FALSE FROM tasks",
    *(
        f"INSERT INTO task_needs (child, parent, settled_at) SELECT id, id - {n}, finished_at FROM tasks WHERE id > {n}"
        for n in (1, 2, 3)
    ),
]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def long_history(request, tmp_path_factory):
    """A ledger with many ended tasks and a few hundred that live."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
    with pytest.MonkeyPatch.context() as patch:
        use(patch, tmp_path_factory.mktemp("long") / "var", url)
        migrate.upgrade()
        if url is not None:
            empty()
        stored = "now()" if url else f"'{now():%Y-%m-%d %H:%M:%S.%f}'"
        kit.execute(FILL.replace(":at", stored), many=HISTORY)
        for statement in MORE:
            kit.execute(statement)
        with kit.known(kit.a_type("greet"), kit.a_type("count")):
            tasks.enqueue_many("greet", [{}] * 300)
            tasks.enqueue_many(
                "greet", [{}] * 100, run_at=now() + timedelta(days=1), expires_at=now() + timedelta(days=2)
            )
            tasks.enqueue_many("greet", [{}] * 50, concurrency_key="k1", priority=60)
            kit.take(100, "other")
            if url is not None:
                kit.execute("ANALYZE")
            yield request.param
        if url is not None:
            empty()
    forget()


def plans(act):
    """Do it, and return of each of its statements how the database finds the rows."""
    sent = []

    def note(_connection, _cursor, statement, parameters, *_):
        sent.append((statement, parameters))

    with kit.hooked("before_cursor_execute", note):
        act()
    explain = "EXPLAIN" if engine().dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
    found = {}
    with engine().connect() as connection:
        for statement, parameters in sent:
            if re.match(r"\s*(SELECT|UPDATE|DELETE|WITH)|\s*INSERT[^;]*\sSELECT", statement) and parameters != []:
                rows = connection.exec_driver_sql(f"{explain} {statement}", parameters).all()
                found[statement] = "\n".join(str(row[-1]) for row in rows)
        connection.rollback()
    assert found
    return found


WHOLE_TABLE = re.compile(
    r"Seq Scan on (tasks|task_bodies|task_needs|attempts|events)"
    r"|SCAN (\w+)\b(?! USING (COVERING )?INDEX (ix_tasks_(line|parked|due|lease|worker|key_running|expires)|\w*open))"
)
SMALL = {
    "given", "given_json", "ids_json", "whole", "json_each", "reached", "struck", "parked", "counter", "served",
    "CONSTANT", "queues", "types", "unsettled", "key_limits", "workers", "operators",
}  # fmt: skip


def assert_found_by_index(act, *indexes):
    """None of its statements reads a whole table; together they use these indexes."""
    found = plans(act)
    for statement, plan in found.items():
        for match in WHOLE_TABLE.finditer(plan):
            assert match[2] in SMALL, f"{plan}\n\n{statement}"
    everything = "\n".join(found.values())
    for index in indexes:
        assert index in everything, f"{index} is not used:\n{everything}"


@pytest.fixture
def claimed(long_history):
    """A running task with a key."""
    kit.greet(concurrency_key="own", priority=100)
    (one,) = kit.take(1)
    return one


def test_a_claim_reads_the_head_of_the_line(long_history):
    assert_found_by_index(lambda: kit.finish(kit.take(5), Move.hand_back), "ix_tasks_line")


def test_a_claim_reads_no_more_than_the_head_of_a_long_line_of_many_types(long_history):
    """PostgreSQL had combined two indexes, and read and sorted the whole line, at each claim."""
    with kit.known(kit.a_type("rare")):
        for queue in ("mail", "media", "reports"):
            for name in ("count", "rare"):
                tasks.enqueue_many(name, [{}] * 1_500, queue=queue, priority=1)
        for statistics in ("of before", "of now"):
            if long_history == "postgresql" and statistics == "of now":
                kit.execute("ANALYZE")
            for most in (1, 8, 250):
                found = plans(lambda most=most: claim("w", ["rare"], None, most, 60.0))
                line = [plan for plan in found.values() if "ix_tasks_line" in plan]
                assert line, found
                assert not re.search("Bitmap|ix_tasks_type|Sort Key: tasks|TEMP B-TREE", "".join(line)), line
        kit.execute("DELETE FROM task_bodies WHERE task_id IN (SELECT id FROM tasks WHERE priority = 1)")
        kit.execute("DELETE FROM tasks WHERE priority = 1")


def test_a_claim_of_tasks_with_keys_reads_what_runs_of_them(long_history):
    kit.greet(concurrency_key="k1", priority=99)
    assert_found_by_index(lambda: kit.take(3), "ix_tasks_line", "ix_tasks_key_running")


def test_a_claim_from_a_limited_queue_reads_what_runs_of_it(long_history):
    kit.greet(queue="limited")
    kit.execute("UPDATE queues SET max_running = 5 WHERE name = 'limited'")
    assert_found_by_index(lambda: kit.take(1, queues=["limited"]), "ix_tasks_line")


def test_an_idle_look_reads_nothing_else(long_history):
    assert_found_by_index(lambda: kit.take(1, queues=["mail"]) or kit.greet(queue="mail"))


@pytest.mark.parametrize("move", [Move.complete, Move.fail, Move.defer, Move.hand_back])
def test_an_ending_reads_its_own_rows(claimed, move):
    assert_found_by_index(lambda: kit.finish(claimed, move))


@pytest.mark.parametrize("move", [Move.complete, Move.fail, Move.defer, Move.hand_back])
def test_an_ending_walks_no_index_over_all_that_ever_ran(claimed, move):
    """Until the next vacuum such an index has an entry for each of them on PostgreSQL."""
    found = plans(lambda: kit.finish([claimed], move))
    assert not any("ix_tasks_lease" in plan for plan in found.values()), found


def test_an_ending_reads_the_open_edges_of_its_task(claimed):
    child = kit.greet(needs=[claimed.id])
    kit.greet(needs=[child])
    assert_found_by_index(lambda: kit.finish(claimed, Move.fail), "task_needs")


def test_what_is_due_is_found_among_what_waits(long_history):
    kit.execute("UPDATE tasks SET run_at = created_at WHERE id = (SELECT max(id) FROM tasks WHERE status = 'pending')")
    assert_found_by_index(release, "ix_tasks_due")


def test_what_expires_is_found_among_what_may(long_history):
    kit.execute(
        "UPDATE tasks SET expires_at = created_at WHERE id = (SELECT max(id) FROM tasks WHERE status = 'pending')"
    )
    assert_found_by_index(expire, "ix_tasks_expires")


def test_lost_tasks_are_found_among_what_runs(long_history, monkeypatch):
    monkeypatch.setattr(rescue, "_last_look", None)
    monkeypatch.setattr(rescue, "_patient_until", 0.0)
    kit.execute(
        "UPDATE tasks SET lease_until = created_at WHERE id = (SELECT min(id) FROM tasks WHERE status = 'running')"
    )
    assert_found_by_index(rescue.rescue, "ix_tasks_lease")
    assert_found_by_index(lambda: rescue.bury("other", None, "dead"))


def test_parked_tasks_are_found_by_their_key(long_history):
    kit.greet(concurrency_key="full", priority=100)
    kit.greet(concurrency_key="full", priority=100)
    kit.take(2)
    assert_found_by_index(unpark, "ix_tasks_parked")


def test_an_enqueue_reads_only_what_it_names(long_history):
    parents = tasks.enqueue_many("greet", [{}] * 5)
    assert_found_by_index(lambda: kit.greet(needs=parents, concurrency_key="new", unique_key="fresh"), "ux_tasks_live")


def test_acts_of_persons_read_what_they_name(long_history):
    task = kit.greet()
    child = kit.greet(needs=[task])
    kit.greet(needs=[child])
    assert_found_by_index(lambda: tasks.cancel(task.id))
    assert_found_by_index(lambda: tasks.rerun(task.id, dependents=True))
    assert_found_by_index(lambda: (tasks.reprioritise(task.id, 2), tasks.get(task.id).body, tasks.logs(task.id)))


def test_the_statements_of_a_claim_are_few_however_many_it_takes(long_history):
    def statements(limit):
        seen = []
        with kit.watching(seen):
            taken = kit.take(limit)
        kit.finish(taken, Move.hand_back)
        return len(seen)

    statements(1)
    assert statements(40) == statements(41) <= 16


def test_an_inbox_reads_what_ended_of_its_person(long_history):
    with acting_as(operators.create("ada", Role.member)):
        finish = kit.greet(priority=100)
        kit.finish(kit.take_one(finish))
        found = inbox.page(size=1).entries[0].task
        # PostgreSQL sees that nearly nobody here owns a task, and takes the index of owners
        assert_found_by_index(inbox.running, *(["ix_tasks_lease"] if long_history == "sqlite" else []))
        assert_found_by_index(lambda: (inbox.unread(), inbox.page()), "ix_tasks_inbox")
        assert_found_by_index(lambda: inbox.page(before=(now(), found.id)), "ix_tasks_inbox")
        assert_found_by_index(inbox.mark_all_read, "ix_tasks_inbox")


def test_the_history_is_really_there(long_history):
    assert kit.count("status = 'completed'") >= HISTORY
    with engine().connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM task_needs")).scalar_one() >= HISTORY - 1
