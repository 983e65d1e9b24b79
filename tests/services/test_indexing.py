"""The index of words follows the tasks, with any number of processes at it."""

import pytest

from models import Move, transaction
from models.db import engine
from services import indexing, search, tasks
from services.errors import NotFound
from services.search import TaskFilter
from tests.services import kit
from tests.services.looking import found, found_by, index_all, title


def test_every_task_is_indexed_once_however_many_look(core, crowd):
    tasks.enqueue_many("greet", [{}] * 900)
    crowd.do(index_until_done)
    assert kit.scalar("SELECT count(*) FROM task_search") == 900
    assert search.count(TaskFilter(text="greet")).n == 900


def index_until_done(n: int) -> int:
    """A process's share."""
    total, quiet = 0, 0
    while quiet < 5:
        done = indexing.index(100)
        total, quiet = total + done, 0 if done else quiet + 1
    return total


def test_a_task_that_was_committed_after_a_higher_id_is_indexed(core):
    if core == "sqlite":
        pytest.skip("SQLite has one writer: ids are committed in their order")
    with engine().connect() as slow:
        slow.exec_driver_sql("BEGIN")
        kit_row = (
            "INSERT INTO tasks (type, type_version, title, queue, priority, status, epoch, tries, max_tries, losses, "
            "waits_on, on_parent_failure, parked, created_by_kind, tags, run_at, created_at, updated_at) "
            "VALUES ('greet', 1, 'straggler', 'default', 50, 'queued', 0, 0, 1, 0, 0, 'cancel', false, 'api', '[]', "
            "now(), now(), now()) RETURNING id"
        )
        late = slow.exec_driver_sql(kit_row).scalar_one()
        early = [kit.greet().id for _ in range(3)]
        assert late < min(early)
        assert index_all() == 3
        assert found(text="straggler") == []
        slow.exec_driver_sql(f"INSERT INTO task_bodies (task_id, payload) VALUES ({late}, '{{}}')")
        slow.commit()
    assert index_all() == 1
    assert found(text="straggler") == [late]
    with transaction() as session:  # for the soundness check: this row was not counted
        for table, column in (("task_bodies", "task_id"), ("task_search", "task_id"), ("tasks", "id")):
            session.connection().exec_driver_sql(f"DELETE FROM {table} WHERE {column} = {late}")


def test_an_idle_look_writes_nothing(core):
    kit.finish(kit.take_one(kit.greet()), Move.fail)
    index_all()
    before = kit.scalar("SELECT failed_at FROM search_mark")
    assert search.index() == 0
    assert kit.scalar("SELECT failed_at FROM search_mark") == before


def test_a_batch_is_no_larger_than_asked(core):
    tasks.enqueue_many("greet", [{}] * 25)
    assert [search.index(10) for _ in range(3)] == [10, 10, 5]


def test_what_is_forgotten_is_not_found(core):
    one, two = title("Lisbon"), title("Lisbon")
    assert found_by("lisbon") == [two, one]
    with transaction() as session:
        search.forget(session, [one])
    assert found(text="lisbon") == [two]
    assert kit.scalar("SELECT count(*) FROM task_search") == 1


def test_payloads_with_every_kind_of_text_are_indexed(core):
    odd = [
        "\u0001control",
        "emoji 🎈 balloon",
        "\ud7ff",
        "tab\tand\nline",
        "q\"uote's\\",
        "\u202eright",
        "ﬁne ligature",
    ]
    ids = [tasks.enqueue("greet", {"name": name, "data": [None, True, 1.5e-7, -3]}).id for name in odd]
    assert index_all() == len(odd)
    assert found(text="balloon") == [ids[1]]
    assert found(text="fine") == [ids[6]]


def test_a_task_that_is_gone_is_no_task(core):
    with pytest.raises(NotFound):
        tasks.get(1)
    assert search.by_ids([1]) == []
