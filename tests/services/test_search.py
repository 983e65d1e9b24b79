"""Tasks are found by everything one may remember of them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from models import Move, Operator, Role, Status, Task, now, transaction
from models.db import engine, is_postgresql
from services import audit, indexing, search, tasks, words
from services.errors import InvalidInput, NotFound
from services.search import TaskFilter
from tests.services import kit


def index_all() -> int:
    """Index until two looks in a row find nothing."""
    total, quiet = 0, 0
    while quiet < 3:
        done = search.index()
        total, quiet = total + done, 0 if done else quiet + 1
    return total


def found(**asked) -> list[int]:
    """The ids, newest first."""
    return search.ids(TaskFilter(**asked))


def found_by(text: str, **more) -> list[int]:
    index_all()
    return found(text=text, **more)


def title(text: str) -> int:
    return kit.greet(title=text).id


# What is looked through


def test_every_part_of_a_task_is_looked_through(core):
    task = tasks.enqueue("greet", {"name": "Rossio", "data": {"stops": ["Alfama"]}}, title="Trams", tags=["holiday"])
    for part in ("greet", "Trams", "holiday", "Rossio", "Alfama", "stops", str(task.id), f"#{task.id}"):
        assert found_by(part) == [task.id], part


def test_the_error_of_a_failed_task_is_looked_through(core):
    task = kit.greet()
    index_all()
    kit.finish(
        kit.take_one(task), Move.fail, error_class="UpstreamTimeout", error_text="no answer from host-17 in 30 s"
    )
    for part in ("UpstreamTimeout", "timeout", "host-17", "no answer"):
        assert found_by(part) == [task.id], part


def test_a_later_error_replaces_the_former(core):
    task = kit.greet()
    kit.finish(kit.take_one(task), Move.fail, error_text="first trouble")
    assert found_by("first") == [task.id]
    tasks.rerun(task.id)
    kit.finish(kit.take_one(task), Move.fail, error_text="second trouble")
    assert found_by("second") == [task.id]
    assert found_by("first") == []


def test_values_of_secret_names_cannot_be_looked_for(core):
    task = tasks.enqueue("greet", {"data": {"password": "hunter2", "url": "https://ana:geheim@example.org"}})
    assert found_by("example") == [task.id]
    assert found_by("hunter2") == found_by("geheim") == []


def test_only_the_start_of_a_payload_is_looked_through(core):
    task = tasks.enqueue("greet", {"name": "begin " + "filler " * 2_000 + "final"})
    assert found_by("begin") == [task.id]
    assert found_by("final") == []


# How it is understood


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("Album of Lisbon", "lis"),
        ("Album of Lisbon", "ALBUM lisbon"),
        ("Malmö to São Paulo", "malmo sao"),
        ("Malmo", "Malmö"),
        ("Straße", "STRASSE"),
        ("ConnectionResetError", "reset"),
        ("HTTPServer", "server"),
        ("client42", "42"),
        ("bulk_analysis", "analysis"),
        ("数据分析报告", "分析"),
        ("ติดต่อ", "ต่อ"),
        ("a" * 60 + "b", "a" * 60 + "b"),
        ("100% of 5_000", "100%"),
        ("customer-7 (north)", "customer-7"),
        ("it's 'quoted'", "'quoted'"),
        ("C:\\data\\x", "data\\x"),
        ('say "yes"', '"yes"'),
        ("a*b AND c:d", "AND c:d"),
        ("-v flag", "-v"),
        ("x & y | z ! <->", "x z"),
    ],
)
def test_words_are_found_by_their_beginnings_and_signs_literally(core, text, asked):
    other = title("nothing in common")
    task = title(text)
    assert found_by(asked) == [task]
    assert other


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("1000 of 5000", "100%"),
        ("5x000", "5_000"),
        ("customer-70", "customer-7-"),
        ("customer 7", "customer-7"),
        ("Lisbon", "isbon"),
        ("Lisbon", "lisbon porto"),
        ("a" * 60 + "b", "a" * 60 + "c"),
        ("anything", "any* OR"),
        ("anything", "\\anything"),
        ("anything", "%"),
        ("anything", "_"),
        ("anything", '"'),
    ],
)
def test_what_is_not_there_is_not_found(core, text, asked):
    title(text)
    if asked in ("%", "_", '"'):
        with pytest.raises(InvalidInput, match="no letter or digit"):
            TaskFilter(text=asked)
    else:
        assert found_by(asked) == []


HOSTILE = [
    "'; DROP TABLE tasks; --", '" OR 1=1 --', "NEAR(a b, 2)", "words:x*", "{a b}", "a AND (b", "^a", "'a':*", "a\\",
    "$1", ":asked", "%(asked)s", "%s", "?1",
]  # fmt: skip


@pytest.mark.parametrize("asked", HOSTILE)
def test_hostile_text_is_only_ever_text(core, asked):
    task = title(asked)
    assert found_by(asked) == [task]
    assert kit.count() == 1


@pytest.fixture
def both_texts(core):
    title("seed")
    index_all()


@hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
@given(st.text(min_size=1, max_size=60))
def test_any_text_is_an_answer_or_a_refusal(both_texts, asked):
    try:
        wanted = TaskFilter(text=asked)
    except InvalidInput:
        return
    search.page(wanted)
    search.count(wanted)


@hypothesis_settings(max_examples=300, deadline=None, database=None)
@given(st.text(max_size=80))
def test_a_text_is_found_by_each_of_its_own_parts(text):
    plain = words.plain(text)
    known = set(words.of(plain))
    for term in words.terms(text)[:3]:
        assert all(word in known for word in term.words)
        assert term.literal is None or term.literal in plain.casefold()


def test_the_number_of_a_task_is_found_before_it_is_indexed(core):
    assert [kit.greet().id, kit.greet().id] == [1, 2]
    assert found(text="#2") == [2]
    assert found(text="#3") == []


# Filters


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


def test_rare_words_are_found_beyond_the_newest_tasks(core, monkeypatch):
    monkeypatch.setattr(search, "NEWEST", 5)
    rare = [title("rare-word") for _ in range(3)]
    common = [title("common") for _ in range(12)]
    assert found_by("rare") == rare[::-1]
    assert found(text="rare-word", status="queued") == rare[::-1]
    assert search.ids(TaskFilter(text="common"), limit=8) == common[:3:-1]
    assert search.ids(TaskFilter(text="common"), limit=8, before=common[4]) == common[3::-1]


# The index and its loop


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
        session.connection().exec_driver_sql(f"DELETE FROM tasks WHERE id = {late}")


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
