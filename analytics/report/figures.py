"""How a number is written: the one place, so that the PDF, the slides and the sentences never disagree.

Halves are rounded away from zero, as spreadsheets and the slides' native charts do; what is missing or not finite is
written as a dash.
"""

import math
from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal

MISSING = "–"
_WIDE = Context(prec=400)  # digits enough for any float
MINUS = "\N{MINUS SIGN}"
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def real(value: object) -> float | None:
    """`value` where it is a finite number (a truth value is none), otherwise None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _written(number: float, decimals: int) -> str:
    rounded = Decimal(repr(number)).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP, _WIDE)
    text = f"{abs(rounded):,f}"
    return MINUS + text if rounded < 0 else text


def count(value: object) -> str:
    """How many: `6,711`."""
    number = real(value)
    return MISSING if number is None else _written(number, 0 if number == int(number) else 1)


def amount(value: object) -> str:
    """Money in the data's own currency: whole units from 100 on (`10,005,534`), cents below where there are any."""
    number = real(value)
    if number is None:
        return MISSING
    return _written(number, 0 if abs(number) >= 100 or number == int(number) else 2)


def percent(value: object) -> str:
    """A share between 0 and 1: `63.2%`."""
    number = real(value)
    return MISSING if number is None else _written(100 * number, 1) + "%"


def interval(low: object, high: object) -> str:
    """A range of shares: `61.9–64.4%`."""
    if real(low) is None or real(high) is None:
        return MISSING
    return f"{percent(low)[:-1]}–{percent(high)}"


def days(value: object) -> str:
    """A time in days: `57`, `57.5`."""
    number = real(value)
    return MISSING if number is None else _written(number, 0 if number == int(number) else 1)


def score(value: object) -> str:
    """A statistical score with its sign: `+6.4`, `−3.6`."""
    number = real(value)
    if number is None:
        return MISSING
    text = _written(number, 1)
    return text if text.startswith(MINUS) else "+" + text


def factor(value: object) -> str:
    """A multiplier: `×1.1`."""
    number = real(value)
    return MISSING if number is None else f"×{number:g}"


def signed(value: object) -> str:
    """A difference in money with its sign, for none `0`."""
    text = amount(value)
    return "+" + text if (real(value) or 0) > 0 and text != "0" else text


def compact(value: float) -> str:
    """An axis label of at most three digits: `1.5 M`, `250 k`, `0.2`."""
    for limit, unit in ((1e12, " tn"), (1e9, " bn"), (1e6, " M"), (1e3, " k")):
        if abs(value) >= limit:
            return f"{value / limit:.4g}{unit}".replace("-", MINUS)
    return f"{value:.4g}".replace("-", MINUS)


def share_tick(value: float) -> str:
    """An axis label for a share: `60%`, `62.5%`."""
    return percent(value).replace(".0%", "%")


def cell_format(kind: str, values: Sequence[float]) -> str:
    """The spreadsheet format under which native charts write `values` as this module does."""
    if kind == "share":
        return "0.0%"
    small = kind == "amount" and all(abs(value) < 100 for value in values) and any(value % 1 for value in values)
    return "#,##0.00" if small else "#,##0"


def month(value: object) -> str:
    """`2017-03` as `Mar 2017`; anything else as it came."""
    year, _, number = str(value).partition("-")
    if year.isdigit() and number[:2].isdigit() and 1 <= int(number[:2]) <= 12:
        return f"{MONTHS[int(number[:2]) - 1][:3]} {year}"
    return str(value)


def long_date(day: date) -> str:
    """`22 November 2026`, whatever the machine's locale is."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def day(value: str) -> str:
    """`2017-12-31` as `31 December 2017`; anything else as it came."""
    try:
        return long_date(date.fromisoformat(value))
    except ValueError:
        return value


def anything(value: object, key: str = "") -> str:
    """A scalar of unknown meaning: identifiers and years stay as they are, other numbers get separators."""
    if value is None or value == "":
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    number = real(value)
    if number is None:
        return str(value)
    if number == int(number) and abs(number) < 1e15:
        return f"{int(number)}" if _names_things(key) else _written(number, 0)
    return _written(number, 2) if abs(number) >= 100 else f"{number:.4g}".replace("-", MINUS)


def _names_things(key: str) -> bool:
    return key.lower().endswith(("id", "ids", "year", "seed", "version", "code", "number"))
