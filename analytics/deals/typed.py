"""From texts to values: each distinct text is understood once, in Python, and joined back in SQL. Makes the table `typed`."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import pyarrow as pa

from . import amounts, dates, stages
from .loading import Raw
from .model import Issue

LABELS = ("deal", "client", "owner", "segment", "product", "stage", "region")
DATES = ("opened_on", "closed_on")
_NOTHING = "('', 'null', 'n/a', '#n/a', 'nan')"


def type_columns(raw: Raw, positions: dict[str, int], order: str) -> list[Issue]:
    """Make `typed`: line, the seven labels, outcome, and for each date and the amount its text and its value. Raises BadData."""
    texts = {name: _texts(raw, place) for name, place in positions.items() if name in (*DATES, "amount")}
    orders = _orders(texts, order)
    for name in DATES:
        _remember(
            raw, name, pa.date32(), texts.get(name, ()), lambda text, o=orders.get(name): dates.parse(text, o)
        )  # type: ignore[misc]
    mark, doubtful = amounts.mark_of(texts["amount"])
    _remember(raw, "amount", pa.float64(), texts["amount"], lambda text: amounts.parse(text, mark))
    _remember(raw, "stage", pa.string(), _texts(raw, positions["stage"]), stages.outcome)
    raw.con.execute(f"CREATE TABLE typed AS {_selection(positions)}")
    raw.con.execute("DROP TABLE raw")
    return _doubts(texts["amount"], mark, doubtful)


def _selection(positions: dict[str, int]) -> str:
    columns = ["line"]
    joins = []
    for name in LABELS:
        columns.append(f"{_label(positions.get(name))} AS {name}")
    for name in (*DATES, "amount"):
        text = f"c{positions[name]}" if name in positions else "NULL::VARCHAR"
        empty = amounts.EMPTY if name == "amount" else dates.EMPTY
        columns.append(
            f"CASE WHEN lower(trim({text})) NOT IN {tuple(sorted(empty))} THEN {text} END AS {name}_text"
        )
        columns.append(f"{name}_known.value AS {name}")
        joins.append(f"LEFT JOIN {name}_known ON {name}_known.text = {text}")
    columns.append(
        "coalesce(stage_known.value, 'open') AS outcome, stage_known.value IS NULL AS stage_unknown"
    )
    joins.append(f"LEFT JOIN stage_known ON stage_known.text = c{positions['stage']}")
    return f"SELECT {', '.join(columns)} FROM raw {' '.join(joins)}"


def _label(place: int | None) -> str:
    """A label: control characters and line breaks become spaces, the ends are trimmed, words for nothing become NULL."""
    if place is None:
        return "NULL::VARCHAR"
    clean = f"trim(regexp_replace(c{place}, '[\\x00-\\x1f\\x7f\\x{{a0}}]+', ' ', 'g'))"
    return f"CASE WHEN lower({clean}) NOT IN {_NOTHING} THEN {clean} END"


def _texts(raw: Raw, place: int) -> list[str]:
    return [
        text
        for (text,) in raw.con.execute(
            f"SELECT DISTINCT c{place} FROM raw WHERE c{place} IS NOT NULL"
        ).fetchall()
    ]


def _remember(
    raw: Raw, name: str, kind: pa.DataType, texts: Iterable[str], understand: Callable[[str], Any]
) -> None:
    known = [(text, value) for text in texts if (value := understand(text)) is not None]
    table = pa.table(
        {
            "text": pa.array([text for text, _ in known], pa.string()),
            "value": pa.array([value for _, value in known], kind),
        }
    )
    raw.con.register("understood", table)
    raw.con.execute(f"CREATE TABLE {name}_known AS FROM understood")
    raw.con.unregister("understood")


def _orders(texts: dict[str, list[str]], order: str) -> dict[str, dates.Order]:
    named = {name: texts[name] for name in DATES if name in texts}
    if order == "auto":
        return dates.order_of(named)
    return dict.fromkeys(named, order)  # type: ignore[arg-type]


def _doubts(texts: list[str], mark: str, doubtful: str | None) -> list[Issue]:
    found = []
    if doubtful:
        read = amounts.parse(doubtful, mark)  # type: ignore[arg-type]
        sentence = f"Amounts such as {doubtful!r} are read as thousands ({read:,.0f}); no value in the column settles it."
        found.append(Issue("doubtful_amounts", "warning", 1, "reported", sentence, [doubtful]))
    currencies = Counter(currency for text in texts if (currency := amounts.currency_of(text)))
    if len(currencies) > 1:
        names = [name for name, _ in currencies.most_common()]
        sentence = f"Amounts carry {len(names)} currencies ({', '.join(names[:6])}); they are added up as they stand."
        found.append(Issue("mixed_currencies", "error", len(names), "reported", sentence, names))
    return found
