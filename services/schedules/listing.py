"""Schedules by what is asked of them, a page at a time by name. However many there are, a page reads no more rows."""

from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Any

from sqlalchemy import case, func, or_, select, text

from models import Schedule, now, reading, tables
from models.schedule import NOT_DELETED
from services import checks
from services.errors import InvalidInput
from services.schedules.troubles import troubled

PAGE = 100
LONGEST_TEXT = 200
_s = tables.schedules.c


@unique
class State(StrEnum):
    """Which schedules are asked for."""

    on = "on"
    off = "off"
    attention = "attention"


@dataclass(frozen=True, slots=True)
class Counts:
    """How many schedules there are."""

    all: int
    on: int
    attention: int

    @property
    def off(self) -> int:
        """Those that do not fire by themselves."""
        return self.all - self.on


def page(
    *, after: str | None = None, limit: int = PAGE, state: str | None = None, words: str | None = None
) -> list[Schedule]:
    """Schedules by name, from the one after `after` on.

    `words` stand in its name, description or type. Raises `InvalidInput`.
    """
    checks.whole(limit, "limit", 1, 10 * PAGE)
    wanted = select(Schedule).where(text(NOT_DELETED), *_state(state), *_words(words))
    if after is not None:
        wanted = wanted.where(_s.name > checks.name(after, "after", 200))
    wanted = wanted.order_by(_s.name).limit(limit).execution_options(populate_existing=True)
    with reading() as session:
        return list(session.execute(wanted).scalars())


def counts() -> Counts:
    """How many there are of each state: one look at each schedule's row."""
    bad = or_(*troubled(now()).values())
    wanted = select(
        func.count(), func.sum(case((_s.enabled.is_(True), 1), else_=0)), func.sum(case((bad, 1), else_=0))
    ).where(text(NOT_DELETED))
    with reading() as session:
        found = session.execute(wanted).one()
    return Counts(found[0], found[1] or 0, found[2] or 0)


def _state(state: str | None) -> list[Any]:
    if state is None:
        return []
    if state not in [each.value for each in State]:
        raise InvalidInput("state", f"{checks.shortened(state)} is none of {', '.join(each.value for each in State)}")
    if state == State.attention:
        return [or_(*troubled(now()).values())]
    return [_s.enabled.is_(state == State.on)]


def _words(words: str | None) -> list[Any]:
    if words is None or not words.strip():
        return []
    wanted = checks.name(words, "words", LONGEST_TEXT).strip().lower()
    places = (_s.name, _s.description, _s.type)
    return [or_(*(func.lower(place).contains(wanted, autoescape=True) for place in places))]
