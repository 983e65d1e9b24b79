"""The dry run: which tasks an act would change, and how many would change how. It writes nothing."""

from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, select, text

from models import Role, Status, reading, tables
from models.task import LIVE_WITH_KEY
from services import audit, checks, search
from services.bulk.effects import WAITING, Act, Counts, Effect, effect
from services.errors import InvalidInput
from services.lifecycle.batch import among, listed
from services.search import TaskFilter

PAGE = 5_000
MOST_NAMED = 10_000_000

_task = tables.tasks.c
COLUMNS = (
    _task.id, _task.status, _task.type, _task.queue, _task.priority, _task.owner, _task.unique_key,
    _task.cancel_requested_at, _task.deleted_at, _task.held_reason, _task.started_at, _task.tries, _task.losses,
)  # fmt: skip


@dataclass
class Plan:
    """What an act would do, as things stood when they were counted.

    Exactly the tasks in `ids` are acted on, each looked at again: what comes later is not touched.
    """

    act: Act
    filter: TaskFilter | None = None  # None: the tasks were named
    priority: int | None = None  # the new one; None: to be said before it runs
    priorities: Mapping[int, int] = field(default_factory=dict)  # or one for each task
    reasons: Mapping[int, str] = field(default_factory=dict)  # what tasks are held for, where they were held before
    rights_on_all: bool = True  # False: a member's own tasks only
    ids: array = field(default_factory=lambda: array("q"))  # in the order in which they will be taken
    counts: Counts = field(default_factory=Counter)
    seen: int = 0
    _places: Counter[tuple[Status, int]] = field(default_factory=Counter)
    _keys: set[tuple[str, str]] = field(default_factory=set)

    @property
    def changes(self) -> int:
        """How many tasks would change."""
        return sum(n for (_, what), n in self.counts.items() if what.changes)

    def at(self, priority: int) -> Counts:
        """The counts, were this the new priority."""
        counts = self.counts.copy()
        for (status, now_at), n in self._places.items():
            if now_at == priority:
                counts[status, Effect.moved] -= n
                counts[status, Effect.there_already] += n
        return +counts

    def settle(self, priority: int | None = None) -> None:
        """Take the new priority, where none was said before. Raises `InvalidInput` without a fit one."""
        if self.act is Act.reprioritise and self.priority is None and not self.priorities:
            if priority is None:
                raise InvalidInput("priority", "is not said; give one from 1 to 100")
            self.priority = checks.whole(priority, "priority", 1, 100)

    def wanted_of(self, task_id: int) -> int | None:
        """The priority that this task is to have."""
        return self.priorities.get(task_id, self.priority)

    def allows(self, row: Any) -> bool:
        """Whether the acting person may do it to this task; their role is checked apart."""
        return self.rights_on_all or row.owner == audit.current().operator_id

    def effect(self, row: Any) -> Effect:
        """What the act means for this task now."""
        what = effect(self.act, row, self.wanted_of(row.id))
        if not what.changes:
            return what
        if not self.allows(row):
            return Effect.not_yours
        statuses = self.filter.status if self.filter is not None else None
        return what if not statuses or row.status in statuses else Effect.meanwhile


def plan(
    act: Act, which: TaskFilter | Sequence[int], *, priority: int | None = None,
    priorities: Mapping[int, int] | None = None, reasons: Mapping[int, str] | None = None,
    tell: Callable[[int], None] = lambda seen: None,
) -> Plan:  # fmt: skip
    """Look at every task that the filter finds, or at these, and count what the act would do.

    `tell` hears how many were looked at, page by page; what it raises ends the count. Raises `InvalidInput`,
    `Forbidden`.
    """
    act = Act(act)
    made = Plan(
        act, which if isinstance(which, TaskFilter) else None, _priority(act, priority), priorities or {},
        reasons or {}, rights_on_all=audit.allows(Role.operator),
    )  # fmt: skip
    audit.require(Role.member)
    for ids in _pages(which):
        _look(made, ids)
        tell(made.seen)
    if made.act is Act.rerun:  # what others wait for first; all else: first what waits, so that nothing strikes it
        made.ids.reverse()
    return made


def rows_of(ids: Sequence[int], lock: bool = False) -> dict[int, Any]:
    """The columns that `effect` asks for, by id; with `lock`, until the transaction ends."""
    query = select(*COLUMNS).where(among(_task.id)).order_by(_task.id)
    with reading() as session:
        found = session.execute(query.with_for_update() if lock else query, {"ids": listed(ids)})
        return {row.id: row for row in found}


def _priority(act: Act, priority: int | None) -> int | None:
    if priority is None:
        return None
    if act is not Act.reprioritise:
        raise InvalidInput("priority", f"{act} takes none; leave it out")
    return checks.whole(priority, "priority", 1, 100)


def _pages(which: TaskFilter | Sequence[int]) -> Iterator[Sequence[int]]:
    """The ids, newest first; those of a filter only up to the newest there is now."""
    if not isinstance(which, TaskFilter):
        named = sorted({checks.whole(i, "ids", 1, 2**53) for i in checks.some(which, "ids", MOST_NAMED)}, reverse=True)
        yield from (named[at : at + PAGE] for at in range(0, len(named), PAGE))
        return
    before: int | None = None
    while ids := search.ids(which, PAGE, before):
        yield ids
        before = ids[-1]
        if len(ids) < PAGE or before <= 1:
            return


def _look(made: Plan, ids: Sequence[int]) -> None:
    rows = rows_of(ids)
    taken = _taken(rows.values()) if made.act is Act.rerun else set()
    for task_id in ids:
        made.seen += 1
        row = rows.get(task_id)
        if row is None:
            made.counts[None, Effect.gone] += 1
            continue
        what = made.effect(row)
        if what is Effect.again and row.unique_key is not None:
            key = row.type, row.unique_key
            if key in taken or key in made._keys:
                what = Effect.key_taken
            made._keys.add(key)
        made.counts[row.status, what] += 1
        if what.changes:
            made.ids.append(task_id)
            if made.act is Act.reprioritise and row.status in WAITING:
                made._places[row.status, row.priority] += 1


_LIVE_KEYS = text(f"SELECT type, unique_key FROM tasks WHERE type = :type AND unique_key IN :keys AND {LIVE_WITH_KEY}")
_LIVE_KEYS = _LIVE_KEYS.bindparams(bindparam("keys", expanding=True))


def _taken(rows: Any) -> set[tuple[str, str]]:
    """Of these tasks' unique keys, those that live tasks have."""
    by_type: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row.unique_key is not None:
            by_type[row.type].add(row.unique_key)
    with reading() as session:
        return {
            (r.type, r.unique_key)
            for name, keys in by_type.items()
            for r in session.execute(_LIVE_KEYS, {"type": name, "keys": list(keys)})
        }
