"""Whatever the rows, an analysis ends with an account of all of them, in JSON, below the limit of a result."""

import json
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.errors import BadData
from tests.analytics.bulk.bulk_cases import analysed, closed_after, several
from tests.support import examples

texts = st.sampled_from(["", "A", "a", "Bêta & Co", "=1+1", "null", "\x00", "O'Brien"]) | st.text(max_size=5)
cells = {
    "deal": texts,
    "client": texts,
    "owner": texts,
    "segment": texts,
    "product": texts,
    "stage": st.sampled_from(["Won", "Lost", "Proposal", "Purgatory", "", "6 - Closed Won"]),
    "amount": st.sampled_from(["", "1,234.50", "(5)", "$1k", "abc", "0"]) | st.floats() | st.integers() | st.none(),
    "opened_on": st.sampled_from(["", "2026-02-30", "soon"]) | st.dates().map(date.isoformat),
    "closed_on": st.sampled_from(["", "2026-13-01"]) | st.dates().map(date.isoformat),
}


@settings(max_examples=examples(120, share=10))
@given(st.lists(st.fixed_dictionaries(cells), min_size=1, max_size=12))
def test_any_rows_are_analysed_or_accounted_for(rows: list[dict]) -> None:
    if not any(row["stage"] for row in rows):
        with pytest.raises(BadData, match="No row can be used"):
            analysed(rows)
        return
    result = analysed(rows).result
    assert result["source"]["rows_read"] == len(rows) == result["analysed_count"] + result["rejected_rows"]
    totals = result["totals"]
    assert totals["deals"] == totals["won"] + totals["lost"] + totals["open"] == result["analysed_count"]
    for part in ("segments", "owners"):
        assert sum(group["deals"] for group in result[part]) == totals["deals"]
    json.dumps(result, allow_nan=False)


def test_the_largest_result_stays_below_its_limit() -> None:
    """Every table full, every name cut from 200 letters of three bytes."""
    closed = [closed_after(20 + n % 5, deal=f"C{n}", amount=100 + n % 3) for n in range(1000)]
    odd = [closed_after(900, deal=f"O{n}", amount=10**9) for n in range(200)]
    waiting = several(1500, 2000, stage="Proposal", opened_on="1990-01-01", closed_on=None)
    rows = [
        row | dict.fromkeys(("client", "owner", "segment"), f"{n:04}" + "語" * 200)
        for n, row in enumerate(closed + odd + waiting)
    ]
    result = analysed([row | {"deal": row["deal"] + "号" * 200} for row in rows]).result
    lengths = [len(result[part]) for part in ("per_client", "stale", "anomalies", "segments", "owners", "monthly")]
    assert lengths == [500, 200, 100, 200, 200, 120]
    assert len(json.dumps(result, ensure_ascii=False).encode()) < 1024 * 1024
