"""Amounts of money as people write them. Whether 1.234 is a thousand or one, the whole column tells."""

import re
from collections.abc import Iterable
from typing import Literal

Mark = Literal[".", ","]

LARGEST = 1e15
EMPTY = {"", "-", "--", "–", "n/a", "na", "#n/a", "nan", "null", "none"}  # cells that say "no amount", in lower case

# Numbers that mean the same to everybody, and to SQL: most amounts are such, and need no look by Python.
WHOLE = "-?[0-9]{1,15}"
PLAIN = WHOLE + "([.][0-9]{1,2})?"
_SPACES = str.maketrans("", "", " \t\u00a0\u2007\u2009\u202f'’_")
_CODES = "USD|EUR|GBP|CHF|JPY|CNY|INR|CAD|AUD|NZD|SEK|NOK|DKK|PLN|CZK|BRL|MXN|ZAR|SGD|HKD|KR"
_CURRENCY = re.compile(rf"US\$|C\$|A\$|R\$|[$€£¥₹₩₽₺₪฿]|(?:{_CODES})(?![A-Z])\.?", re.IGNORECASE)
_SCALE = {"": 1.0, "k": 1e3, "m": 1e6, "mn": 1e6, "mio": 1e6, "mil": 1e6, "bn": 1e9, "b": 1e9}
_NUMBER = re.compile(r"(\d[\d.,]*|[.,]\d+)(?:e([+-]?\d{1,2}))?(k|mn|mio|mil|m|bn|b)?", re.IGNORECASE)
_GROUPED = {mark: re.compile(rf"\d{{1,3}}(?:[{mark}]\d{{2,3}})*[{mark}]\d{{3}}") for mark in ".,"}


def plain(mark: Mark) -> str:
    """The pattern of amounts that can be cast to a number as they stand."""
    return PLAIN if mark == "." else WHOLE


def parse(text: str, mark: Mark = ".") -> float | None:
    """The number a text stands for, or None: 1,234.50 or 1.234,50 (by `mark`), $5, 5 EUR, 1.2k, 3m; (5) is -5.

    Amounts beyond 10^15 are none: no deal is worth a quadrillion, but sums of them would overflow.
    """
    if re.fullmatch(plain(mark), text):
        return float(text)
    negative, found = _taken_apart(text)
    if not found:
        return None
    digits, exponent, scale = found[1], found[2], (found[3] or "").lower()
    whole, fraction = _split(digits, mark)
    if whole is None:
        return None
    value = float(f"{whole or '0'}.{fraction or '0'}e{exponent or '0'}") * _SCALE[scale]
    if value > LARGEST:
        return None
    return -value if negative else value


def mark_of(values: Iterable[str], with_point: int = 0) -> tuple[Mark, str | None]:
    """The decimal mark of a column, and a value that stays open to doubt where no other settles it.

    Settled by a value with both marks, with a mark used twice, or with other than three digits after its only one.
    `with_point` is how many more values have a decimal point for certain. Where nothing settles it, groups of three
    digits are thousands: money is not counted in thousandths.
    """
    votes: dict[Mark, int] = {".": with_point, ",": 0}
    doubtful: dict[Mark, str] = {}
    for value in values:
        _, found = _taken_apart(value)
        digits = found[1] if found else ""
        points, commas = digits.count("."), digits.count(",")
        if points and commas:
            votes["." if digits.rfind(".") > digits.rfind(",") else ","] += 1
        elif points > 1 or commas > 1:
            votes["," if points else "."] += 1
        elif points or commas:
            used: Mark = "." if points else ","
            if re.fullmatch(r"[1-9]\d{0,2}[.,]\d{3}", digits) and found and not found[2] and not found[3]:
                doubtful.setdefault(used, value)
            else:
                votes[used] += 1
    if votes["."] != votes[","]:
        return (".", None) if votes["."] > votes[","] else (",", None)
    if not doubtful:
        return ".", None
    if len(doubtful) == 2 or "," in doubtful:
        return ".", doubtful.get(",")
    return ",", doubtful["."]


def currency_of(text: str) -> str | None:
    """The currency sign or code in a text, in capitals."""
    found = _CURRENCY.search(text)
    return found[0].strip(".").upper() if found else None


def _taken_apart(text: str) -> tuple[bool, re.Match[str] | None]:
    """Whether the amount is negative; and its digits, exponent and scale, where that is all there is left."""
    bare = _CURRENCY.sub("", text.translate(_SPACES).replace("−", "-"), count=1)
    bare = bare.removesuffix(",-").removesuffix(".-")  # no cents
    if bare.startswith("(") and bare.endswith(")"):
        negative, bare = True, bare[1:-1]
    elif bare.startswith("-"):
        negative, bare = True, bare[1:]
    elif bare.endswith("-"):
        negative, bare = True, bare[:-1]
    else:
        negative, bare = False, bare.removeprefix("+")
    return negative, _NUMBER.fullmatch(bare)


def _split(digits: str, mark: Mark) -> tuple[str | None, str]:
    """Whole part without thousands marks, and fraction; (None, "") for marks where no number has them."""
    thousands = "," if mark == "." else "."
    whole, _, fraction = digits.partition(mark)
    if mark in fraction or thousands in fraction:
        return None, ""
    if thousands in whole and not _GROUPED[thousands].fullmatch(whole):
        return None, ""
    return whole.replace(thousands, ""), fraction
