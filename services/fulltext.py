"""The full-text index of each database: a tsvector beside the text on PostgreSQL, an FTS5 table on SQLite.

Both hold the words that `services.words` makes, so that they find the same. Signs are looked for in the text itself.
"""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    bindparam,
    cast,
    column,
    delete,
    func,
    literal,
    literal_column,
    select,
    table,
    text,
)
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlmodel import Session

from models import tables
from models.db import is_postgresql
from services.lifecycle.batch import WHEN, packed
from services.words import Term, terms

POSTGRESQL_STORE = text("""
    INSERT INTO task_search (task_id, words, as_of, lexemes)
    SELECT task_id, words, as_of, array_to_tsvector(lexemes)
    FROM json_to_recordset(cast(:given AS json)) AS g (task_id bigint, words text, as_of timestamptz, lexemes text[])
    ON CONFLICT (task_id) DO UPDATE SET words = excluded.words, as_of = excluded.as_of, lexemes = excluded.lexemes
""")
SQLITE_STORE = (
    text("INSERT OR REPLACE INTO task_search (task_id, words, as_of) VALUES (:task_id, :words, :as_of)").bindparams(
        bindparam("as_of", type_=WHEN)
    ),
    text("INSERT OR REPLACE INTO task_words (rowid, words) VALUES (:task_id, :lexemes)"),
)

_task = tables.tasks.c
_search = tables.task_search.c
_words = table("task_words", column("rowid"))
_lexemes: ColumnElement = literal_column("task_search.lexemes")


def store(session: Session, entries: Sequence[dict[str, Any]]) -> None:
    """Write entries, new or not: task_id, words (the text), lexemes (its words) and as_of."""
    if not entries:
        return
    if is_postgresql():
        session.execute(POSTGRESQL_STORE, {"given": packed(entries)})
        return
    rows = [{**entry, "lexemes": " ".join(entry["lexemes"])} for entry in entries]
    for statement in SQLITE_STORE:
        session.execute(statement, rows)


def forget(session: Session, ids: Collection[int]) -> None:
    """Take tasks out of the index, as they are deleted."""
    session.execute(delete(tables.task_search).where(_search.task_id.in_(ids)))
    if not is_postgresql():
        session.execute(text("DELETE FROM task_words WHERE rowid = :id"), [{"id": i} for i in ids])


def matching(query: Select, question: str, words_first: bool) -> Select:
    """A query of tasks, with those alone that have the words; `words_first` leaves PostgreSQL no other way to begin."""
    asked = terms(question)
    signs = _literally(asked)
    if not is_postgresql():
        query = query.join_from(_words, tables.tasks, _task.id == _words.c.rowid)
        if signs:
            query = query.join(tables.task_search, _search.task_id == _task.id)
        return query.where(text("task_words MATCH :asked").bindparams(asked=_as_match(asked)), *signs)
    match = _lexemes.op("@@")(cast(literal(_as_tsquery(asked)), TSQUERY))
    if words_first:  # OFFSET keeps the planner from mixing this with the rest
        return query.where(_task.id.in_(select(_search.task_id).where(match, *signs).offset(0)))
    query = query.join_from(tables.tasks, tables.task_search, _search.task_id == _task.id)
    return query.where(match, *signs)


def between(low: int, below: int) -> list[ColumnElement[bool]]:
    """A range of ids, said of both tables: PostgreSQL does not conclude it from their being joined."""
    return [_task.id >= low, _search.task_id >= low, _search.task_id < below]


def newest_first(query: Select) -> Select:
    """By descending id. FTS5 yields its rows in this order by itself, if it is asked by its own name of the id."""
    return query.order_by((_task.id if is_postgresql() else _words.c.rowid).desc())


def _literally(asked: Sequence[Term]) -> list[ColumnElement[bool]]:
    find = func.strpos if is_postgresql() else func.instr
    return [find(_search.words, term.literal) > 0 for term in asked if term.literal]


def _as_tsquery(asked: Sequence[Term]) -> str:
    """Words hold letters and digits alone, so there is nothing in them to escape."""
    return " & ".join(f"'{word}'" + ":*" * (word is term.words[-1]) for term in asked for word in term.words)


def _as_match(asked: Sequence[Term]) -> str:
    return " AND ".join(f'"{word}"' + "*" * (word is term.words[-1]) for term in asked for word in term.words)
