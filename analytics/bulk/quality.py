"""What is wrong with the data, as the reader and the analysis found it."""

from dataclasses import asdict
from typing import Any

from analytics.bulk.study import Study
from analytics.deals import Issue
from analytics.deals.model import several

_LATER = "opened_on > $as_of OR closed_on > $as_of"


def quality(study: Study) -> dict[str, Any]:
    """The issues of reading, and dates beyond the day of the analysis; errors first."""
    issues = [*study.deals.issues, *_later(study)]
    order = ("error", "warning", "info")
    return {"issues": [asdict(issue) for issue in sorted(issues, key=lambda issue: order.index(issue.severity))]}


def _later(study: Study) -> list[Issue]:
    as_of = {"as_of": study.as_of}
    rows = study.rows(f"SELECT deal FROM deals WHERE {_LATER} ORDER BY deal LIMIT 5", as_of)  # noqa: S608 - constant
    if not rows:
        return []
    count = study.row(f"SELECT count(*) AS deals FROM deals WHERE {_LATER}", as_of)["deals"]  # noqa: S608 - constant
    sentence = f"{several(count, 'deal')} dated after {study.as_of}, the day of the analysis; counted as they stand."
    return [Issue("later_than_as_of", "warning", count, "reported", sentence, [row["deal"] for row in rows])]
