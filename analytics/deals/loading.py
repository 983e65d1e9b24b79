"""Any source into one DuckDB table `raw` of texts: (line, c0, c1, …). Nothing is interpreted here."""

# ruff: noqa: S608 - names from outside are quoted; the rest are constants

import glob
import json
import math
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pyarrow as pa

from analytics.deals.model import Rejected
from analytics.deals.sieve import sieve
from analytics.errors import BadData

MEMORY_LIMIT = "400MB"
THREADS = 2
COUNT = "SELECT count(*) FROM raw"

Pick = Callable[[Sequence[str]], Collection[int]]  # from the names of all columns to the places of those to load


@dataclass(frozen=True)
class Raw:
    """A connection with the table `raw`, the names of all the source's columns, and what loading itself rejected."""

    con: duckdb.DuckDBPyConnection
    columns: list[str]
    rows_read: int
    rejected: list[Rejected]
    notes: list[str]


@contextmanager
def loaded(path_or_rows: Path | str | Sequence[dict[str, Any]], pick: Pick) -> Iterator[Raw]:
    """Load the picked columns of a CSV or Parquet file, or of rows. Raises BadData, as `pick` may.

    After that the connection reaches no file and no network.
    """
    with TemporaryDirectory(prefix="deals-") as scratch, connect(scratch) as con:
        if not isinstance(path_or_rows, (str, Path)):
            raw = _from_rows(con, path_or_rows, pick)
        elif not Path(path_or_rows).is_file():
            raise BadData(f"There is no file {Path(path_or_rows).name!r} to read.")
        elif _is_parquet(Path(path_or_rows)):
            raw = _from_parquet(con, Path(path_or_rows), pick)
        else:
            raw = _from_text(con, Path(path_or_rows), Path(scratch) / "clean.csv", pick)
        con.execute("SET enable_external_access=false; SET lock_configuration=true")
        if not raw.rows_read:
            raise BadData("There are columns but no rows. Give at least one.")
        yield raw


def connect(scratch: str) -> duckdb.DuckDBPyConnection:
    """A DuckDB of its own with bounded memory and threads, spilling to `scratch`."""
    return duckdb.connect(
        ":memory:", config={"memory_limit": MEMORY_LIMIT, "threads": THREADS, "temp_directory": scratch}
    )


def _from_text(con: duckdb.DuckDBPyConnection, path: Path, clean: Path, pick: Pick) -> Raw:
    found = sieve(path, clean)
    places = ", ".join(f"'c{place}': 'VARCHAR'" for place in range(len(found.columns)))
    picked = ", ".join(["line", *(f"c{place}" for place in pick(found.columns))])
    con.execute(
        f"CREATE TABLE raw AS SELECT {picked} FROM read_csv({_literal(clean)}, header=false, auto_detect=false, "
        f"delim='{found.delimiter}', quote='\"', escape='\"', "
        f"max_line_size=2097152, buffer_size=16777216, columns={{'line': 'BIGINT', {places}}})"
    )
    clean.unlink()
    if (read := number(con, COUNT)) != found.rows:
        raise RuntimeError(f"{found.rows} clean rows were written and {read} read back")
    notes = []
    if found.encoding == "cp1252":
        notes.append("The file is not UTF-8; it was read as Windows-1252. Check names with accents.")
    return Raw(con, found.columns, found.rows + len(found.rejected), found.rejected, notes)


def _from_parquet(con: duckdb.DuckDBPyConnection, path: Path, pick: Pick) -> Raw:
    source = f"read_parquet({_literal(path)})"
    try:
        described = con.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
        columns = [name for name, *_ in described]
        texts = "".join(f", {_as_text(*described[place][:2])} AS c{place}" for place in pick(columns))
        con.execute(f"CREATE TABLE raw AS SELECT row_number() OVER () AS line{texts} FROM {source}")
    except (duckdb.OutOfMemoryException, duckdb.InterruptException):
        raise
    except duckdb.Error as error:
        raise BadData("The Parquet file is damaged or cut short. Export it again.") from error
    return Raw(con, columns, number(con, COUNT), [], [])


def _as_text(name: str, kind: str) -> str:
    column = '"' + name.replace('"', '""') + '"'
    if kind == "TIMESTAMP WITH TIME ZONE":
        column = f"make_timestamp(epoch_us({column}))"  # in UTC, whatever the zone of this machine
    text = f"CAST({column} AS VARCHAR)"
    if kind in ("FLOAT", "DOUBLE") or kind.startswith("DECIMAL"):
        text = f"{text} || CASE WHEN regexp_matches({text}, '[.]\\d{{3}}$') THEN '0' ELSE '' END"  # see _text
    return text


def _from_rows(con: duckdb.DuckDBPyConnection, rows: Sequence[dict[str, Any]], pick: Pick) -> Raw:
    columns = list(dict.fromkeys(str(name) for row in rows for name in row))
    if not columns:
        raise BadData("The rows are empty. Give at least one deal with its stage and amount.")
    texts = {
        f"c{place}": pa.array([_text(row.get(columns[place])) for row in rows], pa.string()) for place in pick(columns)
    }
    lines = pa.array(range(1, len(rows) + 1), pa.int64())
    con.register("given", pa.table({"line": lines, **texts}))
    con.execute("CREATE TABLE raw AS FROM given")
    con.unregister("given")
    return Raw(con, columns, len(rows), [], [])


def _text(value: Any) -> str | None:
    """A JSON value as it would stand in a CSV file."""
    match value:
        case None:
            return None
        case float() if not math.isfinite(value):
            return None
        case float():
            text = repr(value)
            # three decimals would look like thousands to a reader of texts; a fourth cannot
            return text + "0" if "e" not in text and len(text.rpartition(".")[2]) == 3 else text
        case datetime() | date():
            return value.isoformat()
        case dict() | list():
            text = json.dumps(value, ensure_ascii=False, default=str)
        case _:
            text = str(value)
    return text.encode("utf-8", "replace").decode("utf-8")


def _literal(path: Path) -> str:
    """A path as DuckDB takes it literally: without wildcards, and with quotation marks doubled."""
    return "'" + glob.escape(str(path)).replace("'", "''") + "'"


def _is_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def number(con: duckdb.DuckDBPyConnection, sql: str) -> int:
    """The one number that a query gives (`fetchone` would leave the connection busy until its result is read out)."""
    [(value,)] = con.execute(sql).fetchall()
    return int(value)
