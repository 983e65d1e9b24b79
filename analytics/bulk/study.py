"""The deals under analysis: one DuckDB table, what is known of it, and the questions all analyses ask of it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pyarrow as pa

from analytics.bulk.clients_wanted import Wanted, wanted
from analytics.deals import Deals
from analytics.deals.loading import connect
from analytics.deals.model import several, shorten
from analytics.errors import BadData

NOT_GIVEN = "not given"
LONGEST_LABEL = 80  # characters of a name in a result

_BATCH = 5_000

_TABLE = """
    CREATE TABLE deals AS SELECT deal, client, owner, product, stage, outcome, {segment} AS segment,
        amount::DECIMAL(24, 4) AS amount, opened_on::DATE AS opened_on, closed_on::DATE AS closed_on,
        CASE WHEN outcome <> 'open' THEN closed_on::DATE - opened_on::DATE END AS cycle_days
    FROM given {clients}
"""

_EXTENT = "SELECT count(*), max(greatest(opened_on, closed_on)), bool_or(outcome = 'open') FROM deals"


@dataclass
class Study:
    """Table `deals` of `con`: the canonical columns (`amount` exact to 4 decimals, so that sums come out the same on
    every run), `segment` (products, where the source has no segments), `cycle_days` (from opening to closing).

    `con.interrupt()` from another thread stops a running query with `duckdb.InterruptException`.
    """

    con: duckdb.DuckDBPyConnection
    deals: Deals
    as_of: date
    segment: str | None
    unknown_clients: list[str]
    left_out: int
    warnings: list[str]

    def has(self, *columns: str) -> bool:
        """Whether the source has these canonical columns."""
        return all(column in self.deals.columns_used for column in columns)

    def rows(self, sql: str, parameters: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """The rows of a query as JSON takes them: finite numbers, dates as text, names of at most 80 characters."""
        return list(self.stream(sql, parameters))

    def stream(self, sql: str, parameters: dict[str, Any] | None = None) -> Iterator[dict[str, Any]]:
        """The same, a few thousand at a time."""
        answer = self.con.execute(sql, parameters)
        names = [column[0] for column in answer.description or ()]
        while some := answer.fetchmany(_BATCH):
            for row in some:
                yield dict(zip(names, map(plain, row), strict=True))

    def row(self, sql: str, parameters: dict[str, Any] | None = None) -> dict[str, Any]:
        """The one row of a query."""
        [row] = self.rows(sql, parameters)
        return row


def plain(value: Any) -> Any:
    """A value as JSON takes it."""
    match value:
        case None | bool() | int():
            return value
        case str():
            return shorten(value, LONGEST_LABEL)
        case date():
            return value.isoformat()[:10]
        case _:
            return float(value)


@contextmanager
def study(deals: Deals, *, client_ids: Sequence[str], as_of: date | None, today: date) -> Iterator[Study]:
    """Open the deals of these clients (of all, where none are named) for analysis. Raises BadData."""
    segment = next((name for name in ("segment", "product") if name in deals.columns_used), None)
    with TemporaryDirectory(prefix="bulk-") as scratch, connect(scratch) as con:
        con.execute("SET enable_external_access=false; SET lock_configuration=true")
        con.register("given", pa.Table.from_pandas(deals.frame, preserve_index=False))
        chosen = wanted(con, client_ids)
        _create(con, segment, chosen)
        con.unregister("given")
        [(count, last, has_open)] = con.execute(_EXTENT).fetchall()
        day, said = _as_of(as_of, today, last, has_open)
        left_out = len(deals.frame) - count
        warnings = [*deals.warnings, *_of_segments(segment), *said, *_of_clients(chosen, left_out)]
        yield Study(con, deals, day, segment, chosen.unknown, left_out, warnings)


def _create(con: duckdb.DuckDBPyConnection, segment: str | None, chosen: Wanted) -> None:
    label = f"coalesce({segment}, '{NOT_GIVEN}')" if segment else "NULL::VARCHAR"
    if chosen.all:
        con.execute(_TABLE.format(segment=label, clients=""))
        return
    con.register("chosen", pa.table({"client": pa.array(chosen.found, pa.string())}))
    con.execute(_TABLE.format(segment=label, clients="SEMI JOIN chosen USING (client)"))
    con.unregister("chosen")


def _as_of(as_of: date | None, today: date, last: date | None, has_open: bool) -> tuple[date, list[str]]:
    """The day ages are counted to, and what has to be said about it."""
    if as_of is not None:
        return as_of, []
    if last is None:
        return today, []
    if has_open and (today - last).days > 31:
        return today, [
            f"Ages are counted to today, {today}, but the latest date in the data is {last}. "
            "Give as_of to count to another day."
        ]
    if has_open or last == today:
        return today, []
    return last, [f"There are no open deals, so the analysis is as of the latest date in the data, {last}."]


def _of_segments(segment: str | None) -> list[str]:
    if segment == "product":
        return ["There is no column for segment, so products serve as segments."]
    return [] if segment else ["There is no column for segment or product, so there are no segments."]


def _of_clients(chosen: Wanted, left_out: int) -> list[str]:
    if chosen.all:
        return []
    names = ", ".join(repr(shorten(name, 60)) for name in chosen.unknown[:10])
    if not chosen.found:
        nearest = f" Did you mean {', '.join(chosen.nearest)}?" if chosen.nearest else ""
        raise BadData(f"No client asked for is in the data: {names}.{nearest}")
    said = [f"Only {several(len(chosen.found), 'client')}, as asked; {several(left_out, 'deal')} of others left out."]
    if chosen.unknown:
        said.append(f"{several(len(chosen.unknown), 'client')} asked for but not in the data: {names}.")
    return said
