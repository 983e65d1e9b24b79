"""Labels of the typed deals checked against each other and against a product list. Only spelling is ever repaired."""

from pathlib import Path

import duckdb
import pyarrow as pa

from ..errors import BadData
from . import labels
from .columns import ALIASES, seen
from .loading import loaded
from .model import Issue

COMPARED = ("segment", "product", "region", "owner", "client")


def check_labels(con: duckdb.DuckDBPyConnection) -> list[Issue]:
    """Report labels that look like a commoner one in the same column (or, for segments, like a known sector)."""
    found = []
    for column in COMPARED:
        vocabulary = labels.SECTORS if column == "segment" else ()
        alike = labels.lookalikes(_counts(con, column), vocabulary)
        if alike:
            count = sum(likeness.count for likeness in alike)
            first = alike[0]
            difference = "differs only in case, spaces or punctuation from" if first.same else "looks like"
            sentence = (
                f"{count:,} {'deal' if count == 1 else 'deals'} with a {column} that is probably misspelt: "
                f"{first.label!r} {difference} {first.suggested!r}. Left as it stands."
            )
            examples = [f"{likeness.label} → {likeness.suggested} ({likeness.count:,})" for likeness in alike]
            found.append(Issue(f"similar_{column}", "warning", count, "reported", sentence, examples))
    return found


def join_products(con: duckdb.DuckDBPyConnection, lookup_path: Path | str) -> list[Issue]:
    """Bring product names to a list's spelling; report names the list does not have. Raises BadData."""
    listed = listed_names(lookup_path)
    counts = _counts(con, "product")
    joined = labels.join(counts, listed)
    found = []
    if joined.repairs:
        _rename(con, joined.repairs)
        count = sum(counts[name] for name in joined.repairs)
        pairs = [f"{name} → {listed_as} ({counts[name]:,})" for name, listed_as in joined.repairs.items()]
        sentence = f"{count:,} deals with a product spelt otherwise than in the product list; repaired: {', '.join(pairs[:3])}."
        found.append(Issue("product_spelling", "warning", count, "repaired", sentence, pairs))
    if joined.strangers:
        count = sum(counts[name] for name in joined.strangers)
        named = [
            f"{name} ({counts[name]:,}), nearest {nearest}" if nearest else f"{name} ({counts[name]:,})"
            for name, nearest in joined.strangers.items()
        ]
        sentence = f"{count:,} deals with a product that is not in the product list: {'; '.join(named[:3])}. Left as it stands."
        found.append(Issue("product_not_listed", "warning", count, "reported", sentence, named))
    return found


def listed_names(lookup_path: Path | str) -> list[str]:
    """The product names of a list: its column called product or name, else its only column. Raises BadData."""
    with loaded(lookup_path) as raw:
        wanted = [labels.plain(alias) for alias in (*ALIASES["product"], "name")]
        spelt = [labels.plain(name) for name in raw.columns]
        place = next(
            (spelt.index(alias) for alias in wanted if alias in spelt), 0 if len(spelt) == 1 else None
        )
        if place is None:
            raise BadData(
                f"The product list has no column called product or name. It has: {seen(raw.columns)}. Rename the one with the names."
            )
        rows = raw.con.execute(
            f"SELECT trim(c{place}) FROM raw WHERE trim(c{place}) <> '' ORDER BY line"
        ).fetchall()
    return [name for (name,) in rows]


def _counts(con: duckdb.DuckDBPyConnection, column: str) -> dict[str, int]:
    sql = f"SELECT {column}, count(*) FROM typed WHERE {column} IS NOT NULL GROUP BY ALL ORDER BY 2 DESC, 1"
    return dict(con.execute(sql).fetchall())


def _rename(con: duckdb.DuckDBPyConnection, repairs: dict[str, str]) -> None:
    con.register("repairs", pa.table({"name": list(repairs), "listed": list(repairs.values())}))
    con.execute("UPDATE typed SET product = repairs.listed FROM repairs WHERE typed.product = repairs.name")
    con.unregister("repairs")
