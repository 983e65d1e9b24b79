"""Kinds of failure: counted once each, decided on by people, opened again by the next failure."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from models import GroupState, Move, Role, now, reading
from services import audit, error_counts, error_groups, operators, tasks
from services.errors import Forbidden, InvalidInput, NotFound
from tests.services import kit


def fail(many: int = 1, fingerprint: str = "f1", ago: timedelta = timedelta(0)) -> list[int]:
    """Tasks that failed alike, so long ago."""
    made = [kit.greet().id for _ in range(many)]
    for claimed in kit.take(many):
        kit.finish(claimed, Move.fail, fingerprint=fingerprint)
    if ago:
        for task_id in made:
            at = f"{now() - ago:%Y-%m-%d %H:%M:%S.%f}"
            kit.execute("UPDATE tasks SET finished_at = :at WHERE id = :id", at=at, id=task_id)
    return made


def folded() -> list[error_groups.Group]:
    """All kinds, once everything is counted."""
    while error_counts.fold():
        pass
    return error_groups.page()


def test_failures_alike_are_one_line_with_their_days(core):
    fail(3)
    fail(2, ago=timedelta(days=2))
    ids = fail(1, "f2")
    groups = {group.row.fingerprint: group for group in folded()}
    one = groups["f1"]
    assert (one.row.total, one.row.type, one.row.error_class, one.message) == (
        5,
        "greet",
        "ValueError",
        "no such album",
    )
    assert (sum(one.days), one.days[-3]) == (5, 2)
    assert groups["f2"].row.last_task_id == ids[0]
    assert one.row.last_at - one.row.first_at > timedelta(days=1)


def test_folding_twice_counts_once(core):
    fail(4)
    assert error_counts.fold() == 1
    assert error_counts.fold() == 0
    fail(1)
    assert error_counts.fold() == 1
    assert error_groups.page()[0].row.total == 5


def test_many_that_fold_at_once_count_once(core):
    fail(5)
    fail(5, "f2")
    kit.together(*[error_counts.fold] * 4)
    assert {g.row.fingerprint: g.row.total for g in folded()} == {"f1": 5, "f2": 5}


def test_a_long_absence_is_caught_up_with(core):
    for days in (9, 5, 1):
        fail(1, ago=timedelta(days=days))
    assert folded()[0].row.total == 3


def test_an_ending_committed_late_is_counted(core, monkeypatch):
    fail(1)
    folded()
    fail(1, "f2", ago=timedelta(minutes=1))
    assert {g.row.fingerprint for g in folded()} == {"f1", "f2"}


def test_a_rerun_does_not_unsay_what_was_seen(core):
    ids = fail(2)
    folded()
    tasks.rerun(ids[0])
    assert folded()[0].row.total == 2


def test_a_resolved_kind_opens_by_itself_when_it_fails_again(core):
    fail(1)
    folded()
    error_groups.resolve("f1", "mended in 4.2")
    assert error_groups.counts() == {GroupState.open: 0, GroupState.resolved: 1, GroupState.ignored: 0}
    assert folded()[0].row.state is GroupState.resolved, "nothing new has failed"
    fail(1)
    (group,) = folded()
    assert (group.row.state, group.reopened, group.row.note) == (GroupState.open, True, "mended in 4.2")
    (event,) = kit.events("reopen")
    assert (event.actor_kind, event.entity, event.entity_id) == ("system", "error", "f1")


def test_an_ignored_kind_stays_ignored(core):
    fail(1)
    folded()
    error_groups.ignore("f1")
    fail(3)
    (group,) = folded()
    assert (group.row.state, group.row.total) == (GroupState.ignored, 4)
    assert error_groups.page("open") == []
    assert [g.row.fingerprint for g in error_groups.page("ignored")] == ["f1"]
    assert error_groups.reopen("f1").state is GroupState.open
    assert not folded()[0].reopened, "a person opened it"


def test_deciding_is_the_operator_s_and_is_recorded(core):
    fail(1)
    folded()
    with audit.acting_as(operators.create("mia", Role.member)), pytest.raises(Forbidden):
        error_groups.resolve("f1")
    with audit.acting_as(operators.create("olga", Role.operator)):
        error_groups.resolve("f1", "mended")
        error_groups.resolve("f1", "mended")
    (event,) = kit.events("resolve")
    assert (event.actor_id, event.reason, event.before, event.after) == (
        "olga", "mended", {"state": "open"}, {"state": "resolved"},
    )  # fmt: skip
    with pytest.raises(NotFound):
        error_groups.resolve("none")
    with pytest.raises(InvalidInput):
        error_groups.page("gone")


def test_what_is_old_is_forgotten(core):
    fail(1, "old")
    fail(1, "new")
    folded()
    kit.execute("UPDATE error_counts SET hour = 100 WHERE fingerprint = 'old'")
    assert error_counts.purge() == 1
    assert error_counts.purge() == 0
    assert [g.row.fingerprint for g in error_groups.page()] == ["new"]


def test_folding_reads_the_index_of_failures_alone(core):
    if core == "postgresql":
        pytest.skip("its planner decides by the statistics of a real table")
    fail(2)
    statements: list[str] = []
    with kit.watching(statements):
        error_counts.fold()
    asked = [s.replace("?", "'2026-01-01'") for s in statements if "status = 'failed' AND fingerprint" in s]
    assert len(asked) >= 2
    with reading() as session:
        for statement in asked:
            plan = " ".join(str(row) for row in session.execute(text(f"EXPLAIN QUERY PLAN {statement}")))
            assert "COVERING INDEX ix_tasks_failed_alike (finished_at>" in plan
