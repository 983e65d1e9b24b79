"""The inbox, the strip on every page, and the way back to where a task was asked for, run as Streamlit runs them."""

import pytest

from console.ui import returning
from models import Move, Status, Task
from services import artifacts, inbox, operators, tasks
from services.audit import acting_as
from tests.console.kit import HOSTILE, fine, harmless, said
from tests.services.kit import execute, finish, status, take
from tests.support import one_ledger

pytestmark = [one_ledger, pytest.mark.usefixtures("types")]


@pytest.fixture
def mine(people) -> list[Task]:
    """Three tasks of the admin's that have ended, and one that runs; one of somebody else's."""
    with acting_as(people["admin"]):
        form = {"return_path": "/run?run_type=greet", "form": {"as_json": True}}
        made = [
            tasks.enqueue("greet", {"name": "a"}, title=HOSTILE, context=form),
            tasks.enqueue("greet", {}, title="Second", context={"return_path": "//evil.example"}),
            tasks.enqueue("count", {}, context={"return_path": "/elsewhere"}),
        ]
    for claimed in take(3):
        finish(claimed, Move.fail if claimed.id == made[1].id else Move.complete)
    with acting_as(people["admin"]):
        made.append(tasks.enqueue("greet", {}, title="Still at it"))
    take(1)
    with acting_as(people["member"]):
        tasks.enqueue("greet", {}, title="Not yours")
    finish(take(1))
    return made


def labels(test) -> list[str]:
    """What the inbox lists."""
    return [button.label for button in test.button if (button.key or "").startswith("open_")]


def menu(test) -> str:
    """What the strip says."""
    return next(p.popover.label for p in (b.proto for b in test.get("popover")) if "running" in p.popover.label)


def test_the_inbox_lists_what_ended_of_mine_and_harms_nobody(page, mine):
    test = fine(page("inbox"))
    assert len(labels(test)) == 3
    assert "Not yours" not in "".join(labels(test))
    assert "![x](http" not in "".join(labels(test))
    harmless(test)
    harmless(page("overview"))


def test_the_strip_says_what_runs_and_what_is_new_on_every_page(page, mine):
    assert menu(page("overview")) == "1 running · 3 new"
    assert menu(page("settings")) == "1 running · 3 new"


def test_a_viewer_has_an_empty_inbox_of_their_own(page, mine):
    test = fine(page("inbox", "viewer"))
    assert labels(test) == []
    assert "Nothing has ended yet of what you asked for" in said(test)


def test_an_entry_is_read_dismissed_and_restored(page, mine, people):
    number = mine[1].id
    test = fine(page("inbox"))
    test = fine(test.button(key=f"read_{number}").click().run())
    assert not [b for b in test.button if b.key == f"read_{number}"]
    test = fine(test.button(key=f"dismiss_{number}").click().run())
    assert len(labels(test)) == 2
    test = fine(test.toggle(key="dismissed").set_value(True).run())
    assert len(labels(test)) == 1
    fine(test.button(key=f"restore_{number}").click().run())
    with acting_as(people["admin"]):
        assert [entry.task.id for entry in inbox.page(dismissed=True).entries] == []


def test_all_is_read_at_once(page, mine, people):
    fine(page("inbox").button(key="read_all").click().run())
    with acting_as(people["admin"]):
        assert inbox.unread() == []


def test_only_a_page_of_this_console_is_offered_as_the_way_back(page, mine):
    offered = {b.key for b in fine(page("inbox")).button if (b.key or "").startswith("back_")}
    assert offered == {f"back_{mine[0].id}"}


@pytest.mark.parametrize(
    ("path", "name"),
    [("/", "overview"), ("/run?run_type=x", "run"), ("/tasks/", "tasks"), ("/elsewhere", None), ("/run/../x", None)],
)
def test_a_path_means_a_page_or_none(path, name):
    assert returning.leads_to(path) == name


def test_the_way_back_is_the_form_as_it_was_left(page, mine):
    test = fine(page("inbox"))
    test = fine(test.button(key=f"back_{mine[0].id}").click().run())
    assert test.title[0].value == "Run a task"
    key = f"run/greet/{mine[0].id}"
    test = fine(page("run", run_type="greet", task=str(mine[0].id)))
    assert test.toggle(key=f"{key}#json").value is True
    assert '"name": "a"' in test.text_area(key=f"{key}#text").value


def test_opening_a_task_from_elsewhere_reads_its_entry(page, mine, people):
    fine(page("task", id=str(mine[1].id)))
    with acting_as(people["admin"]):
        assert [task.id for task in inbox.unread()] == [mine[2].id, mine[0].id]


def test_a_failed_task_names_those_that_failed_alike(page):
    made = [tasks.enqueue("greet", {}) for _ in range(3)]
    finish(take(2), Move.fail, fingerprint="alike")
    finish(take(1), Move.fail, fingerprint="another")
    assert "1 other task has failed in this way" in said(fine(page("task", id=str(made[0].id))))
    assert "No other task has failed in this way" in said(fine(page("task", id=str(made[2].id))))


def test_files_are_previewed_as_tables_and_text_never_as_markup(page):
    task = tasks.enqueue("greet", {})
    (claimed,) = take(1)
    for name, data in (
        ("a.csv", f"name,n\n{HOSTILE.replace(',', '')},1\n".encode()),
        ("a.html", HOSTILE.encode()),
        ("a.svg", b"<svg onload=alert(1)></svg>"),
        ("a.json", b'{"rows": [{"a": 1}]}'),
        ("a.png", b"\x89PNG\r\n\x1a\n"),
        ("a.pdf", b"%PDF-1.7"),
        ("a.bin", b"\0\1"),
    ):
        artifacts.save(name, data, task=task.id, epoch=claimed.epoch)
    finish(claimed)
    test = fine(page("task", id=str(task.id), tab="Files"))
    for one in artifacts.of_task(task.id):
        test.toggle(key=f"preview_{one.id}").set_value(True)
    test = fine(test.run())
    harmless(test)
    assert "<svg" not in "".join(str(one.proto.body) for one in test.html)
    assert [code.value for code in test.code if "<svg" in code.value]
    assert "There is no preview of this kind of file" in said(test)


def test_the_picture_of_a_family_holds_links_and_no_words_of_others_as_markup(page):
    first = tasks.enqueue("greet", {}, title=HOSTILE)
    then = tasks.enqueue("greet", {}, needs=[first])
    test = fine(page("task", id=str(then.id), tab="Related"))
    harmless(test)
    drawn = "".join(str(one.proto.body) for one in test.html)
    assert f'href="/task?id={first.id}"' in drawn
    assert f'href="/task?id={then.id}"' in drawn


def test_theme_and_notifications_are_kept_with_the_account(page, people):
    test = fine(page("settings", "viewer"))
    test = fine(test.get("button_group")[0].set_value("Dark").run())
    fine(test.toggle(key="set_notify").set_value(True).run())
    kept = operators.get(people["viewer"].id)
    assert (kept.theme, kept.notify) == ("dark", True)


def test_an_empty_ledger_says_what_the_sample_lacks(page):
    test = fine(page("overview"))
    assert test.button(key="run_sample").disabled
    assert "No worker has declared" in said(test)


def test_where_the_database_goes_away_the_strip_is_silent(page, mine, monkeypatch):
    from sqlalchemy.exc import OperationalError

    def away() -> None:
        raise OperationalError("SELECT 1", {}, Exception("connection refused"))

    test = page("settings")
    monkeypatch.setattr("services.inbox.running", away)
    test = fine(test.run())
    assert test.title[0].value == "Settings"
    assert not test.error


def test_a_rerun_that_ends_again_is_new_again(page, mine, people):
    with acting_as(people["admin"]):
        inbox.mark_all_read()
    execute("UPDATE tasks SET error_class = NULL")
    tasks.rerun(mine[1].id)
    finish([claimed for claimed in take(1) if claimed.id == mine[1].id])
    assert status(mine[1]) == [Status.completed]
    with acting_as(people["admin"]):
        assert [task.id for task in inbox.unread()] == [mine[1].id]
