"""What is wrong with the typed deals, row by row: each check is one query, and says what was done about it."""

# ruff: noqa: S608 - the SQL is put together from this module's constants alone

from collections.abc import Iterable
from dataclasses import dataclass

import duckdb

from analytics.deals.loading import number
from analytics.deals.model import MAX_EXAMPLES, Action, Issue, Rejected, Severity, several, shorten

_AMOUNT = "coalesce(amount_unread, amount::VARCHAR)"
_OPENED_ON = "coalesce(opened_on_unread, opened_on::VARCHAR)"
_CLOSED_ON = "coalesce(closed_on_unread, closed_on::VARCHAR)"
_ROW = f"concat_ws(', ', deal, client, product, stage, {_AMOUNT}, {_OPENED_ON}, {_CLOSED_ON})"
_ALL = f"deal, client, owner, segment, product, region, stage, {_AMOUNT}, {_OPENED_ON}, {_CLOSED_ON}"


@dataclass(frozen=True)
class Check:
    """Rows of `typed` for which `where` holds. `{rows}` in the sentence is "1 deal" or "12 deals"."""

    name: str
    severity: Severity
    action: Action
    where: str
    sentence: str
    example: str = _ROW
    mend: str = ""


REJECTIONS = (
    ("stage IS NULL", "no stage: neither won, lost nor open"),
    (
        "line IN (SELECT line FROM typed WHERE NOT unnumbered AND deal IN "
        "(SELECT deal FROM typed GROUP BY deal HAVING count(*) > 1) "
        f"QUALIFY row_number() OVER (PARTITION BY {_ALL} ORDER BY line) > 1)",
        "the same deal stands in an earlier row",
    ),
)

CHECKS = (
    Check(
        "unknown_stage", "warning", "reported", "stage_unknown",
        "{rows} at a stage not known to be won, lost or open; counted as open.", "stage",
    ),
    Check(
        "unreadable_amount", "error", "reported", "amount_unread IS NOT NULL",
        "{rows} with an amount that is no number; counted without one.", "amount_unread",
    ),
    Check(
        "unreadable_opened_on", "error", "reported", "opened_on_unread IS NOT NULL",
        "{rows} with an opening date that is no date; left out wherever it is needed.", "opened_on_unread",
    ),
    Check(
        "unreadable_closed_on", "error", "reported", "closed_on_unread IS NOT NULL",
        "{rows} with a closing date that is no date; left out wherever it is needed.", "closed_on_unread",
    ),
    Check(
        "won_without_amount", "warning", "reported", "outcome = 'won' AND coalesce(amount, 0) = 0",
        "{rows} won with an amount of zero or none; counted as won, adding nothing to the value.",
    ),
    Check(
        "negative_amount", "warning", "reported", "amount < 0",
        "{rows} with a negative amount; added up as it stands.",
    ),
    Check(
        "closed_before_opened", "error", "reported", "closed_on < opened_on AND outcome <> 'open'",
        "{rows} with a closing date before the opening date, which is set aside: cycle times do without.",
        mend="opened_on = NULL",
    ),
    Check(
        "open_with_closing_date", "info", "reported", "outcome = 'open' AND closed_on IS NOT NULL",
        "{rows} still open with a closing date; taken for the expected date and set aside.",
        mend="closed_on = NULL",
    ),
    Check(
        "closed_without_date", "warning", "reported",
        "outcome <> 'open' AND closed_on IS NULL AND closed_on_unread IS NULL",
        "{rows} won or lost without a closing date; missing from months and cycle times.",
    ),
    Check(
        "repeated_number", "warning", "reported", "deal IN (SELECT deal FROM typed GROUP BY deal HAVING count(*) > 1)",
        "{rows} with a number that another deal has too; each is counted.", "deal",
    ),
)  # fmt: skip


def reject(con: duckdb.DuckDBPyConnection) -> list[Rejected]:
    """Take the rows that cannot be analysed out of `typed`, and say which and why."""
    rejected = []
    for where, reason in REJECTIONS:
        rows = con.execute(f"DELETE FROM typed WHERE {where} RETURNING line, {_ROW}").fetchall()
        rejected += [Rejected(line, reason, shorten(text)) for line, text in sorted(rows)]
    return rejected


def run(con: duckdb.DuckDBPyConnection, columns: Iterable[str]) -> list[Issue]:
    """Run every check whose columns the source has; where a check sets a value aside, do so."""
    missing = {"opened_on", "closed_on"} - set(columns)
    wanted = [check for check in CHECKS if not any(name in check.where for name in missing)]
    return _unnumbered(con) + [issue for check in wanted if (issue := _run(con, check))]


def _run(con: duckdb.DuckDBPyConnection, check: Check) -> Issue | None:
    count = number(con, f"SELECT count(*) FROM typed WHERE {check.where}")
    if not count:
        return None
    found = con.execute(
        f"SELECT {check.example} AS example FROM typed WHERE {check.where} GROUP BY example "
        f"ORDER BY count(*) DESC, min(line) LIMIT {MAX_EXAMPLES}"
    ).fetchall()
    if check.mend:
        con.execute(f"UPDATE typed SET {check.mend} WHERE {check.where}")
    sentence = check.sentence.format(rows=several(count, "deal"))
    return Issue(check.name, check.severity, count, check.action, sentence, [example for (example,) in found])


def _unnumbered(con: duckdb.DuckDBPyConnection) -> list[Issue]:
    count = number(con, "SELECT count(*) FROM typed WHERE unnumbered")
    if not count:
        return []
    everyone = count == number(con, "SELECT count(*) FROM typed")
    whose = "No deal has a number" if everyone else f"{several(count, 'deal')} without a number"
    sentence = f"{whose}; numbers such as row-12 were made from the row."
    return [Issue("no_number", "info", count, "repaired", sentence)]
