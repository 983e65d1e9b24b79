"""The inbox: what ended of what a person asked for, unread until they say so, and nobody else's."""

from datetime import timedelta

import pytest

from models import Move, Operator, Role, now
from services import inbox, operators, tasks
from services.audit import acting_as
from services.errors import Forbidden, InvalidInput
from tests.services import kit
from tests.services.kit import execute, finish, take

pytestmark = pytest.mark.usefixtures("core")


@pytest.fixture
def ada(core: str) -> Operator:
    return operators.create("ada", Role.member)


@pytest.fixture
def ben(core: str) -> Operator:
    return operators.create("ben", Role.member)


def asked(by: Operator, many: int = 1, **options):
    """Tasks that somebody asked for."""
    with acting_as(by):
        return [kit.greet(**options) for _ in range(many)]


def ended(by: Operator, many: int = 1, **options):
    """Tasks that somebody asked for, completed one after another."""
    made = asked(by, many, **options)
    for _ in made:
        finish(take(1))
    return [task.id for task in made]


def unread(who: Operator) -> list[int]:
    with acting_as(who):
        return [task.id for task in inbox.unread()]


def shown(who: Operator, **asked_for) -> list[tuple[int, bool]]:
    with acting_as(who):
        return [(entry.task.id, entry.read) for entry in inbox.page(**asked_for).entries]


def test_what_ended_of_mine_is_unread_the_last_first_and_nobody_else_s(ada, ben):
    one, two = ended(ada, 2)
    (other,) = ended(ben)
    kit.greet()
    finish(take(1))
    assert unread(ada) == [two, one]
    assert unread(ben) == [other]
    assert shown(ada) == [(two, False), (one, False)]


def test_what_has_not_ended_is_not_in_the_inbox_but_runs(ada, ben):
    (task,) = asked(ada)
    asked(ben)
    assert (unread(ada), shown(ada)) == ([], [])
    take(1)
    with acting_as(ada):
        assert [each.id for each in inbox.running()] == [task.id]
    with acting_as(ben):
        assert inbox.running() == []


def test_reading_one_leaves_the_others_unread(ada):
    one, two = ended(ada, 2)
    with acting_as(ada):
        inbox.mark_read([two])
        inbox.mark_read([two])
    assert unread(ada) == [one]
    assert shown(ada) == [(two, True), (one, False)]


def test_all_read_means_all_that_ended_and_not_what_comes_later(ada):
    old, _ = ended(ada, 2)
    execute("UPDATE tasks SET finished_at = :at WHERE id = :id", id=old, at=_stored(now() - timedelta(days=3)))
    with acting_as(ada):
        inbox.mark_all_read()
    assert unread(ada) == []
    (late,) = ended(ada)
    assert unread(ada) == [late]
    # an ending that was on its way to the ledger while all was read
    execute("UPDATE tasks SET finished_at = :at WHERE id = :id", id=late, at=_stored(now() - timedelta(minutes=4)))
    assert unread(ada) == [late]


def test_all_read_writes_few_rows_however_long_the_past(ada, monkeypatch):
    monkeypatch.setattr(inbox, "MOST_MARKED", 3)
    ended(ada, 8)
    with acting_as(ada):
        inbox.mark_all_read()
    assert unread(ada) == []
    assert kit.scalar("SELECT count(*) FROM inbox") == 3


def test_what_is_dismissed_is_out_of_sight_until_it_is_restored(ada, ben):
    one, two = ended(ada, 2)
    with acting_as(ada):
        inbox.dismiss([one])
    assert unread(ada) == [two]
    assert shown(ada) == [(two, False)]
    assert shown(ada, dismissed=True) == [(one, True)]
    with acting_as(ada):
        inbox.restore([one])
    assert shown(ada) == [(two, False), (one, True)]
    assert shown(ada, dismissed=True) == []


def test_marks_on_tasks_of_others_change_nothing(ada, ben):
    (theirs,) = ended(ben)
    with acting_as(ada):
        inbox.dismiss([theirs, 10**6])
    assert unread(ben) == [theirs]
    assert kit.scalar("SELECT count(*) FROM inbox") == 0


def test_what_i_cancelled_is_no_news_to_me_what_another_cancelled_is(ada):
    boss = operators.create("boss", Role.operator)
    mine, theirs = asked(ada, 2)
    with acting_as(ada):
        tasks.cancel(mine.id)
    with acting_as(boss):
        tasks.cancel(theirs.id)
    assert unread(ada) == [theirs.id]
    assert shown(ada) == [(theirs.id, False), (mine.id, True)]


def test_a_task_that_runs_again_leaves_the_inbox_and_comes_back_unread(ada):
    (task,) = asked(ada)
    finish(take(1), Move.fail)
    with acting_as(ada):
        inbox.dismiss([task.id])
    assert (unread(ada), shown(ada), shown(ada, dismissed=True)) == ([], [], [(task.id, True)])
    tasks.rerun(task.id)
    assert shown(ada, dismissed=True) == []
    finish(take(1))
    assert unread(ada) == [task.id]
    assert (shown(ada), shown(ada, dismissed=True)) == ([(task.id, False)], [])


def test_a_mark_holds_although_the_worker_s_clock_is_ahead(ada):
    (task,) = ended(ada)
    execute("UPDATE tasks SET finished_at = :at WHERE id = :id", id=task, at=_stored(now() + timedelta(seconds=2)))
    with acting_as(ada):
        inbox.mark_read([task])
    assert unread(ada) == []


def test_what_a_body_made_is_not_in_the_inbox(ada):
    from services.origin import Origin, origin

    (task,) = asked(ada)
    token = origin.set(Origin(task.id, task.id, ada.id))
    made = kit.greet()
    origin.reset(token)
    assert made.owner == ada.id
    finish(take(2))
    assert unread(ada) == [task.id]


def test_pages_follow_one_another_without_gap_or_repeat(ada):
    ids = ended(ada, 7)
    execute("UPDATE tasks SET finished_at = :at WHERE id <= 4", at=_stored(now()))  # the same moment
    seen, before = [], None
    with acting_as(ada):
        while True:
            found = inbox.page(before=before, size=3)
            seen += [entry.task.id for entry in found.entries]
            if (before := found.next_before) is None:
                break
    assert sorted(seen) == ids
    assert len(seen) == 7


def test_the_requester_s_form_comes_back_with_the_result(ada):
    form = {"album": "lisbon", "open": ["sizes"]}
    ended(ada, context={"return_path": "/albums/lisbon?tab=2", "form": form})
    with acting_as(ada):
        (entry,) = inbox.page().entries
    assert (entry.return_path, entry.form) == ("/albums/lisbon?tab=2", form)


@pytest.mark.parametrize("path", ["/", "/tasks?status=Failed", "/a/b#c"])
def test_a_local_path_leads_back(path):
    assert inbox.return_path({"return_path": path}) == path


@pytest.mark.parametrize(
    "path",
    ["", "tasks", "//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "/a\nb", "/a b",
     "/\t/evil.example", "/x\\..\\y", "/r?to=https://evil.example", "/" + "x" * 1_000, None, 7, ["/"]],
)  # fmt: skip
def test_what_may_lead_elsewhere_leads_nowhere(path):
    assert inbox.return_path({"return_path": path}) is None
    assert inbox.return_path(path) is None


def test_an_inbox_belongs_to_a_person_with_an_active_account(ada):
    for act in (inbox.running, inbox.unread, inbox.page, inbox.mark_all_read, lambda: inbox.dismiss([1])):
        with pytest.raises(Forbidden, match="belongs to a signed-in operator"):
            act()
    operators.create("boss", Role.admin)
    operators.disable(ada.id)
    with acting_as(ada), pytest.raises(Forbidden, match="no active account"):
        inbox.page()


@pytest.mark.parametrize("given", [[0], ["1"], [1.5], [True], list(range(1, 1_002))])
def test_what_is_no_number_of_a_task_is_refused(ada, given):
    with acting_as(ada), pytest.raises(InvalidInput):
        inbox.mark_read(given)


def _stored(at):
    return at if kit.engine().dialect.name == "postgresql" else f"{at:%Y-%m-%d %H:%M:%S.%f}"
