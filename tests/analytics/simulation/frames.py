"""Deals in the canonical frame, made to measure; and the real CRM file."""

import os
from pathlib import Path

import pandas as pd
import pytest

TODAY = pd.Timestamp("2026-03-31")
COLUMNS = ["deal", "client", "owner", "segment", "product", "stage", "outcome", "amount", "opened_on", "closed_on"]


def closed(
    outcome: str, times: int, *, cycles=(20, 30, 45, 70), amount=1_000.0, segment="North", product="Loom", stage=None
) -> pd.DataFrame:
    """`times` deals that ended over the year before today, their cycles (days) taken in turn."""
    ended = [TODAY - pd.Timedelta(days=1 + 7 * (i % 52)) for i in range(times)]
    began = [end - pd.Timedelta(days=cycles[i % len(cycles)]) for i, end in enumerate(ended)]
    return _frame(times, segment, product, stage or outcome.title(), outcome, amount, began, ended)


def opened(
    times: int, *, age=0, amount: float | list[float] = 1_000.0, segment="North", product="Loom", stage="Talks"
) -> pd.DataFrame:
    """`times` open deals that began `age` days before today."""
    return _frame(times, segment, product, stage, "open", amount, TODAY - pd.Timedelta(days=age), pd.NaT)


def deals(*parts: pd.DataFrame) -> pd.DataFrame:
    return pd.concat(parts, ignore_index=True)


def won_and_lost(wins: int, losses: int, **options) -> pd.DataFrame:
    return deals(closed("won", wins, **options), closed("lost", losses, **options))


def crm_folder() -> Path:
    """The CRM files, or a skip that says where they were looked for."""
    beside = Path(__file__).parents[4] / "shared" / "data"
    folder = Path(os.environ.get("CALLBOARD_TEST_DATA", beside)) / "crm"
    if not folder.is_dir():
        pytest.skip(f"The CRM files are not in {folder}: set CALLBOARD_TEST_DATA to the folder that holds crm/.")
    return folder


def _frame(times, segment, product, stage, outcome, amount, opened_on, closed_on) -> pd.DataFrame:
    frame = pd.DataFrame(index=range(times), columns=COLUMNS, dtype=object)
    frame = frame.assign(
        segment=pd.Series([segment] * times, dtype="str"),
        product=pd.Series([product] * times, dtype="str"),
        stage=pd.Series([stage] * times, dtype="str"),
        outcome=pd.Series([outcome] * times, dtype="str"),
        amount=amount,
        opened_on=opened_on,
        closed_on=closed_on,
    )
    return frame.astype({"amount": float, "opened_on": "datetime64[us]", "closed_on": "datetime64[us]"})
