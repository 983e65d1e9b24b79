"""The line: the best tasks of some queues and types that may run, each locked so that claims pass one another."""

import json
from collections import Counter
from collections.abc import Collection, Mapping
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import bindparam, text
from sqlmodel import Session

from models import now
from models.db import is_postgresql
from models.task import IN_LINE
from services import bell, catalog
from services.lifecycle.batch import WHEN
from services.lifecycle.keys import lock_gates, park, rooms_of

LOOKS = 12  # a claim; a line of nothing but blocked tasks is gone on with by the next
FARTHEST = 1_000  # tasks of a queue in one look
MOST_TERMS = 200  # SQLite takes 500 in a compound SELECT
ANY_VERSION = 2**31 - 1  # of a type that is only known by its name


class InLine(NamedTuple):
    """A task that may run."""

    id: int
    priority: int
    queue: str
    type: str
    concurrency_key: str | None


def head(queue: str, most: str, more: str = "") -> str:
    """The SQL that locks the first tasks of a queue on PostgreSQL. `:versions`, `:now` are parameters.

    It is to walk the line in its order, whatever PostgreSQL believes of how many wait: that was counted before they
    came. So no condition names a type for whose index it could leave the line (one that `:versions` does not know has
    no version, which no task's is below), and the limit is one that cannot be weighed: else few wait, by all that is
    known, and are quickly sorted.
    """
    return f"""
        SELECT id, priority, queue, type, concurrency_key FROM tasks
        WHERE queue = {queue} AND {IN_LINE}
          AND type_version <= cast((SELECT cast(:versions AS jsonb)) ->> type AS integer)
          AND (expires_at IS NULL OR expires_at > :now) {more}
        ORDER BY priority DESC, id LIMIT (SELECT {most}) FOR UPDATE SKIP LOCKED
    """


POSTGRESQL_LINE = text(f"""
    SELECT head.id, head.priority, head.queue, head.type, head.concurrency_key
    FROM unnest(cast(:queues AS text[]), cast(:heads AS int[])) AS served (queue, head)
    CROSS JOIN LATERAL ({head("served.queue", "served.head", "AND id <> ALL(cast(:without AS bigint[]))")}) AS head
""").bindparams(bindparam("now", type_=WHEN))

SQLITE_LINE = f"""
    SELECT * FROM (
        SELECT id, priority, queue, type, concurrency_key FROM tasks INDEXED BY ix_tasks_line
        WHERE queue = :queue{{n}} AND {IN_LINE} AND type IN :types AND type_version <= :versions ->> type
          AND (expires_at IS NULL OR expires_at > :now)
        ORDER BY priority DESC, id LIMIT :head{{n}}
    )
"""


def choose(session: Session, rooms: Mapping[str, int], types: Collection[str], limit: int) -> list[InLine]:
    """The best tasks, at most `limit`, `rooms[queue]` of a queue, and what its concurrency key has room for.

    What a full key keeps out is parked, out of everybody's way, and the next look goes farther.
    """
    choice = _Choice(session, rooms, limit)
    ask = limit
    for n in range(LOOKS):
        if not choice.look(types, ask, wait=n == 0):
            break
        ask = min(4 * ask, FARTHEST)
    else:
        choice.left |= choice.deep
    for queue in choice.left:
        bell.ring_after_commit(queue)
    return choice.taken


class _Choice:
    """What one claim takes, in the course of its looks at the line."""

    def __init__(self, session: Session, rooms: Mapping[str, int], limit: int) -> None:
        self.taken: list[InLine] = []
        self.deep: set[str] = set()  # queues in which a key kept something out
        self.left: set[str] = set()  # queues of which something was locked and not taken, and others may have looked
        self._session = session
        self._rooms = dict(rooms)
        self._limit = limit
        self._rooms_of_keys: dict[str, int] = {}
        self._passed: list[int] = []

    def look(self, types: Collection[str], ask: int, wait: bool) -> bool:
        """Take and park; whether a look farther may find more."""
        wanted = self._limit - len(self.taken)
        heads = {q: ask if q in self.deep else min(room, wanted) for q, room in self._rooms.items() if room > 0}
        found = (
            line(self._session, heads, types, [*(one.id for one in self.taken), *self._passed])
            if wanted and heads
            else []
        )
        self._look_at_keys(found, wait)
        cut = {queue for queue, n in Counter(row.queue for row in found).items() if n >= heads[queue]}
        parked: list[int] = []
        taking = True
        for row in found:
            room = 1 if row.concurrency_key is None else self._rooms_of_keys.get(row.concurrency_key)
            if room and taking and self._rooms[row.queue] > 0 and len(self.taken) < self._limit:
                self._take(row)
            elif room:
                self._leave(row.queue)
            else:
                (self._passed if room is None else parked).append(row.id)
                self.deep.add(row.queue)
                taking = taking and row.queue not in cut  # better ones than what follows may stand behind it
        if parked:
            park(self._session, parked)
        return not taking and len(self.taken) < self._limit

    def _look_at_keys(self, found: Collection[InLine], wait: bool) -> None:
        keys = {row.concurrency_key for row in found if row.concurrency_key is not None} - self._rooms_of_keys.keys()
        if keys:
            self._rooms_of_keys |= rooms_of(self._session, lock_gates(self._session, keys, wait))

    def _take(self, row: InLine) -> None:
        self.taken.append(row)
        self._rooms[row.queue] -= 1
        if row.concurrency_key is not None:
            self._rooms_of_keys[row.concurrency_key] -= 1

    def _leave(self, queue: str) -> None:
        if is_postgresql() and self._rooms[queue] > 0:
            self.left.add(queue)


def line(
    session: Session, heads: Mapping[str, int], types: Collection[str], without: Collection[int] = ()
) -> list[InLine]:
    """The first `heads[queue]` tasks of each queue, best first."""
    rows = _postgresql(session, heads, types, without) if is_postgresql() else _sqlite(session, heads, types, without)
    rows.sort(key=attrgetter("id"))
    rows.sort(key=attrgetter("priority"), reverse=True)
    return rows


def _postgresql(
    session: Session, heads: Mapping[str, int], types: Collection[str], without: Collection[int]
) -> list[InLine]:
    values = {
        "queues": list(heads), "heads": list(heads.values()), "versions": versions(types), "now": now(),
        "without": list(without),
    }  # fmt: skip
    return [InLine(*row) for row in session.execute(POSTGRESQL_LINE, values)]


def _sqlite(
    session: Session, heads: Mapping[str, int], types: Collection[str], without: Collection[int]
) -> list[InLine]:
    found: list[InLine] = []
    queues, known = list(heads), versions(types)
    for start in range(0, len(queues), MOST_TERMS):
        some = queues[start : start + MOST_TERMS]
        values: dict[str, Any] = {"types": list(types), "versions": known, "now": now()}
        values |= {f"queue{n}": queue for n, queue in enumerate(some)}
        values |= {f"head{n}": heads[queue] + len(without) for n, queue in enumerate(some)}
        rows = [InLine(*row) for row in json.loads(session.execute(_sqlite_line(len(some)), values).scalar_one())]
        found += [row for row in rows if row.id not in without] if without else rows
    return found


def versions(types: Collection[str]) -> str:
    """The newest version of each type that this process knows: newer payloads wait for the workers of their release."""
    known = catalog.local()
    return json.dumps({name: known[name].version if name in known else ANY_VERSION for name in types})


@lru_cache(MOST_TERMS)
def _sqlite_line(queues: int) -> Any:
    parts = " UNION ALL ".join(SQLITE_LINE.format(n=n) for n in range(queues))
    query = f"SELECT json_group_array(json_array(id, priority, queue, type, concurrency_key)) FROM ({parts})"
    return text(query).bindparams(bindparam("types", expanding=True), bindparam("now", type_=WHEN))
