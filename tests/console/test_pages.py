"""Every page, run as Streamlit runs it: full, empty, for those who may only look, and without a database."""

import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import streamlit as st
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.testing.v1 import AppTest

from models import Move, Operator, Role, Status, Task, now
from services import artifacts, history, operators, queues, sessions, tasks, workers
from services.audit import acting_as
from services.errors import Forbidden
from settings import ROOT
from tests.services.kit import a_type, events, execute, finish, known, status, take
from tests.support import one_ledger

PAGES = ["overview", "tasks", "run", "schedules", "inbox", "errors", "workers", "audit", "settings"]
HOSTILE = '<script>alert(1)</script> ![x](http://evil.example/x.png) :red-badge[x] =HYPERLINK("x")'

Open = Callable[..., AppTest]


@pytest.fixture(autouse=True)
def main_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page under test becomes `__main__`, which processes that are spawned later would import."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


@pytest.fixture(autouse=True)
def types(ledger: str) -> Iterator[None]:
    """Task types that a worker has declared."""
    st.cache_data.clear()
    with known(a_type("greet", doc="Say hello."), a_type("count")):
        from services import catalog

        catalog.declare()
        catalog.declared(fresh=True)
        yield
    st.cache_data.clear()


@pytest.fixture
def people(ledger: str) -> dict[str, Operator]:
    """One of each role, by the role's name."""
    return {role.value: operators.create(f"{role.value}-1", role) for role in Role}


@pytest.fixture
def page(people: dict[str, Operator]) -> Open:
    """Opens a page as somebody of a role."""

    def show(name: str, role: str = "admin", **params: str) -> AppTest:
        secret = sessions.redeem(sessions.link(people[role].id), "10.0.0.7", "Firefox/150")
        session = sessions.check(secret)
        assert session is not None
        test = AppTest.from_file(str(ROOT / "console/app.py"), default_timeout=60)
        test.user = {"session": str(session.id)}
        test.context = {"timezone": "Europe/Berlin"}
        for key, value in params.items():
            test.query_params[key] = value
        return (test.switch_page(f"views/{name}.py") if name != "overview" else test).run()

    return show


def said(test: AppTest) -> str:
    """All words in places that read Markdown."""
    kinds = (test.title, test.subheader, test.caption, test.markdown, test.error, test.warning, test.info)
    return "\n".join(str(getattr(one, "value", "")) for kind in kinds for one in kind)


def markup(test: AppTest) -> str:
    """All HTML of ours."""
    return "\n".join(str(one.proto.body) for one in test.html)


def harmless(test: AppTest) -> None:
    """No words of others are read as markup of any kind."""
    assert "![x](http" not in said(test)
    assert ":red-badge[x]" not in said(test)
    assert "<script>" not in markup(test)
    assert "\u202e" not in said(test) + markup(test)


def fine(test: AppTest) -> AppTest:
    """No page may break."""
    assert not test.exception, [one.value for one in test.exception]
    return test


def some_tasks() -> dict[str, Task]:
    """One of each status, with words of a stranger in them."""
    made = {
        name: tasks.enqueue("greet", {"name": HOSTILE + "\u202etxt"}, title=HOSTILE, tags=["nightly"])
        for name in "abcd"
    }
    for claimed in take(4):
        move = {made["a"].id: Move.complete, made["b"].id: Move.fail}.get(claimed.id)
        if move is not None:
            finish(claimed, move)
    tasks.cancel(made["d"].id) if status(made["d"])[0] is Status.queued else None
    made["later"] = tasks.enqueue("greet", {}, run_at=now() + timedelta(hours=1), title="Later")
    made["line"] = tasks.enqueue("count", {}, queue="mail", title="In line")
    queues.pause("mail", HOSTILE)
    workers.register(threads=4, types=["greet"])
    return made


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


def ticked(test: AppTest, *rows: int) -> AppTest:
    """The same page with these rows ticked, as a click on them would."""
    (grid,) = test.dataframe
    test.session_state[grid.key] = {"selection": {"rows": list(rows), "columns": [], "cells": []}}
    return fine(test.run())


@one_ledger
def test_ticked_tasks_are_cancelled_after_a_dry_run_with_a_result_for_each(page, people):
    made = [tasks.enqueue("greet", {}) for _ in range(3)]
    test = ticked(page("tasks"), 0, 1)
    test = fine(test.button(key="tasks_Cancel").click().run())
    assert "**2** queued will be cancelled" in said(test)
    tasks.cancel(made[2].id)  # by somebody else, meanwhile
    test.text_input(key="confirm_reason").set_value("wrong album")
    fine(test.button(key="confirm_yes").click().run())
    assert status(*made) == [Status.queued, Status.cancelled, Status.cancelled]
    (event,) = events("cancel", made[1])
    assert (event.actor_kind, event.actor_id, event.reason) == ("operator", "admin-1", "wrong album")
    assert (event.ip, event.user_agent) == ("10.0.0.7", "Firefox/150")


@one_ledger
def test_a_demoted_operator_s_click_changes_nothing(page, people):
    task = tasks.enqueue("greet", {})
    test = ticked(page("tasks", "operator"), 0)
    test = fine(test.button(key="tasks_Cancel").click().run())
    execute("UPDATE operators SET role = 'viewer' WHERE name = 'operator-1'")
    fine(test.button(key="confirm_yes").click().run())
    assert status(task) == [Status.queued]


@one_ledger
def test_a_member_acts_on_their_own_tasks_alone(page, people):
    with acting_as(people["member"]):
        own = tasks.enqueue("greet", {})
    other = tasks.enqueue("greet", {})
    assert not page("task", "member", id=str(own.id)).button(key="task_Cancel").disabled
    assert page("task", "member", id=str(other.id)).button(key="task_Cancel").disabled


@one_ledger
def test_a_task_is_run_from_the_form_with_what_was_typed(page, people):
    test = fine(page("run", "member", run_type="greet"))
    test.text_input(key="run/greet/0/name").set_value("porto")
    test.number_input(key="run/greet/0/n").set_value(7)
    test.text_input(key="run/greet/0#title").set_value("From the form")
    test.run()
    fine(test.button(key="run_it").click().run())
    (task,) = [tasks.get(i) for i in (1,)]
    assert (task.title, task.owner, task.created_by_kind) == (
        "From the form",
        people["member"].id,
        "operator",
    )
    assert task.body.payload == {"name": "porto", "n": 7, "ratio": 0.5, "data": None}


@one_ledger
def test_a_task_is_run_again_with_edited_arguments(page):
    old = tasks.enqueue("greet", {"name": "lisbon", "n": 3}, title="First", priority=80)
    test = fine(page("run", again=str(old.id)))
    assert test.text_input(key=f"run/greet/{old.id}/name").value == "lisbon"
    test.text_input(key=f"run/greet/{old.id}/name").set_value("porto").run()
    fine(test.button(key="run_it").click().run())
    again = tasks.get((old.id or 0) + 1)
    assert (again.rerun_of, again.title, again.priority) == (old.id, "First", 80)
    assert again.body.payload["name"] == "porto"
    assert again.body.payload["n"] == 3


@one_ledger
def test_a_queue_is_paused_with_a_reason(page, people):
    tasks.enqueue("greet", {})
    test = fine(page("workers", "operator"))
    test = fine(test.button(key="Pause_default").click().run())
    test.text_input(key="ask_reason").set_value("The disk is full")
    fine(test.button(key="ask_yes").click().run())
    state = queues.get("default")
    assert (state.paused, state.pause_reason, state.paused_by) == (
        True,
        "The disk is full",
        "operator:operator-1",
    )


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
