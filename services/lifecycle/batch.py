"""Many rows in one statement: a JSON parameter that the database reads as a table, the same on both databases."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache, wraps
from typing import Any

from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    FromClause,
    Select,
    String,
    Text,
    bindparam,
    cast,
    column,
    func,
    literal,
    literal_column,
    select,
    type_coerce,
)
from sqlalchemy.types import TypeEngine
from sqlmodel import Session, UTCDateTime

from models.db import engine, is_postgresql

WHEN = UTCDateTime()
MOST_CHARACTERS = 8 * 1024 * 1024  # of one transaction's JSON: SQLite's only writer has that written in about 0.2 s


def per_database(build: Callable[..., Any]) -> Callable[..., Any]:
    """Build a statement once for each kind of database (and each of its arguments)."""
    cached = lru_cache(256)(lambda _dialect, *args: build(*args))

    @wraps(build)
    def built(*args: Any) -> Any:
        return cached(engine().dialect.name, *args)

    return built


def given(columns: Mapping[str, TypeEngine], name: str = "given") -> FromClause:
    """The parameter `:given` (its value comes from `packed`) as a table of these columns."""
    rows = bindparam(name, type_=Text)
    if is_postgresql():
        table = func.json_to_recordset(cast(rows, JSON)).table_valued(*(column(c, t) for c, t in columns.items()))
        return table.render_derived(name=name, with_types=True)
    # jsonb_each (SQLite 3.51) gives rows that json_extract need not parse again for each of their columns
    each = func.jsonb_each(rows).table_valued("key", "value", name=f"{name}_json")
    return select(*(_extracted(each.c.value, c, t) for c, t in columns.items())).order_by(each.c.key).subquery(name)


def _extracted(row: Any, name: str, kind: TypeEngine) -> Any:
    path: Any = literal_column(f"'$.{name}'")
    # `->` keeps JSON as JSON text; json_extract turns scalars into SQLite's own
    value = row.op("->")(path) if isinstance(kind, JSON) else func.json_extract(row, path)
    return type_coerce(value, kind).label(name)


def among(column: Any, name: str = "ids") -> Any:
    """`column` is one of the parameter `:ids` (its value comes from `listed`): one statement for any number."""
    if is_postgresql():
        return column == func.any(cast(bindparam(name, type_=Text), ARRAY(BigInteger)))
    each = func.json_each(bindparam(name, type_=Text)).table_valued("value", name=f"{name}_json")
    return column.in_(select(each.c.value))


def still(rows: Any, status: str) -> Any:
    """The status of rows that are found by their id. Said so that no index over one status can find them instead:
    until the next vacuum such an index has an entry for every task that was ever in it."""
    return type_coerce(rows.status, String).concat("") == literal(status)


def whole(query: Select) -> Any:
    """A query for `fetch`. On SQLite its answer is one row of JSON: at each row its driver hands the interpreter over.

    What is no JSON, as times, comes as the database stores it.
    """
    if is_postgresql():
        return query
    found = query.subquery("whole")
    columns = [func.json(c) if isinstance(c.type, JSON) else c for c in found.c]
    return select(func.json_group_array(func.json_array(*columns)))


def fetch(session: Session, query: Any, values: Mapping[str, Any]) -> Sequence[Any]:
    """The rows of a query made by `whole`."""
    found = session.execute(query, values)
    return found.all() if is_postgresql() else json.loads(found.scalar_one())


def listed(ids: Collection[int]) -> str:
    """Ids as the parameter that `among` reads: text, because the driver takes long over the numbers of an array."""
    return f"{{{','.join(map(str, ids))}}}" if is_postgresql() else json.dumps(list(ids))


def portions(sizes: Sequence[int], most: int) -> Iterator[slice]:
    """A transaction's worth at a time of things with these sizes: up to `most`, and of up to `MOST_CHARACTERS`."""
    start, room = 0, MOST_CHARACTERS
    for at, size in enumerate(sizes):
        if at > start and (size > room or at - start == most):
            yield slice(start, at)
            start, room = at, MOST_CHARACTERS
        room -= size
    if sizes:
        yield slice(start, len(sizes))


def packed(rows: Iterable[Mapping[str, Any]]) -> str:
    """Rows as the text that `given` reads; aware datetimes as the database stores them."""
    return _encode(list(rows))


def stamp(value: datetime) -> str:
    """An instant as text that compares with the stored ones."""
    text = (value if value.tzinfo is UTC else value.astimezone(UTC)).isoformat(" ", "microseconds")
    return text if is_postgresql() else text[:26]  # SQLite stores it without the offset


def moment(stored: Any) -> Any:
    """An instant as `fetch` gives it, as an aware datetime."""
    return datetime.fromisoformat(f"{stored}+00:00") if isinstance(stored, str) else stored


_encode = json.JSONEncoder(default=stamp, allow_nan=False, separators=(",", ":")).encode
