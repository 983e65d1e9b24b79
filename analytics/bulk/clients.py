"""One row a client: the first 500 for the result, all of them as a CSV file."""

import csv
import io
from typing import Any

from analytics.bulk.funnels import with_rate
from analytics.bulk.study import Study
from analytics.deals.model import several

MOST_ROWS = 500
COLUMNS = (
    "client", "segment", "deals", "won", "lost", "open", "won_amount", "open_amount",
    "win_rate", "win_rate_low", "win_rate_high", "last_activity",
)  # fmt: skip
FORMULA = ("=", "+", "-", "@", "\t", "\r")

_CLIENTS = """
    SELECT client, mode(segment ORDER BY segment) AS segment, count(*) AS deals,
           count(*) FILTER (outcome = 'won') AS won, count(*) FILTER (outcome = 'lost') AS lost,
           count(*) FILTER (outcome = 'open') AS open,
           coalesce(sum(amount) FILTER (outcome = 'won'), 0) AS won_amount,
           coalesce(sum(amount) FILTER (outcome = 'open'), 0) AS open_amount,
           max(greatest(opened_on, closed_on)) AS last_activity
    FROM deals WHERE client IS NOT NULL GROUP BY client ORDER BY won_amount DESC, deals DESC, client
"""


def per_client(study: Study) -> tuple[list[dict[str, Any]], bytes]:
    """The 500 clients with the largest won amounts, and a CSV file (UTF-8, with a mark for Excel) of all."""
    nameless = study.row("SELECT count(*) AS deals FROM deals WHERE client IS NULL")["deals"]
    if nameless and study.has("client"):
        study.warnings.append(f"{several(nameless, 'deal')} without a client; missing from the clients.")
    rows: list[dict[str, Any]] = []
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    count = 0
    for count, found in enumerate(study.stream(_CLIENTS), start=1):
        row = with_rate(found)
        writer.writerow([_cell(row[column]) for column in COLUMNS])
        if count <= MOST_ROWS:
            rows.append(row)
    if count > MOST_ROWS:
        study.warnings.append(f"The first {MOST_ROWS} of {count:,} clients are shown; the file has them all.")
    return rows, out.getvalue().encode("utf-8-sig")


def _cell(value: Any) -> Any:
    """Text that a spreadsheet would take for a formula gets an apostrophe in front (OWASP, "CSV injection")."""
    return "'" + value if isinstance(value, str) and value.startswith(FORMULA) else value
