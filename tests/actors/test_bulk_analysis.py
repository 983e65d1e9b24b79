"""The bulk analysis as a task: from stored files and inline rows to a result that holds its contract."""

import hashlib
import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from actors.bulk_analysis import bulk_analysis
from analytics.bulk import STEPS
from analytics.source import Data
from runtime import GiveUp
from runtime.errors import Cancelled
from runtime.testing import FakeRun
from services import catalog
from services.errors import InvalidInput
from tests.analytics.deals.deal_files import crm

SAMPLES = Path(__file__).parents[2] / "samples"
RESULT = {
    "engine", "engine_kind", "warnings", "limits", "analysed_count", "rejected_rows", "as_of", "source", "totals",
    "quality", "segments", "owners", "monthly", "velocity", "stale", "stale_total", "concentration", "anomalies",
    "anomalies_total", "per_client", "unknown_clients", "findings", "artifacts",
}  # fmt: skip
ROWS = [{"deal": "1", "client": "A", "stage": "Won", "amount": 5, "opened_on": "2026-01-01", "closed_on": "2026-02-01"}]


def test_stored_files_give_a_result_and_a_file_that_hold_their_contract() -> None:
    run = FakeRun(artifacts={1: crm("sales_pipeline.csv"), 2: crm("products.csv")})
    result = bulk_analysis.body(run, data=Data(artifact=1, lookup=2))
    assert set(result) == RESULT
    assert result["source"]["name"] == "stored file 1"
    assert result["analysed_count"] == 6711
    assert [issue["check"] for issue in result["quality"]["issues"]] == ["product_spelling", "no_number"]
    json.dumps(result, allow_nan=False)
    [file], [kept] = run.artifacts, result["artifacts"]
    assert (kept["name"], kept["media_type"], kept["size"]) == ("per_client.csv", "text/csv", len(file.data))
    assert kept["sha256"] == hashlib.sha256(file.data).hexdigest()
    assert kept["url"] == f"/api/artifacts/{kept['id']}"


def test_every_step_is_shown_by_name() -> None:
    run = FakeRun()
    bulk_analysis.body(run, data=Data(rows=ROWS))
    assert tuple(seen["note"] for seen in run.progress_seen)[: len(STEPS)] == STEPS
    assert run.progress_seen[-1]["percent"] == 100
    assert [line["message"] for line in run.logs] == ["deals analysed: 1; rows rejected: 0"]


@pytest.mark.parametrize("passed", range(len(STEPS)))
def test_a_cancellation_takes_effect_at_the_next_step(passed: int) -> None:
    run = FakeRun(interrupt_after=passed)
    with pytest.raises(Cancelled):
        bulk_analysis.body(run, data=Data(rows=ROWS))
    assert len(run.progress_seen) == passed
    assert not run.artifacts


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        ({"data": Data(rows=[{"stage": "Won"}])}, "No column was recognised as amount"),
        ({"data": Data(rows=ROWS), "client_ids": ["B"]}, "No client asked for is in the data: 'B'"),
        ({"data": Data(artifact=1)}, "There is no file"),
    ],
)
def test_data_that_cannot_be_used_is_given_up_with_a_sentence(payload: dict, sentence: str, tmp_path) -> None:
    with pytest.raises(GiveUp, match=sentence):
        bulk_analysis.body(FakeRun(artifacts={1: tmp_path / "gone.csv"}), **payload)


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ({}, "data"),
        ({"data": {"rows": ROWS, "artifact": 1}}, "data"),
        ({"data": {"rows": ROWS}, "client_ids": [" "]}, "client_ids"),
        ({"data": {"rows": ROWS}, "as_of": "yesterday"}, "as_of"),
        ({"data": {"rows": ROWS}, "colour": "red"}, "colour"),
    ],
)
def test_a_payload_that_cannot_be_meant_is_refused_when_it_is_enqueued(payload: dict, field: str) -> None:
    with pytest.raises(InvalidInput, match=field):
        bulk_analysis.enqueue(**payload)


def test_the_samples_tell_the_story_they_were_made_for() -> None:
    run = FakeRun(artifacts={1: SAMPLES / "deals.csv", 2: SAMPLES / "products.csv"})
    result = bulk_analysis.body(run, data=Data(artifact=1, lookup=2), as_of=date(2026, 10, 31))
    found = {issue["check"]: issue["count"] for issue in result["quality"]["issues"]}
    assert (result["source"]["rows_read"], result["rejected_rows"], result["totals"]["open"]) == (2000, 2, 464)
    assert found == {"rejected_rows": 1, "won_without_amount": 6, "product_spelling": 40}
    assert [len(result[part]) for part in ("segments", "owners", "monthly")] == [8, 12, 24]
    assert len({row["product"] for row in result["anomalies"]}) > 1
    said = "\n".join(result["findings"])
    assert "Win rates differ between segments: Healthcare wins 67.7%" in said
    assert "of 464 open deals are stale" in said
    assert result["warnings"] == []


def test_the_samples_are_made_by_their_script(tmp_path) -> None:
    subprocess.run([sys.executable, SAMPLES / "make_deals.py", tmp_path], check=True)
    for name in ("deals.csv", "products.csv"):
        assert (tmp_path / name).read_bytes() == (SAMPLES / name).read_bytes()


def test_the_actor_is_isolated_and_light() -> None:
    assert catalog.local()["bulk_analysis"].isolated
    heavy = "{'pandas', 'numpy', 'duckdb', 'pyarrow'} & set(sys.modules)"
    code = f"import sys, actors.bulk_analysis, analytics.source; print({heavy} or 'light')"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=SAMPLES.parent)
    assert told.stdout.strip() == "light"
