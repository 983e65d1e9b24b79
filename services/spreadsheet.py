"""Lines of CSV that a spreadsheet reads as what they are: the right letters, and never a formula."""

import csv
import io
from collections.abc import Iterable
from typing import Any

MARK = "\ufeff"  # at the head of a file, for Excel: what follows is UTF-8
# A spreadsheet would run a cell that begins so; the last four are the same signs in full width
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def lines(rows: Iterable[Iterable[Any]]) -> str:
    """The rows as CSV, their cells guarded."""
    written = io.StringIO()
    csv.writer(written).writerows([guarded(cell) for cell in row] for row in rows)
    return written.getvalue()


def guarded(cell: Any) -> Any:
    """Text that no spreadsheet takes for a formula; what is no text as it is."""
    if not isinstance(cell, str) or cell[:1].isalnum():
        return cell
    return f"'{cell}" if cell.lstrip(" \u00a0").startswith(FORMULA) else cell
