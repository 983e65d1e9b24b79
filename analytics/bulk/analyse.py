"""A bulk analysis from reading to findings, step by step."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from typing import Any

from analytics.bulk import anomalies, clients, concentration, findings, funnels, pace, quality, stale
from analytics.bulk.study import Study, study
from analytics.deals import Deals

ENGINE = "local:duckdb-deals@1"
LIMITS = [
    "Win rates are of won and lost deals, with Wilson's 95% intervals; deals are taken to be independent.",
    "Cycle times are days from opening to closing, of won deals; stale deals are judged by won and lost ones.",
    "Amounts are in the currency of the data, added up as they stand.",
    "Findings are worked out by rules from the numbers; they show differences, not causes.",
]
STEPS = (
    "reading", "quality", "funnels", "months", "stale deals", "concentration", "anomalies", "clients", "findings",
)  # fmt: skip

Track = Callable[[Sequence[str], str], Iterable[str]]


@dataclass(frozen=True)
class Analysis:
    """The result as a dict of JSON values (below 1 MiB), and the table of all clients as a CSV file."""

    result: dict[str, Any]
    per_client_csv: bytes


def analyse(
    read: Callable[[], Deals],
    *,
    source: str,
    today: date,
    client_ids: Sequence[str] = (),
    as_of: date | None = None,
    track: Track = lambda steps, note: steps,
) -> Analysis:
    """Analyse the deals that `read` gives; `source` is their name in the result.

    `client_ids` restricts the analysis to these clients. Ages are counted to `as_of`; if None, to `today` where deals
    are open, else to the latest date in the data. `track` is given the steps and yields them one by one (`run.track`);
    what it raises ends the analysis between two steps. Raises BadData.
    """
    result: dict[str, Any] = {"engine": ENGINE, "engine_kind": "local", "limits": LIMITS}
    csv_file = b""
    with ExitStack() as opened:
        for step in track(STEPS, "{}"):
            if step == "reading":
                deals = read()
                at = opened.enter_context(study(deals, client_ids=client_ids, as_of=as_of, today=today))
                result |= _basis(at, source)
            elif step == "clients":
                result["per_client"], csv_file = clients.per_client(at)
            elif step == "findings":
                result["findings"] = findings.findings(result, at.segment)
            else:
                result |= _PARTS[step](at)
        result["warnings"] = at.warnings
    return Analysis(result, csv_file)


_PARTS: dict[str, Callable[[Study], dict[str, Any]]] = {
    "quality": lambda at: {"quality": quality.quality(at)},
    "funnels": lambda at: {
        "totals": funnels.totals(at),
        "segments": funnels.by_segment(at),
        "owners": funnels.by_owner(at),
    },
    "months": lambda at: {"monthly": pace.monthly(at), "velocity": pace.velocity(at)},
    "stale deals": stale.stale,
    "concentration": lambda at: {"concentration": concentration.concentration(at)},
    "anomalies": anomalies.anomalies,
}


def _basis(at: Study, source: str) -> dict[str, Any]:
    """What was read, what is analysed, and what is not: `rows_read` is the sum of the three counts."""
    rejected = len(at.deals.rejected)
    return {
        "analysed_count": at.deals.rows_read - rejected - at.left_out,
        "rejected_rows": rejected,
        "as_of": at.as_of.isoformat(),
        "source": {
            "name": source,
            "rows_read": at.deals.rows_read,
            "rows_of_other_clients": at.left_out,
            "columns": at.deals.columns_used,
        },
        "unknown_clients": at.unknown_clients,
    }
