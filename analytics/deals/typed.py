"""From texts to values: each distinct text is understood once, in Python, and joined back in SQL, as table `typed`."""

# ruff: noqa: S608 - the SQL is put together from positions and this package's constants alone

from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import duckdb
import pyarrow as pa

from analytics.deals import amounts, dates, stages
from analytics.deals.loading import number
from analytics.deals.model import Issue

LABELS = ("client", "owner", "segment", "product", "stage", "region")
DATES = ("opened_on", "closed_on")
_NOTHING = ("", "#n/a", "n/a", "nan", "null")


def type_columns(con: duckdb.DuckDBPyConnection, positions: dict[str, int], order: dates.Order | None) -> list[Issue]:
    """Make `typed` of `raw`, and drop that; `order` of the dates is told from the columns if None. Raises BadData.

    `typed` has line, deal, unnumbered (the deal's number was made from its line), the labels, outcome, stage_unknown;
    and for dates and amount the value, and in `…_unread` the text where it could not be understood.
    """
    texts = {name: _texts(con, positions[name]) for name in DATES if name in positions}
    orders = dates.order_of(texts) if order is None else dict.fromkeys(texts, order)
    for name in texts:
        _remember(con, name, pa.date32(), texts[name], partial(dates.parse, order=orders[name]))
    odd = _texts(con, positions["amount"], but=amounts.PLAIN)
    mark, doubtful = amounts.mark_of(odd, _points(con, positions["amount"]))
    if mark == ",":
        odd = _texts(con, positions["amount"], but=amounts.WHOLE)
    _remember(con, "amount", pa.float64(), odd, partial(amounts.parse, mark=mark))
    _remember(con, "stage", pa.string(), _texts(con, positions["stage"]), stages.outcome)
    con.execute(f"CREATE TABLE typed AS {_selection(positions, amounts.plain(mark))}")
    con.execute("DROP TABLE raw")
    return _doubts(odd, mark, doubtful)


def _selection(positions: dict[str, int], plain: str) -> str:
    text = {name: f"c{place}" for name, place in positions.items()}
    deal = _label(text.get("deal"))
    columns = ["line", f"coalesce({deal}, 'row-' || line) AS deal", f"{deal} IS NULL AS unnumbered"]
    columns += [f"{_label(text.get(name))} AS {name}" for name in LABELS]
    columns.append("coalesce(stage_known.value, 'open') AS outcome, stage_known.value IS NULL AS stage_unknown")
    cast = f"CASE WHEN regexp_full_match({text['amount']}, '{plain}') THEN {text['amount']}::DOUBLE END"
    columns += _value("amount", text["amount"], f"coalesce({cast}, amount_known.value)", amounts.EMPTY)
    for name in DATES:
        if name in text:
            columns += _value(name, text[name], f"{name}_known.value", dates.EMPTY)
        else:
            columns.append(f"NULL::DATE AS {name}, NULL::VARCHAR AS {name}_unread")
    joined = [name for name in ("stage", "amount", *DATES) if name in text]
    joins = [f"LEFT JOIN {name}_known ON {name}_known.text = {text[name]}" for name in joined]
    return f"SELECT {', '.join(columns)} FROM raw {' '.join(joins)}"


def _value(name: str, text: str, value: str, empty: Iterable[str]) -> list[str]:
    unread = f"{value} IS NULL AND lower(trim({text})) NOT IN {tuple(sorted(empty))}"
    return [f"{value} AS {name}", f"CASE WHEN {unread} THEN {text} END AS {name}_unread"]


def _label(text: str | None) -> str:
    """A label: control characters and line breaks become spaces, the ends are trimmed, words for nothing NULL."""
    if text is None:
        return "NULL::VARCHAR"
    clean = f"trim(regexp_replace({text}, '[\\x00-\\x1f\\x7f\\x{{a0}}]+', ' ', 'g'))"
    return f"CASE WHEN lower({clean}) NOT IN {_NOTHING} THEN {clean} END"


def _texts(con: duckdb.DuckDBPyConnection, place: int, but: str = "") -> list[str]:
    """The distinct texts of a column, without those that match a pattern."""
    sql = f"SELECT DISTINCT c{place} FROM raw WHERE NOT regexp_full_match(c{place}, '{but}')"
    return [text for (text,) in con.execute(sql).fetchall()]


def _points(con: duckdb.DuckDBPyConnection, place: int) -> int:
    plain = f"contains(c{place}, '.') AND regexp_full_match(c{place}, '{amounts.PLAIN}')"
    return number(con, f"SELECT count(*) FROM raw WHERE {plain}")


def _remember(
    con: duckdb.DuckDBPyConnection,
    name: str,
    kind: pa.DataType,
    texts: Iterable[str],
    understand: Callable[[str], Any],
) -> None:
    known = [(text, value) for text in texts if (value := understand(text)) is not None]
    columns = {
        "text": pa.array([text for text, _ in known], pa.string()),
        "value": pa.array([value for _, value in known], kind),
    }
    con.register("understood", pa.table(columns))
    con.execute(f"CREATE TABLE {name}_known AS FROM understood")
    con.unregister("understood")


def _doubts(texts: list[str], mark: amounts.Mark, doubtful: str | None) -> list[Issue]:
    found = []
    if doubtful:
        read = amounts.parse(doubtful, mark) or 0.0
        settled = "no value in the column settles it"
        sentence = f"Amounts such as {doubtful!r} are read as thousands ({read:,.0f}); {settled}."
        found.append(Issue("doubtful_amounts", "warning", 1, "reported", sentence, [doubtful]))
    currencies = Counter(currency for text in texts if (currency := amounts.currency_of(text)))
    if len(currencies) > 1:
        names = [name for name, _ in currencies.most_common()]
        sentence = f"Amounts in {len(names)} currencies ({', '.join(names[:6])}); they are added up as they stand."
        found.append(Issue("mixed_currencies", "error", len(names), "reported", sentence, names))
    return found
