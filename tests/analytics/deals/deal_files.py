"""Files of deals, made to measure; and the real CRM files."""

import os
from pathlib import Path
from typing import Any

import pytest

from analytics.deals import Deals, read

HEADER = "deal_id,account,owner,sector,product,stage,amount,opened,closed"


def crm(name: str) -> Path:
    """One of the CRM files, or a skip that says where it was looked for."""
    beside = Path(__file__).parents[4] / "shared" / "data"
    path = Path(os.environ.get("CALLBOARD_TEST_DATA", beside)) / "crm" / name
    if not path.is_file():
        pytest.skip(f"The CRM file {name} is not at {path.parent}: set CALLBOARD_TEST_DATA to the folder of test data.")
    return path


def deals_from(tmp_path: Path, content: str | bytes, **options: Any) -> Deals:
    """What reading a file with this content gives."""
    path = tmp_path / "deals.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read(path, **options)


def table(*rows: str, header: str = HEADER) -> str:
    return "\n".join((header, *rows)) + "\n"


def checks(deals: Deals) -> dict[str, int]:
    """How often each check found something."""
    found: dict[str, int] = {}
    for issue in deals.issues:
        found[issue.check] = found.get(issue.check, 0) + issue.count
    return found


def accounts_for_every_row(deals: Deals) -> bool:
    return deals.rows_read == len(deals.frame) + len(deals.rejected)
