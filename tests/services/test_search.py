"""Tasks are found by everything one may remember of them."""

from datetime import UTC, datetime, timedelta

import pytest

from models import Move, Operator, Role, Status, Task, now, transaction
from models.db import is_postgresql
from services import audit, search, tasks
from services.errors import InvalidInput
from services.search import TaskFilter
from tests.services import kit
from tests.services.looking import found, found_by


def test_each_filter_finds_its_own(core):
    with transaction() as session:
        session.add(ana := Operator(name="ana", role=Role.operator))
    with audit.acting_as(ana):
        hers = kit.greet(tags=["vip", "a b"], schedule_id=7, slot="x")
    child = kit.greet(needs=[hers], queue="later")
    other = tasks.enqueue("count", {})
    cases: list[tuple[dict, list[int]]] = [
        ({"type": "count"}, [other.id]),
        ({"queue": "later"}, [child.id]),
        ({"owner": ana.id}, [hers.id]),
        ({"created_by_kind": "operator", "created_by_id": "ana"}, [hers.id]),
        ({"schedule_id": 7}, [hers.id]),
        ({"tag": "vip"}, [hers.id]),
        ({"tag": "a b"}, [hers.id]),
        ({"tag": "a"}, []),
        ({"tag": "%"}, []),
        ({"root_id": hers.id}, [child.id]),
        ({"status": "pending"}, [child.id]),
        ({"status": {Status.queued, Status.pending}, "type": "greet"}, [child.id, hers.id]),
    ]
    for asked, expected in cases:
        assert found(**asked) == expected, asked


def test_tasks_are_found_by_the_class_of_their_error_and_by_its_fingerprint(core):
    one, two, _ = kit.greet(), kit.greet(), kit.greet()
    for task, mark in ((one, "f1"), (two, "f2")):
        kit.finish(kit.take_one(task), Move.fail, error_class="Boom", fingerprint=mark)
    assert found(error="Boom") == [two.id, one.id]
    assert found(error="f1") == [one.id]
    assert found(error="Boo") == []


def test_what_failed_is_found_by_its_error_and_counted_once(core):
    both, other, later = kit.greet(), kit.greet(), kit.greet()
    for task, mark in ((both, "Boom"), (other, "f2"), (later, "f3")):
        kit.finish(kit.take_one(task), Move.fail, error_class="Boom", fingerprint=mark)
    newest_first = [later.id, other.id, both.id]
    assert found(error="Boom") == found(error="Boom", status=["failed", "cancelled"]) == newest_first
    assert search.count(TaskFilter(error="Boom")) == search.Count(3, False)
    assert search.count(TaskFilter(error="Boom", status="failed"), stop_at=2) == search.Count(2, True)
    assert found(error="Boom", status=Status.completed) == found(error="Boom", held=True) == []
    assert [task.id for task in search.page(TaskFilter(error="Boom"), before=later.id, size=1).rows] == [other.id]


def in_every_status() -> dict[Status, int]:
    """One task in each."""
    made = {}
    for status, move in ((Status.completed, Move.complete), (Status.failed, Move.fail)):
        task = kit.greet()
        kit.finish(kit.take_one(task), move)
        made[status] = task.id
    made[Status.cancelled] = tasks.cancel(kit.greet().id).id
    running = kit.greet()
    kit.take_one(running)
    return made | {
        Status.running: running.id,
        Status.queued: kit.greet().id,
        Status.pending: kit.greet(run_at=now() + timedelta(hours=1)).id,
    }


def test_any_set_of_statuses_is_found_newest_first(core):
    made = in_every_status()
    for n in range(64):
        wanted = {status for bit, status in enumerate(Status) if n >> bit & 1}
        expected = sorted((made[s] for s in wanted or set(Status)), reverse=True)
        assert found(status=wanted) == expected, wanted
        assert search.count(TaskFilter(status=wanted)).n == len(expected)


def test_held_tasks_are_found_by_themselves(core):
    parent = kit.greet()
    held = kit.greet(needs=[parent], on_parent_failure="hold")
    kit.greet(run_at=now() + timedelta(hours=1))
    kit.finish(kit.take_one(parent), Move.fail)
    assert found(held=True) == found(held=True, status=Status.pending) == [held.id]
    assert found(held=True, status=Status.failed) == []
    assert str(search.count(TaskFilter(held=True))) == "1"


def test_deleted_tasks_show_only_when_they_are_asked_for(core):
    seen, gone = kit.greet(), kit.greet()
    kit.run_all()
    tasks.delete(gone.id)
    assert found() == [seen.id]
    assert found(deleted=True) == [gone.id]
    assert found_by("greet") == [seen.id]


def test_times_are_from_included_to_excluded(core):
    ids = [kit.greet().id for _ in range(9)]
    day = datetime(2026, 3, 1, tzinfo=UTC)
    for n, i in enumerate(ids):
        at = (day + timedelta(days=n)).strftime("%Y-%m-%d %H:%M:%S.%f") + ("+00:00" if is_postgresql() else "")
        kit.execute("UPDATE tasks SET created_at = :at WHERE id = :i", at=at, i=i)
    assert found(created_from=day + timedelta(days=2), created_to=day + timedelta(days=4)) == ids[2:4][::-1]
    assert found(created_from=day + timedelta(days=7)) == ids[7:][::-1]
    assert found(created_to=day + timedelta(days=1)) == ids[:1]
    assert found(created_from=day + timedelta(days=30)) == found(created_to=day) == []
    kit.run_all()
    assert len(found(finished_from=now() - timedelta(minutes=1))) == 9
    assert found(finished_to=now() - timedelta(minutes=1)) == []


def test_what_ended_lately_is_found_however_many_are_newer(core, monkeypatch):
    monkeypatch.setattr(search, "NEWEST", 3)
    ids = [kit.greet().id for _ in range(5)]
    kit.run_all()
    tasks.enqueue_many("greet", [{}] * 5, run_at=now() + timedelta(hours=1))
    kit.finish(kit.take_one(broken := kit.greet()), Move.fail)
    lately = now() - timedelta(minutes=1)
    assert found(finished_from=lately) == [broken.id, *ids[::-1]]
    assert found(finished_from=lately, status=["completed", "failed"]) == [broken.id, *ids[::-1]]
    page = search.page(TaskFilter(status="completed", finished_from=lately), size=2)
    assert [task.id for task in page.rows] == ids[:2:-1]
    page = search.page(TaskFilter(status="completed", finished_from=lately), page.next_before, size=2)
    assert [task.id for task in page.rows] == ids[2:0:-1]
    assert found(finished_from=now() + timedelta(minutes=1)) == []


def test_an_empty_ledger_has_empty_answers(core):
    assert search.page(TaskFilter()) == search.Page([], None)
    assert found(created_from=now() - timedelta(days=1)) == []
    assert search.count(TaskFilter()) == search.Count(0, False)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"status": "done"}, "status"),
        ({"status": [Status.queued, "running "]}, "status"),
        ({"type": ""}, "type"),
        ({"type": 7}, "type"),
        ({"queue": "a\0b"}, "queue"),
        ({"owner": "1"}, "owner"),
        ({"root_id": 0}, "root_id"),
        ({"created_from": datetime(2026, 1, 1)}, "created_from"),  # noqa: DTZ001
        ({"finished_to": "today"}, "finished_to"),
        ({"text": "x" * 201}, "text"),
        ({"text": "a\0b"}, "text"),
        ({"text": "\ud800a"}, "text"),
        ({"text": 41}, "text"),
        ({"deleted": None}, "deleted"),
        ({"held": "yes"}, "held"),
    ],
)
def test_a_filter_that_cannot_be_is_refused(wrong, field):
    with pytest.raises(InvalidInput) as refused:
        TaskFilter(**wrong)
    assert refused.value.field == field


@pytest.mark.parametrize("text", [None, "", "   "])
def test_no_text_asks_for_nothing(text):
    assert TaskFilter(text=text) == TaskFilter()


# Pages and counts


def test_pages_follow_one_another_without_gap_or_repetition(core):
    ids = tasks.enqueue_many("greet", [{}] * 107)
    before, seen, sizes = None, [], []
    while True:
        page = search.page(TaskFilter(), before, size=25)
        seen += [task.id for task in page.rows]
        sizes.append(len(page.rows))
        before = page.next_before
        if before is None:
            break
        tasks.enqueue("greet", {})  # what comes meanwhile moves nothing
    assert seen == ids[::-1]
    assert sizes == [25, 25, 25, 25, 7]


def test_a_full_last_page_has_no_next(core):
    tasks.enqueue_many("greet", [{}] * 4)
    assert search.page(TaskFilter(), size=4).next_before is None


@pytest.mark.parametrize("size", [0, 501, True, "50"])
def test_page_sizes_that_cannot_be_are_refused(core, size):
    with pytest.raises(InvalidInput):
        search.page(TaskFilter(), size=size)


def test_a_count_stops(core):
    tasks.enqueue_many("greet", [{}] * 30)
    assert str(search.count(TaskFilter(), stop_at=20)) == "20+"
    assert str(search.count(TaskFilter(), stop_at=30)) == "30"
    assert str(search.count(TaskFilter(status=["queued", "failed"]), stop_at=29)) == "29+"
    assert str(search.Count(10_000, True)) == "10,000+"


def test_tasks_come_in_the_order_asked_for(core):
    a, b = kit.greet(), kit.greet()
    assert [t.id for t in search.by_ids([b.id, 99, a.id])] == [b.id, a.id]
    assert isinstance(search.by_ids([a.id])[0], Task)
