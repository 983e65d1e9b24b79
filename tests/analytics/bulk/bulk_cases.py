"""Deals made to measure for the analyses."""

import csv
from datetime import date, timedelta
from typing import Any

from analytics import deals
from analytics.bulk import Analysis, analyse
from tests.analytics.deals.deal_files import crm

TODAY = date(2026, 10, 31)


def a_deal(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A won deal of 100 that took 20 days."""
    return {
        "deal": f"D-{number}",
        "client": "Elmwick Works",
        "owner": "Ines",
        "segment": "Retail",
        "product": "Loom",
        "stage": "Won",
        "amount": 100,
        "opened_on": "2026-01-01",
        "closed_on": "2026-01-21",
    } | changes


def several(count: int, start: int = 0, **changes: Any) -> list[dict[str, Any]]:
    return [a_deal(start + number, **changes) for number in range(count)]


def closed_after(days: int, **changes: Any) -> dict[str, Any]:
    """A won deal that took so many days."""
    return a_deal(closed_on=(date(2026, 1, 1) + timedelta(days=days)).isoformat()) | changes


def analysed(rows: list[dict[str, Any]], **options: Any) -> Analysis:
    return analyse(lambda: deals.read(rows), source="rows", today=TODAY, **options)


def crm_rows() -> list[dict[str, str]]:
    """The CRM file as Python's own csv module reads it."""
    with crm("sales_pipeline.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def crm_analysis() -> Analysis:
    return analyse(lambda: deals.read(crm("sales_pipeline.csv")), source="crm", today=TODAY)
