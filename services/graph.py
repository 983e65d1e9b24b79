"""The tasks that hang together with one: what it needs, what needs it, and so on to both sides. Questions only."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select

from models import Task, reading, tables
from services import checks, search

MOST = 50  # nodes; beyond, a picture says less than a list

_need = tables.task_needs.c


@dataclass(frozen=True, slots=True)
class Graph:
    """Tasks in columns: those of one column need only tasks of columns before it."""

    columns: list[list[Task]]
    edges: list[tuple[int, int]]  # (parent, child)
    more: bool  # whether there are tasks beyond these

    def __len__(self) -> int:
        return sum(map(len, self.columns))


def around(task_id: int, most: int = MOST) -> Graph:
    """The nearest tasks first, at most so many. A task without kin is alone in its graph."""
    checks.whole(task_id, "id", 1, 2**53)
    checks.whole(most, "most", 1, 500)
    found, edges, edge_of = {task_id}, set[tuple[int, int]](), {task_id}
    more = False
    with reading():
        while edge_of:
            pairs = _edges_of(edge_of, 4 * most)
            new = sorted({i for pair in pairs for i in pair} - found)
            more = more or len(new) > most - len(found) or len(pairs) == 8 * most
            new = new[: most - len(found)]
            found.update(new)
            edges.update(pairs)
            edge_of = set(new)
        tasks = {task.id: task for task in search.by_ids(sorted(found))}
    kept = sorted((parent, child) for parent, child in edges if parent in tasks and child in tasks)
    return Graph(_columns(tasks, kept), kept, more)


def _edges_of(ids: Iterable[int], most: int) -> list[tuple[int, int]]:
    pairs = []
    with reading() as session:
        for column in (_need.child, _need.parent):
            rows = session.execute(select(_need.parent, _need.child).where(column.in_(ids)).limit(most)).all()
            pairs += [(row.parent, row.child) for row in rows]
    return pairs


def _columns(tasks: dict[int, Task], edges: list[tuple[int, int]]) -> list[list[Task]]:
    """By the longest way to each. A parent's number is lower than its child's, so one pass in order is enough."""
    depth = dict.fromkeys(sorted(tasks), 0)
    for parent, child in sorted(edges, key=lambda edge: edge[1]):
        depth[child] = max(depth[child], depth[parent] + 1)
    columns: list[list[Task]] = [[] for _ in range(1 + max(depth.values(), default=0))]
    for number, at in depth.items():
        columns[at].append(tasks[number])
    return [column for column in columns if column]
