"""Anything in any order: workers that die, come back and end late, persons who cancel and rerun, parents that break.

After every step the ledger is sound; and when the storm is over, everything that was accepted comes to an end.
"""

from contextlib import suppress
from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import text
from sqlmodel import SQLModel

from models import FINISHED, Move, Status, Task, now, reading, transaction
from services import tasks
from services.errors import ServiceError
from services.lifecycle import rescue
from services.lifecycle.release import expire, release, unpark
from tests.services import kit
from tests.support import examples

MOVES = st.sampled_from([Move.complete, Move.complete, Move.fail, Move.defer, Move.hand_back, Move.stop])
some = st.integers(0, 10**6)


class Ledger(RuleBasedStateMachine):
    """Handles of attempts are kept for ever, so that zombies may end late, twice, and among others."""

    @initialize()
    def begin(self):
        with transaction() as session:
            for table in SQLModel.metadata.sorted_tables:
                if table.name not in ("queues", "schema_floor", "search_mark"):
                    session.execute(table.delete())
        self.ids, self.handles, self.completed = [], [], {}
        rescue._last_look = None

    def pick(self, n):
        return self.ids[n % len(self.ids)] if self.ids else None

    def attempt(self, act, *arguments, **named):
        """Do it, or be refused."""
        with suppress(ServiceError):
            return act(*arguments, **named)

    @rule(
        parents=st.lists(some, max_size=3), policy=st.sampled_from(["cancel", "run_anyway", "hold"]),
        key=st.sampled_from([None, None, "k", "l"]), unique=st.sampled_from([None, None, None, "u"]),
        priority=st.integers(1, 100), queue=st.sampled_from(["default", "mail"]), later=st.booleans(),
    )  # fmt: skip
    def enqueue(self, parents, policy, key, unique, priority, queue, later):
        needs = {self.pick(n) for n in parents} - {None}
        made = self.attempt(
            kit.greet, needs=needs, on_parent_failure=policy, concurrency_key=key, unique_key=unique,
            priority=priority, queue=queue, retries=1, run_at=now() + timedelta(hours=1) if later else None,
        )  # fmt: skip
        if made is not None and not made.deduplicated:
            self.ids.append(made.id)

    @rule(limit=st.integers(1, 4), worker=st.sampled_from(["a", "b"]))
    def claim(self, limit, worker):
        best = self.line()
        claimed = kit.take(limit, worker)
        self.handles += claimed
        if claimed and best:
            assert claimed[0].priority >= best, "better ones were in line"

    def line(self):
        """The highest priority that may be claimed, of tasks without a key."""
        return kit.scalar("SELECT max(priority) FROM tasks WHERE status = 'queued' AND concurrency_key IS NULL")

    @rule(which=st.lists(some, min_size=1, max_size=4), move=MOVES)
    def end(self, which, move):
        if self.handles:
            batch = [self.handles[n % len(self.handles)] for n in which]
            kit.commit(*(kit.ending(c, move, run_at=now()) for c in batch))

    @rule(n=some)
    def cancel(self, n):
        self.attempt(tasks.cancel, self.pick(n) or 1)

    @rule(n=some, dependents=st.booleans())
    def rerun(self, n, dependents):
        self.attempt(tasks.rerun, self.pick(n) or 1, dependents=dependents)

    @rule(n=some)
    def let_go(self, n):
        self.attempt(tasks.release, self.pick(n) or 1)

    @rule(n=some, priority=st.integers(1, 100))
    def reprioritise(self, n, priority):
        self.attempt(tasks.reprioritise, self.pick(n) or 1, priority)

    @rule(worker=st.sampled_from(["a", "b"]), known=st.booleans())
    def worker_dies(self, worker, known):
        if known:
            started = {(c.id, c.epoch) for c in self.handles[::2]}
            rescue.bury(worker, started, "its process died")
        else:
            kit.execute("UPDATE tasks SET lease_until = :at WHERE worker = :worker", at=str(now()), worker=worker)
            rescue.rescue()

    @rule()
    def time_passes(self):
        kit.execute("UPDATE tasks SET run_at = :at WHERE status = 'pending'", at=str(now()))
        release()

    @rule(chore=st.sampled_from([release, unpark, expire, kit.settle_rest]))
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

    def teardown(self):
        """The storm is over: workers live, bodies succeed, persons let go of what is held."""
        if not getattr(self, "ids", None):
            return
        for _ in range(20 + len(self.ids)):
            self.time_passes()
            rescue.bury("a", set(), "over")
            rescue.bury("b", set(), "over")
            kit.settle_everything()
            unpark()
            for i in self.held():
                tasks.release(i)
            kit.finish(kit.take(100))
        with reading() as session:
            left = session.execute(kit.select(Task.id, Task.status).where(Task.status.not_in(FINISHED))).all()
        assert not left, "accepted, and never to end"
        kit.assert_sound()

    def held(self):
        with reading() as session:
            held = kit.select(Task.id).where(Task.status == Status.pending, Task.held_reason.is_not(None))
            return session.execute(held).scalars().all()


def test_whatever_happens_the_ledger_is_sound_and_everything_comes_to_an_end(core):
    run_state_machine_as_test(
        Ledger,
        settings=settings(
            max_examples=examples(40 if core == "sqlite" else 20), stateful_step_count=40,
            derandomize=True, database=None, suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
