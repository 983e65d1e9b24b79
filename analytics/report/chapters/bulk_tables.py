"""The tables of a `bulk_analysis` result, cut to what a reader can take in; what was cut is said below them."""

from typing import Any, Final

from analytics.report import figures
from analytics.report.model import Block, Column, Prose, Table
from analytics.report.read import mapping, number, rows, word
from analytics.report.text import several

MOST_ROWS = 16  # what also stands on a slide
NUMBER: Final = "number"


def cut(shown: int, of: int) -> str:
    """The note below a table that shows `shown` of `of` rows."""
    return f"The first {shown:,} of {of:,} rows; the rest is in the task's result and files." if of > shown else ""


def months(found: list[dict[str, Any]]) -> Table:
    """The latest months, the newest last."""
    kept = found[-12:]
    note = f"The last 12 of {len(found):,} months." if len(found) > 12 else ""
    columns = [Column("Month"), *(Column(name, NUMBER) for name in ("Opened", "Won", "Lost", "Won amount"))]
    return Table("By month", columns, [_month(row) for row in kept], note, on_slides=False)


def _month(row: dict[str, Any]) -> list[str]:
    counts = [figures.count(number(row, key)) for key in ("opened", "won", "lost")]
    return [figures.month(word(row, "month")), *counts, figures.amount(number(row, "won_amount"))]


def groups(found: list[dict[str, Any]], key: str) -> Table:
    """Segments or owners with their counts, win rate and amounts."""
    name = key.capitalize()
    titles = ("Deals", "Won", "Lost", "Open", "Win rate", "95% interval", "Won amount", "Average won", "Days")
    columns = [Column(name), *(Column(title, NUMBER) for title in titles)]
    note = "Days: median from opening to winning. " + cut(MOST_ROWS, len(found))
    return Table(f"{name}s in figures", columns, [_group(row, key) for row in found[:MOST_ROWS]], note)


def _group(row: dict[str, Any], key: str) -> list[str]:
    return [
        word(row, key),
        *(figures.count(number(row, column)) for column in ("deals", "won", "lost", "open")),
        figures.percent(number(row, "win_rate")),
        figures.interval(number(row, "win_rate_low"), number(row, "win_rate_high")),
        figures.amount(number(row, "won_amount")),
        figures.amount(number(row, "average_won_amount")),
        figures.days(number(row, "median_cycle_days")),
    ]


def shares(clients: list[dict[str, Any]]) -> Table:
    """The largest clients and what they hold together."""
    columns = [Column("Client"), *(Column(name, NUMBER) for name in ("Won amount", "Share", "Together"))]
    kept = [
        [
            word(row, "client"),
            figures.amount(number(row, "won_amount")),
            figures.percent(number(row, "share")),
            figures.percent(number(row, "cumulative_share")),
        ]
        for row in clients[:10]
    ]
    note = f"The first 10 of {len(clients):,} clients." if len(clients) > 10 else ""
    return Table("Largest clients", columns, kept, note, on_slides=False)


def stale(result: Any) -> list[Block]:
    """Open deals that are older than deals of their kind usually take."""
    found = rows(result, "stale")
    if not found:
        return []
    titles = [Column("Deal"), Column("Client"), Column("Owner")]
    columns = [*titles, *(Column(name, NUMBER) for name in ("Age, days", "Typical, days", "Amount"))]
    kept = [
        [
            *(word(row, key) for key in ("deal", "client", "owner")),
            figures.days(number(row, "age_days")),
            figures.days(number(row, "typical_days")),
            figures.amount(number(row, "amount")),
        ]
        for row in found[:MOST_ROWS]
    ]
    total = mapping(result, "stale_total")
    many = int(number(total, "deals") or len(found))
    worth = f" worth {figures.amount(number(total, 'amount'))}" if number(total, "amount") else ""
    verb = "is" if many == 1 else "are"
    said = f"{several(many, 'open deal')}{worth} {verb} older than deals of their kind usually get."
    return [Prose(said), Table("Open deals that have grown old", columns, kept, cut(MOST_ROWS, many))]


def anomalies(result: Any) -> list[Block]:
    """Values far from what is typical."""
    found = rows(result, "anomalies")
    if not found:
        return []
    many = int(number(result, "anomalies_total") or len(found))
    texts = [key for key in ("deal", "client", "product") if any(row.get(key) for row in found)]
    columns = [*(Column(key.capitalize()) for key in texts), Column("What", "wrap", 1.3)]
    columns += [Column(name, NUMBER) for name in ("Value", "Typical", "Score")]
    kept = [
        [
            *(word(row, key) for key in (*texts, "what")),
            *(figures.amount(number(row, key)) for key in ("value", "typical")),
            figures.score(number(row, "score")),
        ]
        for row in found[:MOST_ROWS]
    ]
    verb = "is" if many == 1 else "are"
    said = f"{several(many, 'value')} {verb} far from what is typical: worth a look, not necessarily wrong."
    note = "Score: distance from the median in robust standard deviations. " + cut(MOST_ROWS, many)
    return [Prose(said), Table("Unusual values", columns, kept, note, on_slides=False)]


def clients(result: Any) -> list[Block]:
    """The clients with the largest won amount."""
    found = rows(result, "per_client")
    if not found:
        return []
    ranked = sorted(found, key=lambda row: number(row, "won_amount") or 0, reverse=True)
    columns = [Column("Client", share=1.4), Column("Segment")]
    titles = ("Deals", "Won", "Lost", "Open", "Win rate", "Won amount", "Open amount", "Last activity")
    columns += [Column(name, NUMBER) for name in titles]
    kept = [_client(row) for row in ranked[:MOST_ROWS]]
    return [Table("Clients by won amount", columns, kept, cut(MOST_ROWS, len(found)), on_slides=False)]


def _client(row: dict[str, Any]) -> list[str]:
    return [
        word(row, "client"),
        word(row, "segment"),
        *(figures.count(number(row, key)) for key in ("deals", "won", "lost", "open")),
        figures.percent(number(row, "win_rate")),
        figures.amount(number(row, "won_amount")),
        figures.amount(number(row, "open_amount")),
        word(row, "last_activity")[:10],
    ]
