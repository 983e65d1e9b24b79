"""The analysis of the real CRM file against the same numbers worked out by Python's csv module alone."""

import json
from collections import Counter, defaultdict
from datetime import date, datetime
from statistics import median

import pytest

from analytics.bulk import Analysis
from tests.analytics.bulk.bulk_cases import crm_analysis, crm_rows


@pytest.fixture(scope="module")
def analysis() -> Analysis:
    return crm_analysis()


@pytest.fixture(scope="module")
def result(analysis: Analysis) -> dict:
    return analysis.result


@pytest.fixture(scope="module")
def rows() -> list[dict]:
    return [
        row
        | {
            "value": int(row["close_value"]),
            "opened": day(row["engage_date"]),
            "closed": day(row["close_date"]),
        }
        for row in crm_rows()
    ]


def day(text: str) -> date:
    return datetime.strptime(text, "%m/%d/%Y").date()  # noqa: DTZ007 - a calendar day


def test_totals_are_exact(result: dict, rows: list[dict]) -> None:
    won = [row for row in rows if row["deal_stage"] == "Won"]
    totals = result["totals"]
    assert result["analysed_count"] == result["source"]["rows_read"] == len(rows) == 6711
    assert result["rejected_rows"] == 0
    assert (totals["won"], totals["lost"], totals["open"]) == (len(won), len(rows) - len(won), 0)
    assert totals["won_amount"] == sum(row["value"] for row in won) == 10_005_534
    assert totals["average_won_amount"] == pytest.approx(totals["won_amount"] / len(won), rel=1e-12)
    assert totals["win_rate"] == len(won) / len(rows)
    assert totals["median_cycle_days"] == median((row["closed"] - row["opened"]).days for row in won)


@pytest.mark.parametrize(
    ("part", "key", "column"), [("segments", "segment", "product"), ("owners", "owner", "sales_agent")]
)
def test_every_group_is_exact(result: dict, rows: list[dict], part: str, key: str, column: str) -> None:
    counts = Counter((row[column], row["deal_stage"]) for row in rows)
    values: Counter[str] = Counter()
    for row in rows:
        values[row[column]] += row["value"] if row["deal_stage"] == "Won" else 0
    assert {group[key] for group in result[part]} == set(values)
    for group in result[part]:
        won, lost = counts[group[key], "Won"], counts[group[key], "Lost"]
        assert (group["won"], group["lost"], group["won_amount"]) == (won, lost, values[group[key]])
        assert group["win_rate"] == won / (won + lost)
        assert group["win_rate_low"] < group["win_rate"] < group["win_rate_high"]
    amounts = [group["won_amount"] for group in result[part]]
    assert amounts == sorted(amounts, reverse=True)


def test_months_are_exact_and_without_gaps(result: dict, rows: list[dict]) -> None:
    opened = Counter(f"{row['opened']:%Y-%m}" for row in rows)
    won = Counter(f"{row['closed']:%Y-%m}" for row in rows if row["deal_stage"] == "Won")
    lost = Counter(f"{row['closed']:%Y-%m}" for row in rows if row["deal_stage"] == "Lost")
    assert [month["month"] for month in result["monthly"]] == sorted(set(opened) | set(won) | set(lost))
    for month in result["monthly"]:
        name = month["month"]
        assert (month["opened"], month["won"], month["lost"]) == (opened[name], won[name], lost[name])
    assert sum(month["won_amount"] for month in result["monthly"]) == 10_005_534


def test_concentration_is_exact(result: dict, rows: list[dict]) -> None:
    amounts: defaultdict[str, int] = defaultdict(int)
    for row in rows:
        amounts[row["account"]] += row["value"]
    ranked = sorted(amounts.values(), reverse=True)
    found = result["concentration"]
    assert found["top10_share"] == pytest.approx(sum(ranked[:10]) / sum(ranked), rel=1e-12)
    assert found["hhi"] == pytest.approx(sum((value / sum(ranked)) ** 2 for value in ranked), rel=1e-12)
    assert [client["won_amount"] for client in found["clients"]] == ranked
    assert found["clients"][-1]["cumulative_share"] == pytest.approx(1)


def test_pace_is_that_of_the_year_before_the_last_day(result: dict, rows: list[dict]) -> None:
    last = max(row["closed"] for row in rows)
    assert result["as_of"] == last.isoformat()
    recent = [r for r in rows if (last - r["closed"]).days < 365 and r["deal_stage"] == "Won"]
    assert result["velocity"]["won_per_month"] == pytest.approx(len(recent) / 365 * 365.25 / 12)
    assert result["velocity"]["amount_per_day"] == pytest.approx(sum(row["value"] for row in recent) / 365)
    assert result["velocity"]["pipeline_amount_per_day"] is None


def test_clients_add_up_to_the_totals(result: dict) -> None:
    clients, totals = result["per_client"], result["totals"]
    for name in ("deals", "won", "lost", "open", "won_amount", "open_amount"):
        assert sum(client[name] for client in clients) == totals[name]


def test_the_file_holds_what_the_table_holds(analysis: Analysis) -> None:
    lines = analysis.per_client_csv.decode("utf-8-sig").splitlines()
    assert len(lines) == 1 + 85
    assert lines[0].startswith("client,segment,deals,won,lost,open,won_amount")
    assert lines[1].startswith("Kan-code,GTX Basic,187,115,72,0,341455.0,")


def test_what_had_to_be_assumed_is_said(result: dict) -> None:
    assert result["warnings"] == [
        "There is no column for segment, so products serve as segments.",
        "There are no open deals, so the analysis is as of the latest date in the data, 2017-12-31.",
    ]
    assert (result["engine"], result["engine_kind"]) == ("local:duckdb-deals@1", "local")


def test_findings_carry_the_numbers(result: dict) -> None:
    said = "\n".join(result["findings"])
    assert "4,238 of 6,711 closed deals were won, 63.2% (95% interval 62.0% to 64.3%), for 10,005,534 in all." in said
    assert "The ten largest of 85 clients bring 20.7% of the won amount" in said
    assert "brought 2,802,496, 6.0% less than the three before (2,982,255)" in said


def test_the_same_data_gives_the_same_result(result: dict) -> None:
    again = crm_analysis().result
    assert json.dumps(again, allow_nan=False) == json.dumps(result, allow_nan=False)
