"""Every slot is accounted for: once, by whoever fires it, whatever the clock does."""

from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from models import Move, Status, reading, tables, transaction
from services import catalog, retention, schedules, tasks
from services.schedules import spec
from services.schedules.due import MOST_AT_ONCE
from services.schedules.keeping import placed
from tests.services import kit
from tests.services.schedules.conftest import START

HOUR = 3600


def minutely(name: str = "minutely", **fields):
    return schedules.create(name, "greet", {"name": "{{ slot }}"}, cron="* * * * *", **fields)


def fire_all() -> int:
    fired = 0
    while n := schedules.fire():
        fired += n
    return fired


def outcomes(schedule, limit: int = 1000) -> list[str]:
    """Of all slots, the oldest first."""
    return [view.outcome.value for view in reversed(schedules.history(schedule.id, limit=limit))]


def slots_of_tasks(schedule) -> list[str]:
    t = tables.tasks.c
    with reading() as session:
        return list(session.execute(select(t.slot).where(t.schedule_id == schedule.id).order_by(t.id)).scalars())


def finish_all(move: Move = Move.complete) -> None:
    while got := kit.take(500):
        kit.finish(got, move)
    schedules.follow()


def test_a_due_slot_becomes_a_task_of_its_schedule_and_has_its_row(core, clock):
    made = minutely(priority=70, tags=["a"], project="p")
    assert (made.next_slot, schedules.fire()) == ("2026-11-22T06:01Z", 0)
    clock.shift(45)
    assert (schedules.fire(), schedules.fire()) == (1, 0)
    (view,) = schedules.history(made.id)
    task = tasks.get(view.task_id)
    assert (view.outcome, view.cause, view.late_s, view.schedule) == ("ran", "automatic", 15.0, "minutely")
    assert (task.schedule_id, task.slot, task.title) == (made.id, "2026-11-22T06:01Z", "minutely")
    assert (task.priority, task.tags, task.project, task.max_tries, task.timeout_s) == (70, ["a"], "p", 4, 300.0)
    assert (task.created_by_kind, task.created_by_id, task.status) == ("schedule", str(made.id), Status.queued)
    assert task.body.payload["name"] == "2026-11-22T06:01:00+00:00"
    assert schedules.get(made.id).next_slot == "2026-11-22T06:02Z"


def test_a_template_knows_when_a_run_last_completed(core, clock):
    made = schedules.create(
        "t", "greet", {"data": "{{ last_completed_at }}", "name": "after {{last_completed_at}}!"}, cron="* * * * *"
    )
    for expected in (
        {"data": None, "name": "after !"},
        {"data": "2026-11-22T06:01:30+00:00", "name": "after 2026-11-22T06:01:30+00:00!"},
    ):
        clock.shift(60)
        schedules.fire()
        payload = tasks.get(schedules.history(made.id)[0].task_id).body.payload
        assert {k: payload[k] for k in expected} == expected
        finish_all()


@pytest.mark.parametrize("missed", ["skip", "once", "all"])
def test_after_three_hours_without_a_scheduler_the_policy_is_done_and_every_slot_has_its_row(core, clock, missed):
    made = minutely(missed=missed)
    clock.shift(3 * HOUR + 90)  # 09:02:00 is fresh
    fire_all()
    told = outcomes(made)
    assert len(told) == 182
    fresh = 2  # 09:01 and 09:02: up to a minute late is late, not missed
    ran = {"skip": 1, "once": 1, "all": 100}[missed]
    assert told.count("ran") == ran
    assert told.count("missed") == 182 - fresh - (100 if missed == "all" else 0)
    assert told.count("skipped") == (2 if missed == "all" else 1)
    assert len(slots_of_tasks(made)) == ran
    if missed == "all":
        waits = kit.scalar("SELECT count(*) FROM tasks WHERE waits_on > 0")
        assert waits == 99, "one after another"
        assert kit.run_all() == 100


def test_once_runs_the_newest_missed_slot_if_its_window_is_open(core, clock):
    made = schedules.create("d", "greet", cron="0 7 * * *")
    short = schedules.create("short", "greet", cron="0 7 * * *", missed_window=timedelta(hours=1))
    clock.shift(2 * 24 * HOUR + 4 * HOUR)
    assert fire_all() == 2
    assert outcomes(made) == ["missed", "missed", "ran"]
    assert schedules.history(made.id)[0].why == "caught up"
    assert outcomes(short) == ["missed", "missed", "skipped"]
    assert schedules.history(short.id)[0].why == "outside its window of 60 minutes"


def test_a_long_absence_is_written_down_in_parts(core, clock):
    made = minutely(missed="all")
    clock.shift(2 * 24 * HOUR)
    parts = 0
    while schedules.fire():
        parts += 1
    assert parts == 2880 // (MOST_AT_ONCE - 99) + 1
    assert kit.scalar("SELECT count(*) FROM fires") == 2880
    assert kit.scalar("SELECT count(*) FROM fires WHERE outcome = 'ran'") == 100
    assert len(set(slots_of_tasks(made))) == 100


def overlapping(clock, policy: str):
    """A schedule with a running task, whose next slots are due."""
    made = minutely(overlap=policy)
    clock.shift(60)
    schedules.fire()
    (running,) = kit.take(1)
    for _ in range(2):
        clock.shift(60)
        schedules.fire()
    return made, running


def test_overlap_skip_waits_for_the_next_slot(core, clock):
    made, running = overlapping(clock, "skip")
    assert outcomes(made) == ["ran", "skipped", "skipped"]
    assert schedules.history(made.id)[0].why == "overlap: an earlier run has not ended"
    kit.finish(running)
    clock.shift(60)
    schedules.fire()
    assert outcomes(made)[-1] == "ran"


def test_overlap_queue_one_lets_one_wait_for_the_end_of_the_running(core, clock):
    made, running = overlapping(clock, "queue_one")
    assert outcomes(made) == ["ran", "ran", "skipped"]
    assert kit.take(5) == []
    kit.finish(running, Move.fail)
    assert len(kit.take(5)) == 1


def test_overlap_cancel_previous_asks_the_running_to_stop_and_starts_after_it(core, clock):
    made, running = overlapping(clock, "cancel_previous")
    assert outcomes(made) == ["ran", "ran", "ran"]
    first, second, third = (view.task_id for view in reversed(schedules.history(made.id)))
    assert tasks.get(first).cancel_requested_at is not None
    assert kit.status(first, second, third) == [Status.running, Status.cancelled, Status.pending]
    kit.finish(running, Move.stop)
    assert [one.id for one in kit.take(5)] == [third]


def test_overlap_allow_lets_them_run_together(core, clock):
    made, _ = overlapping(clock, "allow")
    assert outcomes(made) == ["ran", "ran", "ran"]
    assert len(kit.take(5)) == 2


def test_a_live_task_with_the_unique_key_stands_for_the_slot(core, clock):
    made = minutely(unique_key="k", overlap="allow")
    other = kit.greet(unique_key="k")
    clock.shift(60)
    schedules.fire()
    (view,) = schedules.history(made.id)
    assert (view.outcome, view.task_id) == ("deduplicated", other.id)


def test_one_that_cannot_enqueue_says_why_and_harms_no_other(core, clock):
    with kit.known(kit.a_type("gone")):
        broken = schedules.create("broken", "gone", cron="* * * * *")
    fine = [minutely(f"fine {n}") for n in range(3)]
    misfit = minutely("misfit")
    kit.execute('UPDATE schedules SET payload = \'{"n": "many"}\' WHERE id = :i', i=misfit.id)
    lost = minutely("lost")
    kit.execute("UPDATE schedules SET zone = 'Nowhere/Atall' WHERE id = :i", i=lost.id)
    clock.shift(60)
    assert schedules.fire() == 6
    assert [outcomes(each) for each in fine] == [["ran"]] * 3
    assert [outcomes(each) for each in (broken, misfit, lost)] == [["failed"]] * 3
    assert "there is no task type 'gone'" in schedules.history(broken.id)[0].why
    assert schedules.history(misfit.id)[0].why.startswith("/n: 'many' does not fit greet")
    assert "its rule cannot be read any more" in schedules.get(lost.id).disabled_reason
    assert {row.name for row in schedules.attention()["failing"]} == {"broken", "misfit"}
    assert [row.name for row in schedules.attention()["paused"]] == ["lost"]
    catalog.register(kit.a_type("gone"))
    clock.shift(60)
    schedules.fire()
    catalog.unregister("gone")
    assert outcomes(broken) == ["failed", "ran"]


def test_one_that_the_database_refuses_is_found_and_the_others_fire(core, clock):
    fine = [minutely(f"fine {n}") for n in range(3)]
    refused = minutely("refused")
    kit.execute("UPDATE schedules SET timeout_s = 1e300, retries = 1000 WHERE id = :i", i=refused.id)
    clock.shift(60)
    assert schedules.fire() == 4
    assert [outcomes(each) for each in fine] == [["ran"]] * 3
    assert outcomes(refused) == ["failed"]
    assert schedules.get(refused.id).next_slot == "2026-11-22T06:02Z"


def test_a_clock_that_is_set_back_fires_no_slot_twice(core, clock):
    made = minutely(overlap="allow")
    for _ in range(5):
        clock.shift(60)
        schedules.fire()
    clock.shift(-HOUR)
    schedules.update(made.id, cron="*/1 * * * *")
    schedules.update(made.id, zone="Europe/Berlin")
    schedules.refresh()
    for _ in range(62):
        clock.shift(60)
        schedules.fire()
    slots = slots_of_tasks(made)
    assert len(slots) == len(set(slots)) == 7
    assert slots == sorted(slots)


def fire_until_quiet(n: int) -> int:
    """A scheduler's share."""
    from datetime import timedelta

    import time_machine

    with time_machine.travel(START + timedelta(minutes=1), tick=False):
        return sum(schedules.fire(7) for _ in range(40))


def test_many_schedulers_at_once_fire_each_slot_once(core, crowd):
    import time_machine

    catalog.declare()
    with time_machine.travel(START, tick=False):
        made = [minutely(f"s{n}") for n in range(60)]
    fired = crowd.do(fire_until_quiet, processes=4)
    assert sum(fired) == 60
    assert kit.count() == kit.scalar("SELECT count(*) FROM fires") == 60
    assert [len(slots_of_tasks(each)) for each in made] == [1] * 60


def test_the_next_fires_of_many_random_schedules_are_the_same_after_a_restart(core, clock):
    import random

    from tests.conftest import forget

    draw, rows = random.Random(4), []
    for n in range(1, 1_001):
        rule = {"cron": f"{draw.randrange(60)} {draw.choice(['*', '*/3', '5', '1-4'])} * * {draw.choice('*135')}"}
        if n % 3 == 0:
            rule = {"every": timedelta(minutes=draw.randrange(1, 5000))}
        zone = draw.choice(["UTC", "Europe/Berlin", "Asia/Tokyo", "America/New_York"])
        said = spec.Spec(name=f"r{n}", type="greet", **rule, zone=zone, jitter=draw.choice([0, 30])).columns()
        first = schedules.Rule(**{name: said[name] for name in spec.RULE}).first(START)
        rows.append({**said, "id": n, "created_at": START, "updated_at": START, **placed(n, first, said["jitter_s"])})
    with transaction() as session:  # at once: one by one they take long
        session.execute(insert(tables.schedules), rows)
    clock.shift(5 * HOUR)
    fire_all()
    query = select(*(tables.schedules.c[name] for name in ("id", "next_slot", "next_at", "due_at")))
    with reading() as session:
        before = session.execute(query).all()
    forget()
    schedules.refresh()
    with reading() as session:
        assert session.execute(query).all() == before


def test_it_pauses_after_so_many_failures_in_a_row_and_says_so(core, clock):
    made = minutely(pause_after=3, retries=0)
    for move in (Move.fail, Move.fail, Move.complete, Move.fail, Move.fail, Move.fail):
        assert schedules.get(made.id).enabled
        clock.shift(60)
        schedules.fire()
        finish_all(move)
    row = schedules.get(made.id)
    assert (row.enabled, row.due_at, row.failures_in_row) == (False, None, 3)
    assert row.disabled_reason.startswith("3 failures in a row, the last #6 (ValueError)")
    (event,) = kit.events("pause")
    assert (event.entity, event.entity_id, event.actor_kind) == ("schedule", str(made.id), "system")
    assert (row.success_rate, row.completed, row.failed) == (1 / 6, 1, 5)
    assert [each.name for each in schedules.attention()["paused"]] == ["minutely"]
    schedules.enable(made.id)
    assert schedules.get(made.id).failures_in_row == 0


def test_the_last_runs_are_kept_and_all_fires(core, clock):
    made = minutely(keep_runs=2)
    for _ in range(5):
        clock.shift(60)
        schedules.fire()
        finish_all()
    assert retention.purge() == 3
    assert slots_of_tasks(made) == ["2026-11-22T06:04Z", "2026-11-22T06:05Z"]
    views = schedules.history(made.id)
    assert [view.status for view in views] == [Status.completed] * 5
    clock.shift(91 * 24 * HOUR)
    schedules.delete(made.id)
    while retention.purge():
        pass
    assert schedules.history(made.id) == []


def test_a_slot_fires_after_its_jitter_and_is_not_late_for_it(core, clock):
    made = schedules.create("j", "greet", cron="0 * * * *", jitter=1800)
    assert made.next_at <= made.due_at < made.next_at + timedelta(minutes=30)
    clock.move_to(made.due_at - timedelta(seconds=1))
    assert schedules.fire() == 0
    clock.move_to(made.due_at + timedelta(seconds=2))
    assert schedules.fire() == 1
    assert schedules.history(made.id)[0].late_s == pytest.approx(2, abs=0.01)


def test_after_its_end_it_fires_no_more(core, clock):
    made = minutely(end_at=START + timedelta(minutes=2))
    clock.shift(5 * 60)
    fire_all()
    assert len(outcomes(made)) == 2
    assert schedules.get(made.id).next_slot is None
    assert schedules.attention()["never"] == []  # it has done its work
    kit.execute("UPDATE schedules SET end_at = NULL")
    assert [row.name for row in schedules.attention()["never"]] == ["minutely"]
