"""How many deals were won, lost or are open, and for how much: in all, by segment, by owner."""

from typing import Any

from analytics.bulk import wilson
from analytics.bulk.study import NOT_GIVEN, Study

MOST_GROUPS = 200

_COUNTS = """
    count(*) AS deals,
    count(*) FILTER (outcome = 'won') AS won,
    count(*) FILTER (outcome = 'lost') AS lost,
    count(*) FILTER (outcome = 'open') AS open,
    coalesce(sum(amount) FILTER (outcome = 'won'), 0) AS won_amount,
    sum(amount) FILTER (outcome = 'won') / count(amount) FILTER (outcome = 'won') AS average_won_amount,
    median(cycle_days) FILTER (outcome = 'won') AS median_cycle_days
"""
_AMOUNTS = """
    coalesce(sum(amount) FILTER (outcome = 'lost'), 0) AS lost_amount,
    coalesce(sum(amount) FILTER (outcome = 'open'), 0) AS open_amount
"""


def totals(study: Study, where: str = "true") -> dict[str, Any]:
    """All deals for which `where` holds. Win rates are of won and lost deals; cycle days of won ones."""
    return with_rate(study.row(f"SELECT {_COUNTS}, {_AMOUNTS} FROM deals WHERE {where}"))  # noqa: S608 - our own


def by_segment(study: Study) -> list[dict[str, Any]]:
    """One row a segment, the largest won amount first."""
    return _groups(study, "segment") if study.segment else []


def by_owner(study: Study) -> list[dict[str, Any]]:
    """One row an owner, the largest won amount first."""
    return _groups(study, "owner") if study.has("owner") else []


def with_rate(row: dict[str, Any]) -> dict[str, Any]:
    """The row with `win_rate` (0 to 1, None where nothing has closed) and its 95 % interval."""
    closed = row["won"] + row["lost"]
    low, high = wilson.interval(row["won"], closed)
    rate = row["won"] / closed if closed else None
    return row | {"win_rate": rate, "win_rate_low": low, "win_rate_high": high}


def _groups(study: Study, column: str) -> list[dict[str, Any]]:
    rows = study.rows(
        f"SELECT coalesce({column}, '{NOT_GIVEN}') AS {column}, {_COUNTS} FROM deals "  # noqa: S608 - one of our columns
        f"GROUP BY 1 ORDER BY won_amount DESC, deals DESC, 1 LIMIT {MOST_GROUPS + 1}"
    )
    if len(rows) > MOST_GROUPS:
        study.warnings.append(f"There are more than {MOST_GROUPS} {column}s; those with the most won amount are shown.")
    return [with_rate(row) for row in rows[:MOST_GROUPS]]
