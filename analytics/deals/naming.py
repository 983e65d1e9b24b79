"""Labels of the typed deals against each other and against a product list. Only spelling is ever repaired."""

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from analytics.deals import labels
from analytics.deals.columns import ALIASES, seen
from analytics.deals.loading import loaded
from analytics.deals.model import Issue, several
from analytics.errors import BadData

MOST_NAMES = 100_000  # more distinct ones are numbers, not names
COMPARED = ("segment", "product", "region", "owner", "client")


def check_labels(con: duckdb.DuckDBPyConnection) -> list[Issue]:
    """Report labels that look like a commoner one of the same column, or segments that look like a known sector."""
    found = []
    for column in COMPARED:
        counts = _counts(con, column)
        if len(counts) > MOST_NAMES:
            continue
        alike = labels.lookalikes(counts, labels.SECTORS if column == "segment" else ())
        if not alike:
            continue
        count, first = sum(likeness.count for likeness in alike), alike[0]
        differs = "differs only in case, spaces or punctuation from" if first.same else "looks like"
        sentence = (
            f"{several(count, 'deal')} with a {column} that is probably misspelt: "
            f"{first.label!r} {differs} {first.suggested!r}. Left as it stands."
        )
        examples = [f"{likeness.label} → {likeness.suggested} ({likeness.count:,})" for likeness in alike]
        found.append(Issue(f"similar_{column}", "warning", count, "reported", sentence, examples))
    return found


def join_products(con: duckdb.DuckDBPyConnection, lookup_path: Path | str) -> list[Issue]:
    """Bring product names to a list's spelling; report names the list does not have. Raises BadData."""
    counts = _counts(con, "product")
    joined = labels.join(counts, listed_names(lookup_path))
    _rename(con, joined.repairs)
    repaired = [f"{name} → {listed} ({counts[name]:,})" for name, listed in joined.repairs.items()]
    strange = [
        f"{name} ({counts[name]:,}), nearest {nearest}" if nearest else f"{name} ({counts[name]:,})"
        for name, nearest in joined.strangers.items()
    ]
    found = []
    if repaired:
        count = sum(counts[name] for name in joined.repairs)
        sentence = (
            f"{several(count, 'deal')} with a product spelt otherwise than in the list; repaired: {_some(repaired)}."
        )
        found.append(Issue("product_spelling", "warning", count, "repaired", sentence, repaired))
    if strange:
        count = sum(counts[name] for name in joined.strangers)
        sentence = (
            f"{several(count, 'deal')} with a product that the product list lacks: {_some(strange)}. Left as it stands."
        )
        found.append(Issue("product_not_listed", "warning", count, "reported", sentence, strange))
    return found


def listed_names(lookup_path: Path | str) -> list[str]:
    """The product names of a list: its column called product or name, else its only column. Raises BadData."""
    try:
        with loaded(lookup_path, _names) as raw:
            rows = raw.con.execute("SELECT trim(columns(* EXCLUDE line)) FROM raw ORDER BY line").fetchall()
    except BadData as error:
        raise BadData(f"The product list cannot be used. {error}") from error
    return [name for (name,) in rows if name]


def _names(columns: Sequence[str]) -> list[int]:
    """The place of the column with the products' names."""
    spelt = [labels.plain(name) for name in columns]
    for alias in (*ALIASES["product"], "name"):
        if labels.plain(alias) in spelt:
            return [spelt.index(labels.plain(alias))]
    if len(spelt) == 1:
        return [0]
    raise BadData(f"No column is called product or name: rename the one with the names. It has: {seen(columns)}.")


def _some(named: list[str]) -> str:
    return "; ".join(named[:3]) + (f" and {len(named) - 3:,} more" if len(named) > 3 else "")


def _counts(con: duckdb.DuckDBPyConnection, column: str) -> dict[str, int]:
    sql = f"SELECT {column}, count(*) FROM typed WHERE {column} IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1"  # noqa: S608 - one of COMPARED
    return dict(con.execute(sql).fetchall())


def _rename(con: duckdb.DuckDBPyConnection, repairs: dict[str, str]) -> None:
    if repairs:
        con.register("repairs", pa.table({"name": list(repairs), "listed": list(repairs.values())}))
        con.execute("UPDATE typed SET product = repairs.listed FROM repairs WHERE typed.product = repairs.name")
        con.unregister("repairs")
