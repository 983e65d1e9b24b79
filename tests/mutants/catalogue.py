"""What is broken, and where: words of the source, each of which must stand there exactly so often."""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Cut:
    """A change of one module's source."""

    module: str
    old: str
    new: str
    times: int = 1

    @property
    def file(self) -> Path:
        """Where the module stands."""
        return ROOT / f"{self.module.replace('.', '/')}.py"

    def applied(self, source: str) -> str:
        """The source with the change. Raises `ValueError` where it no longer fits."""
        if source.count(self.old) != self.times:
            raise ValueError(f"{self.module} has {source.count(self.old)} times {self.old!r}, not {self.times}")
        return source.replace(self.old, self.new)


@dataclass(frozen=True)
class Mutant:
    """A core with one thing missing that a promise rests on."""

    name: str
    lacks: str
    cuts: tuple[Cut, ...]
    only: str | None = None  # the database that has what is broken


ENDING, LANDING = "services.lifecycle.ending", "services.lifecycle.landing"
AT_ONCE, CLAIM_AT_ONCE = "services.lifecycle.complete_at_once", "services.lifecycle.claim_at_once"
OWNED = "for task, epoch, by, stops in rows if (task, epoch, by) in batch.owners}"
OF_ANY_WORKER = "for task, epoch, by, stops in rows if (task, epoch) in batch.endings}"
OF_ANY_EPOCH = "for task, epoch in batch.endings for found, *_, stops in rows if found == task}"
LIMITED = "EXISTS (SELECT FROM queues WHERE max_running IS NOT NULL AND {ours})"
GUARD = 't.epoch == v.epoch, still(t, "running")'

MUTANTS = [
    Mutant(
        "no-epoch-guard",
        "a late ending of an earlier attempt is refused",
        (
            Cut(ENDING, OWNED, OF_ANY_EPOCH),
            Cut(LANDING, GUARD, 'still(t, "running")', 2),
            Cut(AT_ONCE, '("id", "epoch", "worker")', '("id",)'),
        ),
    ),
    Mutant(
        "no-state-guard",
        "an ending of a task that no longer runs is refused",
        (
            Cut(LANDING, 'among(t.id), still(t, "running")', "among(t.id)"),
            Cut(LANDING, GUARD, "t.epoch == v.epoch", 2),
            Cut(ENDING, OWNED, OF_ANY_WORKER),  # an ended task has none
            Cut(AT_ONCE, '("id", "epoch", "worker")', '("id", "epoch")'),
        ),
    ),
    Mutant("tries-not-counted", "an error spends a try", (Cut(LANDING, "tries=t.tries + v.tried", "tries=t.tries"),)),
    Mutant(
        "release-skipped",
        "an ending is told to those that wait for it",
        (Cut("services.lifecycle.needs", "edges = _reach(session, ended, in_place)", "edges: list[Edge] = []"),),
    ),
    Mutant(
        "losses-not-counted",
        "a dead worker costs its task a loss",
        (Cut("services.lifecycle.rescue", "losses = row.losses + had_started", "losses = row.losses"),),
    ),
    Mutant(
        "lowered-by-one",
        "two parents in one batch lower the child's count by two",
        (Cut("services.lifecycle.needs", "waits_on=t.waits_on - v.n", "waits_on=t.waits_on - 1"),),
    ),
    Mutant(
        "cancelled-in-silence",
        "those who wait hear of a cancellation",
        (Cut("services.lifecycle.acts", "settle(session, ids)", "pass"),),
    ),
    Mutant(
        "retried-though-cancelled",
        "a retry of a task that was told to stop is its end",
        (Cut(ENDING, "stops = stopped and ", "stops = False and "),),
    ),
    Mutant(
        "keys-without-limit",
        "a concurrency key has room for so many",
        (Cut("services.lifecycle.keys", "max(0, limit - running.get(key, 0))", "limit"),),
    ),
    Mutant(
        "rerun-without-budget",
        "a rerun begins with all its tries",
        (Cut("services.lifecycle.restart", "tries=0, losses=0, ", ""),),
    ),
    Mutant(
        "born-too-early",
        "a new task waits for what it needs",
        (Cut("services.enqueueing", '"waits_on": len(unmet)', '"waits_on": 0'),),
    ),
    Mutant(
        "worst-first",
        "the best in line is taken first",
        (
            Cut("services.lifecycle.line", 'rows.sort(key=attrgetter("priority"), reverse=True)', "rows.reverse()"),
            Cut(CLAIM_AT_ONCE, "heads ORDER BY priority DESC", "heads ORDER BY priority"),
        ),
    ),
    Mutant(
        "rescued-uncounted",
        "the kept counts follow a rescue",
        (Cut("services.lifecycle.rescue", "gauge(deltas, row.type, row.queue, Status.running, status)", "pass"),),
    ),
    Mutant(
        "held-released",
        "what is held stays held when all else that it needs has ended",
        (Cut("services.lifecycle.needs", "not held and child.run_at", "child.run_at"),),
    ),
    Mutant(
        "queues-without-limit",
        "a queue has room for so many",
        (
            Cut("services.lifecycle.claim", "(gate.max_running or 10**6) - ", "10**6 - "),
            Cut(CLAIM_AT_ONCE, LIMITED, "false"),
        ),
    ),
    Mutant(
        "limits-not-seen-at-once",
        "a claim in one statement gives up where a queue has a limit",
        (Cut(CLAIM_AT_ONCE, LIMITED, "false"),),
        only="postgresql",
    ),
    Mutant(
        "paused-and-served",
        "nothing is taken from a paused queue",
        (
            Cut("services.lifecycle.claim", " if paused_at is None]", "]"),
            Cut("services.lifecycle.claim", "    if gate.paused_at is not None:", "    if False:"),
            Cut(CLAIM_AT_ONCE, 'ours = "paused_at IS NULL"', 'ours = "TRUE"'),
        ),
    ),
    Mutant(
        "keys-not-seen-at-once",
        "a claim in one statement gives up where a key may limit it",
        (Cut(CLAIM_AT_ONCE, "OR EXISTS (SELECT FROM best WHERE concurrency_key IS NOT NULL) AS", "AS"),),
        only="postgresql",
    ),
    Mutant(
        "late-among-others",
        "endings in one statement are done where none of them is late",
        (Cut(AT_ONCE, 'func.count() == bindparam("many")', 'bindparam("many") > 0'),),
        only="postgresql",
    ),
    Mutant(
        "counted-and-not-done",
        "endings that were not done in one statement are not counted by it",
        (Cut(AT_ONCE, 'counting("deltas", ours)', 'counting("deltas")'),),
        only="postgresql",
    ),
    Mutant(
        "expired-starts",
        "what has expired does not start",
        (Cut("services.lifecycle.line", "(expires_at IS NULL OR expires_at > :now)", ":now IS NOT NULL", 2),),
    ),
]  # fmt: skip
