"""What persons and code do with schedules."""

from datetime import timedelta

import pytest

from models import Cause, Role, Status
from services import audit, catalog, operators, schedules, tasks
from services.errors import Conflict, Forbidden, InvalidInput, NotFound, StaleTask
from tests.services import kit
from tests.services.schedules.conftest import START

HOUR = 3600


def daily(name: str = "daily", **fields):
    return schedules.create(name, "greet", **{"cron": "0 7 * * *", **fields})


def test_defaults_are_those_that_are_promised(core, clock):
    made = daily()
    assert (made.retries, made.timeout_s, made.overlap, made.missed, made.keep_runs) == (3, 300.0, "skip", "once", 20)
    assert (made.zone, made.priority, made.pause_after, made.enabled, made.version) == ("UTC", 50, None, True, 1)
    (event,) = kit.events("create")
    assert (event.entity, event.entity_id, event.after["cron"]) == ("schedule", str(made.id), "0 7 * * *")


def test_an_update_recomputes_the_next_fire(core, clock):
    made = daily()
    changed = schedules.update(made.id, version=1, cron="0 9 * * *", zone="Asia/Tokyo")
    assert (changed.next_slot, changed.version) == ("2026-11-23T09:00", 2)
    assert schedules.update(made.id, description="words").next_slot == changed.next_slot
    every = schedules.update(made.id, every=timedelta(minutes=90))
    assert (every.cron, every.next_slot) == (None, "2026-11-22T07:30Z")
    assert schedules.update(made.id, every=timedelta(minutes=30)).next_slot == "2026-11-22T06:30Z", "the anchor stays"
    assert schedules.update(made.id, cron="0 8 * * *").anchor_at is None
    assert kit.events("update")[0].after.keys() == {"cron", "zone"}


def test_an_update_that_changes_nothing_leaves_no_trace(core, clock):
    made = daily()
    assert schedules.update(made.id, cron="0 7 * * *").version == 1
    assert kit.events("update") == []


def test_a_change_of_what_somebody_else_changed_is_refused(core, clock):
    made = daily()
    with audit.acting_as(operators.create("ada", Role.admin, "correct horse battery")):
        schedules.update(made.id, version=made.version, priority=60)
    clock.shift(10)
    sentence = "daily was changed by operator:ada 10 s ago; load it again, then change it"
    for act in (
        lambda: schedules.update(made.id, version=1, priority=70),
        lambda: schedules.delete(made.id, version=1),
    ):
        with pytest.raises(Conflict, match=sentence):
            act()
    assert schedules.get(made.id).priority == 60


def test_a_disabled_one_has_no_next_fire_and_what_it_passed_over_is_told(core, clock):
    made = schedules.create("m", "greet", cron="* * * * *")
    off = schedules.disable(made.id, "too loud")
    assert (off.next_slot, off.due_at, off.disabled_reason) == (None, None, "too loud")
    clock.shift(3 * 60)
    assert schedules.fire() == 0
    on = schedules.enable(made.id)
    assert (on.next_slot, on.disabled_reason) == ("2026-11-22T06:04Z", None)
    assert [(view.outcome, view.why) for view in schedules.history(made.id)] == [("skipped", "paused")] * 3
    assert [len(kit.events(verb)) for verb in ("disable", "enable")] == [1, 1]


def test_deleting_ends_its_runs_if_that_is_wished(core, clock):
    made = schedules.create("m", "greet", cron="* * * * *", overlap="allow")
    for _ in range(2):
        clock.shift(60)
        schedules.fire()
    (running,) = kit.take(1)
    ends = schedules.will_end(made.id)
    assert schedules.delete(made.id, "no more", cancel_runs=True) == ends
    assert kit.status(*ends) == [Status.running, Status.cancelled]
    assert tasks.get(running.id).cancel_requested_at is not None
    clock.shift(60)
    assert schedules.fire() == 0
    with pytest.raises(NotFound):
        schedules.find("m")
    assert len(schedules.history(made.id)) == 2


def test_a_run_by_hand_is_marked_and_moves_nothing(core, clock):
    made = daily(unique_key=None)
    task = schedules.run_now(made.id)
    (view,) = schedules.history(made.id)
    assert (view.cause, view.outcome, view.task_id, view.status) == (Cause.manual, "ran", task.id, Status.queued)
    assert schedules.get(made.id).next_slot == made.next_slot
    with pytest.raises(StaleTask, match=rf"daily: #{task.id} has not ended, and its policy for overlap is skip; wait"):
        schedules.run_now(made.id)
    kit.run_all()
    schedules.disable(made.id, "x")
    clock.shift(1)
    assert schedules.run_now(made.id).id > task.id


def test_rights_are_those_of_tasks(core, clock):
    viewer = operators.create("vera", Role.viewer, "correct horse battery")
    ada, bob = (operators.create(name, Role.member, "correct horse battery") for name in ("ada", "bob"))
    with audit.acting_as(viewer), pytest.raises(Forbidden):
        daily()
    with audit.acting_as(ada):
        made = daily()
        assert schedules.run_now(made.id).owner == ada.id
    with audit.acting_as(bob):
        for act in (
            lambda: schedules.run_now(made.id), lambda: schedules.update(made.id, priority=1),
            lambda: schedules.disable(made.id, "x"), lambda: schedules.delete(made.id),
            lambda: schedules.backfill(made.id, START - timedelta(days=2), START),
        ):  # fmt: skip
            with pytest.raises(Forbidden):
                act()


def test_a_backfill_runs_what_never_ran_in_the_order_and_at_the_pace_asked_for(core, clock):
    made = daily(overlap="allow")
    clock.shift(4 * 24 * HOUR)  # 2026-11-26T06:00:30
    schedules.fire()  # the newest of four missed ones is caught up
    since, until = START - timedelta(days=2), START + timedelta(days=4)
    shown = schedules.preview_backfill(made.id, since, until, newest_first=True, spread=60)
    assert [slot.name[:10] for slot in shown.slots] == [
        "2026-11-24",
        "2026-11-23",
        "2026-11-22",
        "2026-11-21",
        "2026-11-20",
    ]
    assert (shown.left_out, shown.run_at[1] - shown.run_at[0]) == (1, timedelta(minutes=1))
    done = schedules.backfill(made.id, since, until, newest_first=True, spread=60)
    assert done.slots == shown.slots
    made_tasks = [tasks.get(i) for i in done.task_ids]
    assert [task.slot for task in made_tasks] == [slot.name for slot in shown.slots]
    assert [task.run_at for task in made_tasks] == done.run_at
    assert [task.status for task in made_tasks] == [Status.queued] + [Status.pending] * 4
    views = {view.slot: view for view in schedules.history(made.id)}
    assert (views["2026-11-23T07:00"].cause, views["2026-11-23T07:00"].why) == (Cause.backfill, "missed at its time")
    assert schedules.backfill(made.id, since, until).task_ids == []


def test_a_backfill_goes_one_by_one_unless_runs_may_overlap(core, clock):
    made = daily()
    first = schedules.run_now(made.id)
    done = schedules.backfill(made.id, START - timedelta(days=3), START)
    assert kit.run_all() == 4
    finished = [tasks.get(i) for i in [first.id, *done.task_ids]]
    assert [task.status for task in finished] == [Status.completed] * 4


@pytest.mark.parametrize(
    ("since", "until", "sentence"),
    [
        (START, START - timedelta(days=1), "until: .* is before since"),
        (START, START + timedelta(days=9), "until: .* is not in the past"),
        (START - timedelta(days=10_000), START, "since: .* is not in the past, from 2000"),
        (START - timedelta(days=2000), START, "until: the range holds more than 1,000 slots"),
        ("x", START, "since: 'x' is not a datetime"),
    ],
)
def test_a_range_that_cannot_be_is_refused(core, clock, since, until, sentence):
    made = daily()
    with pytest.raises(InvalidInput, match=sentence):
        schedules.backfill(made.id, since, until)
    assert kit.count() == 0


def test_a_deploy_may_declare_its_schedules_again_and_again(core, clock):
    def deploy(**fields):
        return schedules.ensure(
            "n", "greet", {"name": "x"}, **{"cron": "0 6 * * 1-5", "zone": "Europe/Berlin", **fields}
        )

    made = deploy()
    assert (deploy().version, len(kit.events("update"))) == (1, 0)
    schedules.update(made.id, priority=90)
    assert deploy().priority == 90, "a deploy leaves alone what an operator changed"
    assert schedules.drift(schedules.get(made.id)) == {"priority": (50, 90)}
    changed = deploy(cron="0 7 * * 1-5")
    assert (changed.cron, changed.priority, changed.id) == ("0 7 * * 1-5", 90, made.id)
    assert schedules.drift(deploy(cron="0 7 * * 1-5", priority=60)) == {}
    schedules.disable(made.id, "x")
    assert not deploy(cron="0 7 * * 1-5", priority=60).enabled


def ensure_many(n: int) -> tuple[int, ...]:
    """A process of a deploy."""
    return tuple(schedules.ensure(f"s{i}", "greet", cron="0 6 * * *").id for i in range(10))


def test_many_processes_may_declare_at_once(core, crowd):
    catalog.declare()
    assert len(set(crowd.do(ensure_many, processes=4))) == 1
    assert kit.scalar("SELECT count(*) FROM schedules") == 10


def test_what_comes_next_over_all_schedules_is_in_order(core, clock):
    schedules.create("a", "greet", cron="*/20 * * * *")
    schedules.create("b", "greet", every=timedelta(minutes=30))
    shown = [(each.schedule.name, each.slot.at.minute) for each in schedules.upcoming(5)]
    assert shown == [("a", 20), ("b", 30), ("a", 40), ("a", 0), ("b", 0)]


def test_history_and_schedules_come_in_pages(core, clock):
    for name in "abc":
        schedules.create(name, "greet", cron="* * * * *", overlap="allow")
    for _ in range(3):
        clock.shift(60)
        schedules.fire()
    everything = schedules.history(limit=100)
    assert len(everything) == 9
    paged, after = [], None
    while some := schedules.history(after=after, limit=2):
        paged, after = paged + some, some[-1].key
    assert paged == everything
    assert [row.name for row in schedules.page(after="a", limit=1)] == ["b"]
    assert schedules.history(outcomes=["missed"]) == []
    with pytest.raises(InvalidInput, match="outcomes: 'x' is none of"):
        schedules.history(outcomes=["x"])
