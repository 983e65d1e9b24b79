"""What is wrong with the typed deals, row by row: each check is one query, and says what was done about it."""

# ruff: noqa: S608 - the SQL is put together from the constants of this module alone

from collections.abc import Iterable
from dataclasses import dataclass

import duckdb

from .model import MAX_EXAMPLES, Action, Issue, Rejected, Severity

_ROW = "concat_ws(', ', deal, client, product, stage, amount_text, opened_on_text, closed_on_text)"
_SAME = "deal, client, owner, segment, product, region, stage, amount_text, opened_on_text, closed_on_text"


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
    Check("no_stage", "error", "rejected", "stage IS NULL", "no stage: neither won, lost nor open"),
    Check(
        "repeated_row", "warning", "rejected",
        "line IN (SELECT line FROM typed WHERE deal IS NOT NULL "
        f"QUALIFY row_number() OVER (PARTITION BY {_SAME} ORDER BY line) > 1)",
        "the same deal stands in an earlier row",
    ),
)  # fmt: skip

CHECKS = (
    Check(
        "unknown_stage", "warning", "reported", "stage_unknown",
        "{rows} at a stage that is not known to be won, lost or open; counted as open.", "stage",
    ),
    Check(
        "unreadable_amount", "error", "reported", "amount_text IS NOT NULL AND amount IS NULL",
        "{rows} with an amount that is no number; counted without one.", "amount_text",
    ),
    Check(
        "unreadable_opened_on", "error", "reported", "opened_on_text IS NOT NULL AND opened_on IS NULL",
        "{rows} with an opening date that is no date; left out wherever it is needed.", "opened_on_text",
    ),
    Check(
        "unreadable_closed_on", "error", "reported", "closed_on_text IS NOT NULL AND closed_on IS NULL",
        "{rows} with a closing date that is no date; left out wherever it is needed.", "closed_on_text",
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
        mend="UPDATE typed SET opened_on = NULL WHERE ",
    ),
    Check(
        "open_with_closing_date", "info", "reported", "outcome = 'open' AND closed_on IS NOT NULL",
        "{rows} still open with a closing date; taken for the expected date and set aside.",
        mend="UPDATE typed SET closed_on = NULL WHERE ",
    ),
    Check(
        "closed_without_date", "warning", "reported", "outcome <> 'open' AND closed_on_text IS NULL",
        "{rows} won or lost without a closing date; missing from months and cycle times.",
    ),
)  # fmt: skip

AFTER_IDS = Check(
    "repeated_id", "warning", "reported",
    "deal IN (SELECT deal FROM typed GROUP BY deal HAVING count(*) > 1)",
    "{rows} with a deal number that another row has too; each is counted.", "deal",
)  # fmt: skip


def reject(con: duckdb.DuckDBPyConnection) -> list[Rejected]:
    """Take the rows that cannot be analysed out of `typed`, and say which and why."""
    rejected = []
    for check in REJECTIONS:
        rows = con.execute(f"DELETE FROM typed WHERE {check.where} RETURNING line, {_ROW}").fetchall()
        rejected += [Rejected(line, check.sentence, text) for line, text in sorted(rows)]
    return rejected


def run(con: duckdb.DuckDBPyConnection, columns: Iterable[str]) -> list[Issue]:
    """Run every check whose columns the source has; where a check sets a value aside, do so."""
    columns = set(columns)
    missing = {"opened_on", "closed_on"} - columns
    wanted = [check for check in CHECKS if not any(name in check.where for name in missing)]
    return [issue for check in wanted if (issue := _run(con, check))]


def number_deals(con: duckdb.DuckDBPyConnection) -> list[Issue]:
    """Give deals without a number one made from their row; report numbers that stand in several rows."""
    found = []
    count = _one(con, "SELECT count(*) FROM typed WHERE deal IS NULL")
    if count:
        total = _one(con, "SELECT count(*) FROM typed")
        con.execute("UPDATE typed SET deal = 'row-' || line WHERE deal IS NULL")
        whose = "No deal has a number" if count == total else f"{_deals(count)} without a number"
        sentence = f"{whose}; numbers such as row-12 were made from the row."
        found.append(Issue("no_id", "info", count, "repaired", sentence))
    repeated = _run(con, AFTER_IDS)
    return found + ([repeated] if repeated else [])


def _run(con: duckdb.DuckDBPyConnection, check: Check) -> Issue | None:
    count = _one(con, f"SELECT count(*) FROM typed WHERE {check.where}")
    if not count:
        return None
    found = con.execute(
        f"SELECT {check.example} AS example FROM typed WHERE {check.where} GROUP BY example "
        f"ORDER BY count(*) DESC, min(line) LIMIT {MAX_EXAMPLES}"
    ).fetchall()
    if check.mend:
        con.execute(check.mend + check.where)
    sentence = check.sentence.format(rows=_deals(count))
    return Issue(check.name, check.severity, count, check.action, sentence, [example for (example,) in found])


def _deals(count: int) -> str:
    return f"{count:,} {'deal' if count == 1 else 'deals'}"


def _one(con: duckdb.DuckDBPyConnection, sql: str) -> int:
    row = con.execute(sql).fetchone()
    return int(row[0]) if row else 0
