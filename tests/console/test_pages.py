"""Every page, run as Streamlit runs it: full, empty, for those who may only look, and without a database."""

from typing import Any

import pytest
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.testing.v1 import AppTest

from services import artifacts, history, operators
from services.audit import acting_as
from services.errors import Forbidden
from settings import ROOT
from tests.console.kit import PAGES, fine, harmless, markup, some_tasks
from tests.services.kit import execute
from tests.support import one_ledger


@pytest.mark.parametrize("name", PAGES)
def test_a_page_shows_a_full_ledger(page, name):
    some_tasks()
    fine(page(name))


@pytest.mark.parametrize("name", PAGES)
@one_ledger
def test_what_lives_has_a_place_of_its_own(page, name, monkeypatch):
    """A tick that follows a drawing at once takes back what the drawing said of its part, and says it anew: what
    comes after it in the same place would arrive before it, and the browser gives up on a page with a gap."""
    some_tasks()
    sent: list[Any] = []
    monkeypatch.setattr(ForwardMsgQueue, "_before_enqueue_msg", sent.append)
    test = page(name)
    sent.clear()
    fine(test.run())
    places: dict[tuple[int, ...], dict[int, str]] = {}
    for message in sent:
        if message.HasField("delta") and len(path := tuple(message.metadata.delta_path)) > 1:
            places.setdefault(path[:-1], {}).setdefault(path[-1], message.delta.fragment_id)
    assert any(part for children in places.values() for part in children.values())
    assert not [where for where, children in places.items() if len(set(children.values())) > 1]


@pytest.mark.parametrize("name", PAGES)
@one_ledger
def test_a_page_shows_an_empty_ledger(page, name):
    fine(page(name))


@pytest.mark.parametrize("name", [name for name in PAGES if name != "audit"])
@one_ledger
def test_a_viewer_sees_a_page_and_every_act_is_greyed_out(page, name):
    some_tasks()
    test = fine(page(name, "viewer"))
    acts = [
        b
        for b in test.button
        if b.key and b.key.startswith(("tasks_", "Pause", "Resume", "limit_", "run_it", "worker_"))
    ]
    assert all(button.disabled for button in acts)


@pytest.mark.parametrize("name", PAGES)
@one_ledger
def test_without_a_database_a_page_is_one_banner(page, name, monkeypatch):
    from sqlalchemy.exc import OperationalError

    from console import who

    def away() -> None:
        raise OperationalError("SELECT 1", {}, Exception("connection refused"))

    test = page(name)
    monkeypatch.setattr(who.sessions, "of_id", lambda _: away())
    fine(test.run())
    assert [e.proto.title for e in test.error] == ["The database cannot be reached"]


@one_ledger
def test_a_viewer_sees_a_task_and_every_act_is_greyed_out(page):
    seen = set()
    for task in some_tasks().values():
        for tab in ("Arguments", "Files", "Related"):
            test = fine(page("task", "viewer", id=str(task.id), tab=tab))
            acts = [b for b in test.button if b.key and b.key.startswith("task_")]
            assert all(button.disabled for button in acts)
            seen |= {button.key for button in acts}
    assert {"task_Cancel", "task_Rerun", "task_Set priority", "task_Delete"} <= seen


@one_ledger
def test_without_a_database_a_task_s_page_is_one_banner_from_the_start_and_in_its_live_part(page, monkeypatch):
    from sqlalchemy.exc import OperationalError

    from console import who

    def away(*_: object) -> None:
        raise OperationalError("SELECT 1", {}, Exception("connection refused"))

    test = page("task", id=str(some_tasks()["line"].id))
    with monkeypatch.context() as patch:
        patch.setattr("console.ui.task_parts.waiting.reason", away)
        fine(test.run())
        assert [e.proto.title for e in test.error] == ["The database cannot be reached"]
    monkeypatch.setattr(who.sessions, "of_id", away)
    fine(test.run())
    assert [e.proto.title for e in test.error] == ["The database cannot be reached"]


@pytest.mark.parametrize("name", PAGES)
@one_ledger
def test_a_signed_out_page_shows_nothing(page, name, people):
    some_tasks()
    test = page(name)
    execute("UPDATE sessions SET revoked_at = expires_at")
    fine(test.run())
    assert not test.dataframe
    assert [w.proto.title for w in test.warning] == ["You were signed out"]


@one_ledger
def test_the_grid_shows_why_tasks_wait(page):
    some_tasks()
    (grid,) = fine(page("tasks")).dataframe
    now_column = dict(zip(grid.value["Title"], grid.value["Now"], strict=True))
    assert now_column["In line"].startswith("queue mail is paused: ")
    assert now_column["Later"].startswith("starts at ")


@one_ledger
def test_words_of_others_are_never_markup(page):
    some_tasks()
    for name in ("overview", "tasks", "errors", "workers"):
        harmless(fine(page(name)))


@pytest.mark.parametrize("which", ["a", "b", "c", "later", "line"])
@one_ledger
def test_a_task_s_page_answers_for_every_status(page, which):
    task = some_tasks()[which]
    artifacts.save("notes.txt", b"hello")
    for tab in ("Attempts", "Log", "Arguments", "Result", "Files", "Related", "History"):
        harmless(fine(page("task", id=str(task.id), tab=tab)))


@pytest.mark.parametrize("number", ["", "0", "-1", "999999", "9" * 30, "x", "<script>", "１２"])
@one_ledger
def test_a_task_that_is_not_there_is_said_in_a_sentence(page, number):
    test = fine(page("task", id=number))
    assert next(e.proto.title for e in test.error).startswith("No task")


@pytest.mark.parametrize(
    ("key", "value"),
    [("status", "Nonsense"), ("type", "no_such"), ("created", "x"), ("ended", "x"), ("text", "\0"), ("error", "a\nb")],
)
@one_ledger
def test_a_forged_address_filters_nothing_and_breaks_nothing(page, key, value):
    some_tasks()
    fine(page("tasks", **{key: value}))


@one_ledger
def test_the_audit_trail_is_not_for_members(page, people):
    with pytest.raises(ValueError, match="Could not find a navigation page"):
        page("overview", "member").switch_page("views/audit.py")
    with acting_as(people["member"]), pytest.raises(Forbidden, match="takes the role operator"):
        history.events()


@one_ledger
def test_times_are_in_the_reader_s_zone(page, people):
    operators.set_time_zone(people["admin"].id, "Asia/Tokyo")
    assert "Times in Asia/Tokyo" in markup(page("overview"))
    assert "Times in Europe/Berlin" in markup(page("overview", "viewer"))


@one_ledger
def test_the_session_of_another_page_is_of_no_use(page: Any):
    test = AppTest.from_file(str(ROOT / "console/app.py"), default_timeout=60)
    for forged in (
        {},
        {"session": None},
        {"session": "0"},
        {"session": "1e3"},
        {"session": "999"},
        {"session": 1},
    ):
        test.user = forged
        fine(test.run())
        assert [w.proto.title for w in test.warning] == ["You were signed out"]
