"""Finding schedules among many, what is wrong with them, and what their runs left; on both databases."""

from datetime import timedelta

import pytest

from models import Move, now
from services import schedules, tasks
from services.errors import InvalidInput, NotFound
from services.schedules import Trouble
from tests.services import kit


def named(**asked) -> list[str]:
    return [row.name for row in schedules.page(**asked)]


def test_schedules_are_found_by_state_and_by_words_in_name_description_and_type(core, clock):
    schedules.create("a 100%", "greet", cron="0 6 * * *", description="Für LISBON")
    schedules.create("b", "count", cron="0 6 * * *", enabled=False)
    schedules.create("C report", "greet", cron="0 6 * * *")
    assert (named(state="on"), named(state="off")) == (["C report", "a 100%"], ["b"])
    assert (named(words="lisbon"), named(words="COUNT"), named(words="c REP")) == (["a 100%"], ["b"], ["C report"])
    assert (named(words="%"), named(words="_"), named(words=" "), len(named(words=""))) == (["a 100%"], [], named(), 3)
    assert named(state="on", after="C report") == ["a 100%"]
    found = schedules.counts()
    assert (found.all, found.on, found.off, found.attention) == (3, 2, 1, 0)
    for asked in ({"state": "maybe"}, {"words": "a\nb"}, {"words": "x" * 201}):
        with pytest.raises(InvalidInput):
            schedules.page(**asked)


def test_what_is_wrong_is_the_same_in_a_list_of_a_count_and_on_the_row(core, clock):
    late = schedules.create("late", "greet", cron="* * * * *")
    ended = schedules.create("ended", "greet", cron="* * * * *", end_at=now() + timedelta(seconds=90))
    never = schedules.create("never", "greet", cron="* * * * *")
    off = schedules.create("off", "greet", cron="* * * * *", enabled=False)
    missing = schedules.create("missing", "greet", cron="* * * * *", missed="skip")
    failing = schedules.create("failing", "greet", cron="0 0 1 1 *")
    schedules.run_now(failing.id)
    kit.finish(kit.take(1), Move.fail)
    schedules.follow()
    kit.execute("UPDATE schedules SET due_at = NULL, next_at = NULL, next_slot = NULL WHERE name = 'never'")
    kit.execute("UPDATE schedules SET last_outcome = 'missed' WHERE name = 'missing'")
    kit.execute(
        "UPDATE schedules SET due_at = NULL, next_at = NULL, next_slot = NULL, last_at = end_at WHERE name = 'ended'"
    )
    clock.shift(10)
    found = {name: [row.name for row in rows] for name, rows in schedules.attention().items() if rows}
    assert found == {"failing": ["failing"], "missed": ["missing"], "never": ["never"]}
    assert schedules.counts().attention == len(named(state="attention")) == 3
    clock.shift(300)
    assert {row.name for row in schedules.attention()["late"]} == {"late", "missing"}
    told = {row.name: schedules.trouble(schedules.get(row.id)) for row in (late, ended, never, off, missing, failing)}
    assert told == {
        "late": Trouble.late, "ended": None, "never": Trouble.never, "off": None, "missing": Trouble.late,
        "failing": Trouble.failing,
    }  # fmt: skip


def test_the_latest_fires_of_many_are_a_few_of_each_oldest_first(core, clock):
    made = [schedules.create(f"s{n}", "greet", cron="* * * * *", overlap="allow") for n in range(2)]
    none = schedules.create("none", "greet", cron="0 0 1 1 *")
    for _ in range(5):
        clock.shift(60)
        schedules.fire()
    clock.shift(1)
    manual = schedules.run_now(made[0].id)
    found = schedules.latest([made[0].id, made[1].id, none.id], most=3)
    assert [len(found[one.id]) for one in (*made, none)] == [3, 3, 0]
    assert found[made[0].id][-1].task_id == manual.id
    assert found[made[0].id][-1].status.value == "queued"
    slots = [one.at for one in found[made[1].id]]
    assert slots == sorted(slots)
    assert len(schedules.latest([made[0].id], most=100)[made[0].id]) == 6
    assert schedules.latest([]) == {}


def test_of_a_run_the_first_500_characters_and_the_first_tasks_it_made_are_shown(core):
    long, short, failed, silent = (tasks.enqueue("greet", {}) for _ in range(4))
    results = {long.id: '{"text": "' + "x" * 2000 + '"}', short.id: '{"n": 1}', silent.id: "null"}
    for claimed in kit.take(4):
        if claimed.id == failed.id:
            kit.finish(claimed, Move.fail)
        else:
            kit.finish(claimed, result=results[claimed.id])
    children = [tasks.enqueue("count", {}) for _ in range(7)]
    kit.execute(f"UPDATE tasks SET parent_id = {short.id} WHERE type = 'count'")
    found = schedules.outputs([long.id, short.id, failed.id, silent.id, 10_000])
    assert set(found) == {long.id, short.id, failed.id, silent.id}
    assert (len(found[long.id].text), found[long.id].cut) == (500, True)
    assert (found[short.id].text.replace(" ", ""), found[short.id].cut) == ('{"n":1}', False)
    assert found[failed.id].text == "no such album"
    assert found[silent.id].text is None
    assert [child for child, _ in found[short.id].made] == [child.id for child in children[:5]]
    assert found[short.id].more
    assert schedules.outputs([]) == {}
    assert len(schedules.output(long.id)) > 2000
    assert schedules.output(failed.id) == "no such album"
    for nothing in (silent.id, 10_000):
        with pytest.raises(NotFound, match="has left nothing"):
            schedules.output(nothing)
