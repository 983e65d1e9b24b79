"""Loops that mostly find nothing to do, and so look before they open a transaction: a look takes no lock.

Many loops that are due together share one look: a question each would be most of what an idle process costs.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache, wraps
from typing import Any

from sqlalchemy import bindparam, text

from models import now, reading
from services.lifecycle.batch import WHEN

Loop = Callable[[], int]


@dataclass(frozen=True)
class Look:
    """A question with a row where there is something to do (it may use `:now`); `heard` is called after an answer."""

    sql: str
    heard: Callable[[], None] | None = None


_looks: dict[Loop, Look] = {}


def looking_for(sql: str, heard: Callable[[], None] | None = None) -> Callable[[Callable[..., int]], Any]:
    """Do one batch only where this question has a row, else return 0; `heard` is called after each answer."""
    look = Look(sql, heard)

    def decorate(loop: Callable[..., int]) -> Callable[..., int]:
        @wraps(loop)
        def looking(*args: Any, **kwargs: Any) -> int:
            return loop(*args, **kwargs) if _ask([look])[0] else 0

        _looks[looking] = look
        return looking

    return decorate


def due(loops: Iterable[Loop]) -> list[Loop]:
    """Those with something to do, by one look at the ledger; and those that do not say what they look for."""
    every = list(loops)
    asked = [loop for loop in every if loop in _looks]
    answers = _ask([_looks[loop] for loop in asked]) if asked else ()
    idle = {loop for loop, found in zip(asked, answers, strict=True) if not found}
    return [loop for loop in every if loop not in idle]


def _ask(looks: Sequence[Look]) -> Sequence[bool]:
    question, timed = _question(tuple(look.sql for look in looks))
    with reading() as session:
        answers = session.execute(question, {"now": now()} if timed else {}).one()
    for look in looks:
        if look.heard is not None:
            look.heard()
    return answers


@lru_cache(64)
def _question(sqls: tuple[str, ...]) -> tuple[Any, bool]:
    question = text("SELECT " + ", ".join(f"EXISTS ({sql}) AS look_{n}" for n, sql in enumerate(sqls)))
    timed = ":now" in question.text
    return (question.bindparams(bindparam("now", type_=WHEN)) if timed else question), timed
