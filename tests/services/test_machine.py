"""Anything in any order: workers that die and end late, persons who cancel, rerun and limit, parents that break.

After every step the ledger is sound, and agrees with a model of it that is too simple to be wrong; and when the storm
is over, everything that was accepted comes to an end. Time is virtual: it passes when a rule says so.
`make mutants` breaks the core on purpose and sees whether this notices.
"""

import os
from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import text
from sqlmodel import SQLModel

from models import FINISHED, Move, Status, Task, base, now, reading, transaction
from services import bulk, doctor, queues, tasks
from services.errors import ServiceError
from services.lifecycle import limits, rescue
from services.lifecycle.batch import stamp
from services.lifecycle.release import expire, release, unpark
from tests.services import kit
from tests.support import examples

MOVES = st.sampled_from([Move.complete, Move.complete, Move.fail, Move.defer, Move.hand_back, Move.stop])
LEASE_S = 60.0
some = st.integers(0, 10**6)
worker = st.sampled_from(["a", "b"])

# What may happen, how often, and with what. One rule draws from it: rules of their own would be left out of most runs
# (that is how hypothesis looks for what only some of them do), and without a claim there is nothing to end.
HAPPENINGS = {
    "enqueue": (6, {
        "parents": st.lists(some, max_size=3), "policy": st.sampled_from(["cancel", "run_anyway", "hold"]),
        "key": st.sampled_from([None, None, None, "k", "l"]), "unique": st.sampled_from([None, None, None, "u"]),
        "priority": st.integers(1, 100), "queue": st.sampled_from(["default", "mail"]),
        "later": st.sampled_from([False, False, True]), "expires": st.sampled_from([False, False, False, True]),
    }),
    "claim": (5, {"limit": st.integers(1, 4), "worker": worker, "new": st.booleans()}),
    "end": (5, {"which": st.lists(some, min_size=1, max_size=4), "move": MOVES}),
    "a_zombie_insists": (1, {"n": some, "times": st.integers(2, 3), "move": MOVES}),
    "a_zombie_ends_while_its_successor_runs": (2, {"n": some, "move": MOVES}),
    "cancel": (2, {"n": some}),
    "one_ends_that_was_told_to_stop": (1, {"n": some, "move": MOVES}),
    "rerun": (3, {"n": some, "dependents": st.booleans()}),
    "let_go": (1, {"n": some}),
    "hold": (1, {"n": some}),
    "reprioritise": (1, {"n": some, "priority": st.integers(1, 100)}),
    "steer": (3, {"most": st.sampled_from([None, 1, 2]), "paused": st.sampled_from([False, False, True])}),
    "worker_dies": (2, {"worker": worker, "known": st.booleans()}),
    "time_passes": (
        2, {"seconds": st.sampled_from([1, 31, 301, 601]), "keeping": st.sampled_from([True, True, False])},
    ),
    "a_chore_is_done": (1, {"chore": st.sampled_from([release, unpark, expire, kit.settle_rest])}),
}  # fmt: skip
NAMES = [name for name, (weight, _) in HAPPENINGS.items() for _ in range(weight)]
happenings = st.sampled_from(NAMES).flatmap(
    lambda name: st.tuples(st.just(name), st.fixed_dictionaries(HAPPENINGS[name][1]))
)


class Ledger(RuleBasedStateMachine):
    """Handles of attempts are kept for ever, so that zombies may end late, twice, and among others."""

    @initialize()
    def begin(self):
        with transaction() as session:
            for table in SQLModel.metadata.sorted_tables:
                if table.name not in ("queues", "schema_floor", "search_mark"):
                    session.execute(table.delete())
        self.ids, self.handles, self.completed = [], [], {}
        self.tries, self.ended = {}, set()  # the model: tries of each task; (id, epoch) of attempts that have ended
        self.most, self.paused = None, False  # of the queue `mail`
        kit.execute("UPDATE queues SET max_running = NULL, paused_at = NULL")
        limits.forget()
        rescue.forget()

    @rule(happening=happenings)
    def happens(self, happening):
        name, how = happening
        getattr(self, name)(**how)

    def pick(self, n):
        return self.ids[n % len(self.ids)] if self.ids else None

    def attempt(self, act, *arguments, **named):
        """Do it, or be refused."""
        with suppress(ServiceError):
            return act(*arguments, **named)

    def enqueue(self, parents, policy, key, unique, priority, queue, later, expires):
        needs = {self.pick(n) for n in parents} - {None}
        made = self.attempt(
            kit.greet, needs=needs, on_parent_failure=policy, concurrency_key=key, unique_key=unique,
            priority=priority, queue=queue, retries=1, run_at=now() + timedelta(minutes=5) if later else None,
            expires_at=now() + timedelta(minutes=10) if expires else None,
        )  # fmt: skip
        if made is not None and not made.deduplicated:
            self.ids.append(made.id)
            self.tries[made.id] = 0

    def claim(self, limit, worker, new):
        if new:  # its process has just begun, and knows of no limits
            limits.forget()
        best, at = self.line(), now()
        claimed = kit.take(limit, worker, lease_s=LEASE_S)
        taken = ", ".join(str(c.id) for c in claimed) or "0"
        assert not kit.count(f"id IN ({taken}) AND expires_at <= :at", at=stamp(at)), "it had expired"
        assert {c.tries for c in claimed} <= {0, 1}, "a try too many"
        self.handles += claimed
        if any(c.queue == "mail" for c in claimed):
            assert not self.paused, "its queue is paused"
            assert kit.count("status = 'running' AND queue = 'mail'") <= (self.most or 10**6), "its queue is full"
        if claimed and best:
            assert claimed[0].priority >= best, "better ones were in line"

    def line(self):
        """The highest priority that may be claimed, of tasks without a key."""
        in_time = "expires_at IS NULL OR expires_at > :at"
        unlimited = f"status = 'queued' AND concurrency_key IS NULL AND ({in_time})"
        if self.paused or self.most is not None:
            unlimited += " AND queue <> 'mail'"
        return kit.scalar(f"SELECT max(priority) FROM tasks WHERE {unlimited}", at=stamp(now()))

    def end(self, which, move):
        if self.handles:
            batch = [self.handles[n % len(self.handles)] for n in which]
            may = self.own()
            pause = timedelta(seconds=30) if move is Move.defer else timedelta(0)
            fenced = kit.commit(*(kit.ending(c, move, run_at=now() + pause) for c in batch))
            landed = {(c.id, c.epoch) for c in batch} & may
            assert {e.key for e in fenced} == {(c.id, c.epoch) for c in batch} - may, (
                "one that owns its task, and no other"
            )
            assert not landed & self.ended, "an attempt has ended twice"
            self.ended |= landed
            if move in (Move.fail, Move.defer):
                self.spend(landed)

    def a_zombie_insists(self, n, times, move):
        """One attempt ends several times, alone."""
        for _ in range(times):
            self.end([n], move)

    def a_zombie_ends_while_its_successor_runs(self, n, move):
        current = dict(self.own())
        zombies = [i for i, c in enumerate(self.handles) if current.get(c.id, c.epoch) > c.epoch]
        if zombies:
            self.end([zombies[n % len(zombies)]], move)

    def one_ends_that_was_told_to_stop(self, n, move):
        own = self.own()
        may = [i for i, c in enumerate(self.handles) if (c.id, c.epoch) in own]
        if may:
            which = may[n % len(may)]
            self.attempt(tasks.cancel, self.handles[which].id)
            self.end([which], move)

    def own(self):
        """The attempts that own their tasks."""
        with reading() as session:
            return {tuple(row) for row in session.execute(text("SELECT id, epoch FROM tasks WHERE status = 'running'"))}

    def spend(self, landed):
        for task_id, _ in landed:
            self.tries[task_id] += 1

    def cancel(self, n):
        self.attempt(tasks.cancel, self.pick(n) or 1)

    def rerun(self, n, dependents):
        before = kit.scalar("SELECT max(id) FROM events") or 0
        broken = self.broken()
        which = broken[n % len(broken)] if broken and n % 4 else self.pick(n) or 1  # the others are refused
        if self.attempt(tasks.rerun, which, dependents=dependents) is not None:
            for event in kit.events("rerun"):
                if event.id > before:
                    self.tries[int(event.entity_id)] = 0

    def let_go(self, n):
        self.attempt(tasks.release, self.pick(n) or 1)

    def hold(self, n):
        if self.ids:
            plan = bulk.plan(bulk.Act.hold, [self.pick(n)])
            assert [*bulk.Run(plan).go()] == [1] * plan.changes

    def reprioritise(self, n, priority):
        self.attempt(tasks.reprioritise, self.pick(n) or 1, priority)

    def steer(self, most, paused):
        if self.attempt(queues.set_max_running, "mail", most) is not None:  # there is no such queue yet
            queues.pause("mail", "it is late") if paused else queues.resume("mail")
            self.most, self.paused = most, paused

    def worker_dies(self, worker, known):
        if known:
            started = {(c.id, c.epoch) for c in self.handles[::2]}
            rescue.bury(worker, started, "its process died")
        else:
            self.pass_time(LEASE_S + 1, kept_by={"a": "b", "b": "a"}[worker])
            rescue.rescue()

    def time_passes(self, seconds, keeping):
        """Workers beat meanwhile, or none does."""
        self.pass_time(seconds, *(["a", "b"] if keeping else []))
        release()

    def pass_time(self, seconds, *beating, kept_by=None):
        base._ahead -= timedelta(seconds=seconds)
        rescue.forget()  # it passes as time does, and not as where a clock is set
        for worker in [*beating, kept_by]:
            until = stamp(now() + timedelta(seconds=LEASE_S))
            kit.execute("UPDATE tasks SET lease_until = :at WHERE worker = :worker", at=until, worker=worker)

    def a_chore_is_done(self, chore):
        chore()

    @invariant()
    def the_ledger_is_sound(self):
        kit.assert_sound()
        with reading() as session:
            rows = session.execute(text("SELECT id, epoch FROM tasks WHERE status = 'completed'")).all()
        now_completed = {row.id: row.epoch for row in rows}
        assert self.completed.items() <= now_completed.items(), "what completed stays completed"
        self.completed = now_completed
        with reading() as session:
            tries = dict(session.execute(text("SELECT id, tries FROM tasks")).all())
        assert tries == self.tries, "every error is one try, and nothing else is"

    def teardown(self):
        """The storm is over: workers live, bodies succeed, persons let go of what is held."""
        try:
            if getattr(self, "ids", None):
                self.calm_down()
        finally:
            base._ahead = timedelta(0)

    def calm_down(self):
        self.steer(None, False)
        for _ in range(20 + len(self.ids)):
            if not kit.count("finished_at IS NULL"):
                break
            self.time_passes(601, True)
            rescue.bury("a", set(), "over")
            rescue.bury("b", set(), "over")
            kit.settle_everything()
            unpark()
            expire()
            for i in self.held():
                tasks.release(i)
            kit.finish(kit.take(100))
        with reading() as session:
            left = session.execute(kit.select(Task.id, Task.status).where(Task.status.not_in(FINISHED))).all()
        assert not left, "accepted, and never to end"
        assert sorted(self.ids) == self.all_ids(), "accepted, and gone"
        kit.assert_sound()
        found = [str(finding) for result in doctor.examine(patience=0) for finding in result.findings]
        assert not found, found

    def all_ids(self):
        with reading() as session:
            return session.execute(kit.select(Task.id).order_by(Task.id)).scalars().all()

    def broken(self):
        with reading() as session:
            broken = kit.select(Task.id).where(Task.status.in_([Status.failed, Status.cancelled]))
            return session.execute(broken.order_by(Task.id)).scalars().all()

    def held(self):
        with reading() as session:
            held = kit.select(Task.id).where(Task.status == Status.pending, Task.held_reason.is_not(None))
            return session.execute(held).scalars().all()


EXAMPLES = {"sqlite": examples(80, share=10), "postgresql": examples(40)}


@pytest.mark.usefixtures("no_disk")
def test_whatever_happens_the_ledger_is_sound_and_everything_comes_to_an_end(core, monkeypatch):
    monkeypatch.setattr(rescue, "keep_step", lambda _: None)  # time is virtual: the server's has no say
    tried = int(os.environ.get("MACHINE_EXAMPLES", EXAMPLES[core]))
    run_state_machine_as_test(
        Ledger,
        settings=settings(
            max_examples=tried, stateful_step_count=40, derandomize=True, database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
