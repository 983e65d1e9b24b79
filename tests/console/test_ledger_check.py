"""The ledger check in Settings: nothing before a click, what is wrong in words, and repairs by those who may."""

import pytest
from streamlit.testing.v1 import AppTest

from models import now
from services import tasks
from services.audit import acting_as
from services.doctor import checkup
from services.errors import Conflict, Forbidden
from tests.console.kit import fine, harmless, said
from tests.services import kit
from tests.support import one_ledger

HOSTILE = "![x](http://evil.example/x.png) <script> :red-badge[x] \u202e"


@pytest.fixture(autouse=True)
def nobody_has_looked(ledger):
    checkup.forget()
    yield
    if checkup._latest:
        assert checkup._latest[0].wait(60)
    checkup.forget()


def checked(test: AppTest) -> AppTest:
    """The page after a click on the button, when the check is over."""
    fine(test.button(key="check_now").click().run())
    assert checkup._latest[0].wait(60)
    return fine(test.run())


def titles(test: AppTest) -> list[str]:
    """Of the alerts."""
    return [one.proto.title for kind in (test.success, test.error) for one in kind if one.proto.title]


def keys(test: AppTest) -> set[str]:
    """Of the buttons."""
    return {button.key for button in test.button if button.key}


def broken_ledger() -> tuple[int, int]:
    """A task that can be repaired, and one that takes a person."""
    wrong, lost = tasks.enqueue("greet", {}), tasks.enqueue("greet", {}, run_at=now(), queue="a" + HOSTILE[:20])
    kit.execute("UPDATE tasks SET waits_on = 5, status = 'pending' WHERE id = :id", id=lost.id)
    kit.execute("DELETE FROM task_bodies WHERE task_id = :id", id=wrong.id)
    kit.execute("DELETE FROM queues WHERE name = :name", name=lost.queue)
    return lost.id, wrong.id


@pytest.mark.parametrize("role", ["viewer", "member"])
@one_ledger
def test_who_may_not_look_sees_no_card(page, people, role):
    test = fine(page("settings", role))
    assert "check_now" not in keys(test)
    with acting_as(people[role]):
        for act in (checkup.begin, checkup.latest):
            with pytest.raises(Forbidden, match="takes the role operator"):
                act()


@one_ledger
def test_nothing_is_looked_at_before_a_click(page):
    fine(page("settings").run())
    assert checkup._latest == []


@one_ledger
def test_a_sound_ledger_is_said_to_be_sound_and_what_was_not_asked_about_too(page):
    tasks.enqueue("greet", {})
    test = checked(page("settings", "operator"))
    assert titles(test) == ["The ledger is sound"]
    assert "not asked about, as no scheduler has been at work" in said(test).replace("\\", "")
    assert "by operator\\-1" in test.success[0].value
    assert "repair_ask" not in keys(test)


def test_what_is_wrong_is_told_and_mended_by_an_admin_after_a_dry_run(page, people):
    lost, wrong = broken_ledger()
    test = checked(page("settings", "operator"))
    assert titles(test) == ["Something is wrong"]
    told = "\n".join(one.value for one in test.text)
    assert f"#{lost} is pending and waits on 5 tasks, but 0 of its needs are open" in told
    assert f"#{wrong} has no body" in told
    assert "\u202e" not in told
    harmless(test)
    assert "repair_ask" not in keys(test)
    with acting_as(people["operator"]), pytest.raises(Forbidden, match="admin"):
        checkup.repair(checkup._latest[0])

    admin = fine(page("settings"))
    admin = fine(admin.button(key="repair_ask").click().run())
    assert "A task waits on as many others as its open needs: **1**" in said(admin)
    assert "1 broken rule will be left to a person" in said(admin)
    assert kit.events("repair") == [], "the dry run changes nothing"
    fine(admin.button(key="repair_yes").click().run())
    assert checkup._latest[0].wait(60)
    admin = fine(admin.run())
    assert titles(admin) == ["Repaired", "Something is wrong"]
    assert "it takes a person to decide" in said(admin)
    (event,) = kit.events("repair", lost)
    assert (event.actor_kind, event.actor_id, event.ip) == ("operator", "admin-1", "10.0.0.7")
    assert kit.scalar("SELECT waits_on FROM tasks WHERE id = :id", id=lost) == 0


@one_ledger
def test_a_repair_of_what_somebody_else_has_looked_at_anew_is_refused(page, people):
    broken_ledger()
    with acting_as(people["admin"]):
        old = checkup.begin()
        assert old.wait(60)
        new = checkup.begin()
        assert new.wait(60)
        assert new is not old
        with pytest.raises(Conflict, match="meanwhile"):
            checkup.repair(old)
    assert kit.events("repair") == []


@one_ledger
def test_a_check_that_cannot_be_carried_out_says_so(page):
    test = fine(page("settings"))
    kit.execute("ALTER TABLE fires RENAME TO fires_away")
    try:
        test = checked(test)
        assert titles(test) == ["The ledger could not be checked"]
    finally:
        kit.execute("ALTER TABLE fires_away RENAME TO fires")
    assert titles(checked(test)) == ["The ledger is sound"]
