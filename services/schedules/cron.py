"""Cron expressions: read by cronsim (Debian's rules: Sunday is 0 and 7), refused in sentences, told in words.

Times here are times on the wall, without a zone: what a wall's time means in a zone is `rule`'s matter.
"""

import copy
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any

from cronsim import CronSim, CronSimError

from services import checks
from services.errors import InvalidInput

LONGEST = 200
YEARS = 5  # without a fire: refused
SHORTHANDS = {
    "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
}  # fmt: skip
FIELDS = {  # name: what it may be, how many there are
    "second": ("0 to 59", 60), "minute": ("0 to 59", 60), "hour": ("0 to 23", 24),
    "day of the month": ("1 to 31, L or LW", 31), "month": ("1 to 12 or JAN to DEC", 12),
    "day of the week": ("0 to 7 or SUN to SAT, 5#2 or 5L", 8),
}  # fmt: skip
_ANY_DAY = datetime(2026, 1, 1)  # noqa: DTZ001 - a time on the wall


def checked(value: Any, field: str = "cron") -> str:
    """The expression, if it is one and fires within five years. Raises `InvalidInput`."""
    if not isinstance(value, str):
        raise InvalidInput(
            field, f"{checks.shortened(value)} is not text; give a cron expression such as '0 6 * * 1-5'"
        )
    if len(value) > LONGEST:
        raise InvalidInput(field, f"{len(value):,} characters are more than {LONGEST}; shorten it")
    shown = checks.shortened(value)
    if not value.isascii():
        raise InvalidInput(field, f"{shown} holds letters or digits that cron does not know; write it with 0 to 9")
    if value.strip().startswith("@"):
        if value.strip().lower() not in SHORTHANDS:
            raise InvalidInput(field, f"{shown} is none of {', '.join(SHORTHANDS)}")
        return value.strip().lower()
    parts = value.split()
    if len(parts) not in (5, 6):
        raise InvalidInput(
            field,
            f"{shown} has {len(parts)} field{'s' * (len(parts) != 1)}; give 5 (minute, hour, day of the month, month, "
            "day of the week), or 6 with seconds first",
        )
    for name, part in zip(list(FIELDS)[-len(parts) :], parts, strict=True):
        _check_part(name, part, field)
    text = " ".join(parts)
    if not fires(text):
        raise InvalidInput(field, f"{shown} never fires within {YEARS} years: no such day comes; change day or month")
    return text


def _check_part(name: str, part: str, field: str) -> None:
    """Each part by itself, so that the sentence can name it."""
    position = list(FIELDS).index(name)
    alone = ["*"] * 6
    alone[position] = part
    allowed, many = FIELDS[name]
    try:
        CronSim(" ".join(alone), _ANY_DAY)
    except CronSimError:
        hint = "steps are 1 or more" if "/" in part else f"give {allowed}, *, ranges a-b, lists a,b or steps */n"
        raise InvalidInput(field, f"{checks.shortened(part)} is no {name}; {hint}") from None
    for term in part.split(","):
        base, slash, step = term.partition("/")
        if slash and int(step) >= many:
            raise InvalidInput(field, f"{checks.shortened(part)} is no {name}; steps are less than {many}")
        low, _, high = base.partition("-")
        if slash and base != "*" and (not high or low == high):  # read by some as "from there on", by others as itself
            remedy = f"steps need a range or *, as {low}-n/{step}"
            raise InvalidInput(field, f"{checks.shortened(part)} is no {name}; {remedy}")


def fires(text: str) -> bool:
    """Whether it fires within five years."""
    try:
        first = next(walls(text, _ANY_DAY), None)
    except CronSimError:  # cronsim sees some of those that never fire
        return False
    return first is not None and first.year < _ANY_DAY.year + YEARS


def by_the_wall(text: str) -> bool:
    """Whether it speaks of hours of the day, rather than of every so many minutes (as Debian's cron distinguishes)."""
    return not any(part.startswith("*") for part in _parts(text)[:-3])


def has_seconds(text: str) -> bool:
    """Whether it is of six fields."""
    return len(_parts(text)) == 6


def walls(text: str, after: datetime) -> Iterator[datetime]:
    """The times on the wall after this one, in order."""
    simulation = copy.copy(_parsed(text))
    simulation.dt = after.replace(microsecond=0)
    return simulation


@lru_cache(4096)
def in_words(text: str) -> str:
    """`At 06:00, Monday through Friday`."""
    from cron_descriptor import ExpressionDescriptor, FormatException, Options

    options = Options()
    options.use_24hour_time_format = True
    try:
        return str(ExpressionDescriptor(" ".join(_parts(text)), options).get_description())
    except (FormatException, ValueError, IndexError, KeyError):  # it knows less of cron than cronsim does
        return str(_parsed(text).explain())


def _parts(text: str) -> list[str]:
    return SHORTHANDS.get(text, text).split()


@lru_cache(4096)
def _parsed(text: str) -> CronSim:
    return CronSim(" ".join(_parts(text)), _ANY_DAY)
