"""Dates as people write them. Whether 3/4 is in March or in April, the whole column tells, never one value."""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Literal

from analytics.errors import BadData

Order = Literal["day-first", "month-first", "iso"]
ORDERS: tuple[Order, Order] = ("day-first", "month-first")

FIRST_YEAR, LAST_YEAR = 1950, 2150  # a date outside is a slip of the pen, not a deal

_TIME = r"(?:[T ]\s*\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?\s*(?:[AaPp]\.?[Mm]\.?)?\s*(?:Z|UTC|[+-]\d{2}(?::?\d{2})?)?)?"
_YEAR_FIRST = re.compile(r"(\d{4})([-/.]?)(\d{1,2})\2(\d{1,2})" + _TIME)
_NUMERIC = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})" + _TIME)
_DAY_NAMED = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?[-\s./]*([A-Za-z]{3,9})\.?[-\s,./]*(\d{4}|\d{2})" + _TIME)
_MONTH_NAMED = re.compile(r"([A-Za-z]{3,9})\.?[-\s]*(\d{1,2})(?:st|nd|rd|th)?(?:,\s*|\s+)(\d{4}|\d{2})" + _TIME)
_MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
# cells that say "no date", in lower case
EMPTY = {"", "-", "--", "n/a", "na", "#n/a", "nan", "nat", "null", "none", "0000-00-00"}


def parse(text: str, order: Order) -> date | None:
    """The day a text names (a time of day is ignored), or None where it names none: 31/2/2026, 2026-13-01, "soon"."""
    text = text.strip()
    if found := _YEAR_FIRST.fullmatch(text):
        year, separator, month, day = found.group(1, 2, 3, 4)
        if not separator and len(month + day) != 4:
            return None
        return _day(year, month, day)
    if order == "iso":
        return None
    if found := _NUMERIC.fullmatch(text):
        first, _, second, year = found.groups()
        return _day(year, second, first) if order == "day-first" else _day(year, first, second)
    if found := _DAY_NAMED.fullmatch(text):
        return _day(found[3], _month(found[2]), found[1])
    if found := _MONTH_NAMED.fullmatch(text):
        return _day(found[3], _month(found[1]), found[2])
    return None


def order_of(columns: Mapping[str, Iterable[str]]) -> dict[str, Order]:
    """Tell each column's order from its values; a column that does not show it follows the other.

    `columns` maps a name to its texts. Where the order makes no difference it is month-first. Raises BadData where
    it makes one and nothing tells it.
    """
    verdicts = {name: _evidence(values) for name, values in columns.items()}
    sure: set[Order] = {order for order in ORDERS if order in verdicts.values()}
    shared = sure.pop() if len(sure) == 1 else None
    orders: dict[str, Order] = {}
    for name, verdict in verdicts.items():
        if verdict.startswith("?") and shared is None:
            raise BadData(
                f"{name} has dates such as {verdict[1:]!r}, which read equally well day first and month first, "
                'and no value settles it. Say which: dates="day-first" or dates="month-first".'
            )
        orders[name] = "day-first" if verdict == "day-first" else "month-first"
        if verdict not in ORDERS and shared:
            orders[name] = shared
    return orders


def _evidence(values: Iterable[str]) -> str:
    """'day-first', 'month-first', 'any' (it makes no difference) or '?' and a value that could be either."""
    day_first = month_first = 0
    either = ""
    for value in values:
        found = _NUMERIC.fullmatch(value.strip())
        if not found:
            continue
        first, second = int(found[1]), int(found[3])
        day_first += 12 < first <= 31 and second <= 12
        month_first += 12 < second <= 31 and first <= 12
        if not either and first != second and max(first, second) <= 12:
            either = value
    if day_first == month_first:
        return f"?{either}" if either else "any"
    return "day-first" if day_first > month_first else "month-first"


def _month(name: str) -> str:
    for number, month in enumerate(_MONTHS, start=1):
        if month.startswith(name.lower()):
            return str(number)
    return "0"


def _day(year: str, month: str, day: str) -> date | None:
    number = int(year)
    if len(year) == 2:
        number += 2000 if number < 70 else 1900
    if not FIRST_YEAR <= number <= LAST_YEAR:
        return None
    try:
        return date(number, int(month), int(day))
    except ValueError:
        return None
