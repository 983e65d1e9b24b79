"""Read deals from a file or from rows into the canonical frame, and account for every row."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import duckdb
import pandas as pd

from analytics.deals import checks, naming, typed
from analytics.deals.columns import recognise, seen
from analytics.deals.loading import loaded
from analytics.deals.model import Deals, Issue, Rejected
from analytics.errors import BadData
from analytics.source import DateOrder

_FRAME = (
    "deal", "client", "owner", "segment", "product", "stage", "outcome", "amount",
    "opened_on", "closed_on", "region",
)  # fmt: skip
_WITHOUT = {
    "client": "clients and concentration",
    "owner": "owners",
    "product": "products",
    "opened_on": "cycle times, velocity and stale deals",
    "closed_on": "months, cycle times and velocity",
}


def read(
    path_or_rows: Path | str | Sequence[dict[str, Any]],
    *,
    columns: Mapping[str, str] | None = None,
    dates: DateOrder = "auto",
    lookup_path: Path | str | None = None,
) -> Deals:
    """Deals from a CSV file (UTF-8, UTF-16, Windows-1252; comma, semicolon, tab, bar), a Parquet file, or rows.

    `columns` maps canonical names to the source's where they are not recognised. `lookup_path` is a product list
    to check and spell product names by. Raises BadData with a sentence for the sender.
    """
    told = columns or {}
    if dates not in get_args(DateOrder):
        raise BadData(f"dates is {dates!r}; give one of {', '.join(get_args(DateOrder))}.")
    with loaded(path_or_rows, lambda names: recognise(names, told).positions.values()) as raw:
        found = recognise(raw.columns, told)
        issues = _unused(found.unused) + typed.type_columns(
            raw.con, found.positions, None if dates == "auto" else dates
        )
        rejected = raw.rejected + checks.reject(raw.con)
        if len(rejected) == raw.rows_read:
            first = rejected[0]
            raise BadData(f"No row can be used ({raw.rows_read:,} read). The first, line {first.line}: {first.reason}.")
        issues += _rejections(rejected)
        issues += checks.run(raw.con, found.positions)
        if lookup_path is not None and "product" in found.positions:
            issues += naming.join_products(raw.con, lookup_path)
        issues += naming.check_labels(raw.con)
        frame = pd.concat([_column(raw.con, name) for name in _FRAME], axis=1)
    used = {name: raw.columns[place] for name, place in found.positions.items()}
    return Deals(frame, used, issues, _frame_of(rejected), raw.rows_read, raw.notes + _gaps(used, lookup_path))


def _column(con: duckdb.DuckDBPyConnection, name: str) -> pd.Series:
    """One column of the frame; one at a time, so that no second copy of all of them is ever in memory."""
    value = f"{name}::TIMESTAMP AS {name}" if name in typed.DATES else name
    return con.sql(f"SELECT {value} FROM typed ORDER BY line").to_arrow_table().to_pandas()[name]  # noqa: S608


def _unused(unused: list[str]) -> list[Issue]:
    if not unused:
        return []
    sentence = f"{'Column' if len(unused) == 1 else 'Columns'} not needed: {seen(unused, 8)}."
    return [Issue("unused_columns", "info", len(unused), "reported", sentence, unused)]


def _rejections(rejected: list[Rejected]) -> list[Issue]:
    """One issue for each reason that rows were rejected for."""
    found = []
    for reason, count in Counter(row.reason for row in rejected).most_common():
        lines = [f"line {row.line}: {row.text}" for row in rejected if row.reason == reason]
        sentence = f"{count:,} {'row was' if count == 1 else 'rows were'} rejected: {reason}."
        found.append(Issue("rejected_rows", "error", count, "rejected", sentence, lines))
    return found


def _gaps(used: Mapping[str, str], lookup_path: Path | str | None) -> list[str]:
    gaps = [
        f"There is no column for {name}, so {what} are missing." for name, what in _WITHOUT.items() if name not in used
    ]
    if lookup_path is not None and "product" not in used:
        gaps.append("There is no column for product, so the product list was not used.")
    return gaps


def _frame_of(rejected: list[Rejected]) -> pd.DataFrame:
    rows = sorted(rejected, key=lambda row: row.line)
    return pd.DataFrame(
        {
            "line": pd.Series([row.line for row in rows], dtype="int64"),
            "reason": pd.Series([row.reason for row in rows], dtype="str"),
            "text": pd.Series([row.text for row in rows], dtype="str"),
        }
    )
