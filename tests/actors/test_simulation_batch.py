"""The simulation as a task: from stored files and inline rows to a result that holds its contract."""

import json
import re
import subprocess
import sys
from datetime import date, timedelta

import pytest

from actors.simulation_batch import simulation_batch
from analytics.simulation.scenario import DEFAULTS, Scenario
from analytics.source import Data
from runtime import GiveUp
from runtime.errors import Cancelled
from runtime.testing import FakeRun
from services.errors import InvalidInput
from tests.analytics.simulation.frames import crm_folder

RESULT = {
    "engine", "engine_kind", "warnings", "limits", "scenarios_run", "seed", "iterations", "horizon_days", "as_of",
    "target", "correlation", "basis", "deals_simulated", "rows", "histogram", "drivers",
}  # fmt: skip
ROW = {
    "name", "win_rate_mult", "cycle_mult", "amount_mult", "mean", "se", "sd", "p10", "p50", "p90", "p_target",
    "p_target_se", "delta_vs_base", "delta_se", "deals_won_mean",
}  # fmt: skip


def rows(outcome: str, times: int) -> list[dict]:
    """Deals as a sender writes them: ISO dates, an amount, a stage that tells the outcome."""
    began = [date(2026, 1, 1) + timedelta(days=i % 28) for i in range(times)]
    return [
        {
            "deal": f"{outcome}-{i}",
            "segment": "North" if i % 2 else "South",
            "stage": outcome,
            "amount": 1_000 + i,
            "opened_on": day.isoformat(),
            "closed_on": None if outcome == "Negotiation" else (day + timedelta(days=20 + i % 30)).isoformat(),
        }
        for i, day in enumerate(began)
    ]


def inline() -> Data:
    return Data(rows=rows("Won", 30) + rows("Lost", 20) + rows("Negotiation", 12))


def run_body(run: FakeRun, data: Data, **options) -> dict:
    return simulation_batch.body(run, data, **{"iterations": 1_000} | options)


def test_inline_rows_give_a_result_that_holds_its_contract():
    run = FakeRun()
    result = run_body(run, inline(), target=5_000.0)
    assert set(result) == RESULT
    assert all(set(row) == ROW for row in result["rows"])
    assert (result["engine"], result["engine_kind"]) == ("local:monte-carlo-pipeline@1", "local")
    assert (result["basis"], result["deals_simulated"]) == ("open pipeline", 12)
    assert [row["name"] for row in result["rows"]] == [
        "base", "win rate +10 %", "slower cycle +25 %", "smaller deals −10 %"
    ]  # fmt: skip
    assert len(json.dumps(result, allow_nan=False)) < 20_000
    assert len(run.progress_seen) > 4


def test_the_crm_file_is_simulated_from_its_history():
    files = {1: crm_folder() / "sales_pipeline.csv", 2: crm_folder() / "products.csv"}
    result = run_body(FakeRun(artifacts=files), Data(artifact=1, lookup=2), iterations=200)
    assert result["basis"] == "next period at the historical arrival rate"
    assert result["as_of"] == "2017-12-31"
    assert any("There is no open deal" in warning for warning in result["warnings"])
    assert result["rows"][0]["mean"] > 1_000_000


def test_what_reading_found_wrong_is_among_the_warnings_and_what_does_not_matter_here_is_not():
    odd = [rows("Won", 1)[0] | change for change in ({"closed_on": "soon"}, {"stage": None}, {"stage": "Mulling"})]
    result = run_body(FakeRun(), Data(rows=[*inline().rows, *odd]))
    said = " ".join(result["warnings"])
    assert "closing date that is no date" in said
    assert "no stage" in said
    assert "counted as open" in said
    assert "no column for" not in said
    assert result["deals_simulated"] == 13


def test_a_cancellation_takes_effect_at_the_next_batch():
    run = FakeRun(interrupt_after=4)
    with pytest.raises(Cancelled):
        run_body(run, inline(), iterations=500_000)
    assert len(run.progress_seen) == 4


def test_the_defaults_make_a_payload():
    payload = simulation_batch.type.payload({"data": {"artifact": 1}})
    assert (payload["iterations"], payload["horizon_days"], payload["seed"]) == (10_000, 90, 1)
    assert [one["name"] for one in payload["scenarios"]] == [one.name for one in DEFAULTS]
    assert simulation_batch.type.payload(payload) == payload


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"iterations": 99}, "iterations.*100"),
        ({"iterations": 1_000_001}, "iterations.*1000000"),
        ({"horizon_days": 0}, "horizon_days.*1"),
        ({"horizon_days": 1_826}, "horizon_days.*1825"),
        ({"seed": -1}, "seed.*0"),
        ({"correlation": 1}, "correlation.*1"),
        ({"target": 0}, "target.*0"),
        ({"as_of": "yesterday"}, "as_of"),
        ({"data": {}}, "exactly one of artifact and rows"),
        ({"scenarios": [{"name": "a"}, {"name": "a"}]}, "'a' twice: give each scenario its own name"),
        ({"scenarios": [{"name": "base", "cycle_mult": 2}]}, "'base' is what the others are compared with"),
        ({"scenarios": [{"name": "a", "win_rate_mult": 6}]}, "win_rate_mult.*5"),
        ({"rho": 0.2}, "rho"),
    ],
)
def test_a_payload_that_cannot_be_is_refused_before_it_is_a_task(wrong, sentence):
    with pytest.raises(InvalidInput) as refused:
        simulation_batch.type.payload({"data": {"artifact": 1}} | wrong)
    assert re.search(sentence, str(refused.value)), str(refused.value)


@pytest.mark.parametrize(
    ("data", "options", "sentence"),
    [
        (Data(rows=rows("Won", 5)), {}, "only 5 closed ones with both dates"),
        (inline(), {"scenarios": [Scenario(name="x", drop_segments=["East"])]}, "drop_segments of 'x' names 'East'"),
        (
            inline(),
            {"iterations": 1_000_000, "scenarios": [Scenario(name=f"{i}") for i in range(15)]},
            "lower iterations",
        ),
        (Data(rows=[{"colour": "red"}]), {}, "stage"),
    ],
)
def test_what_cannot_be_simulated_is_given_up_with_a_sentence(data, options, sentence):
    with pytest.raises(GiveUp, match=sentence):
        run_body(FakeRun(), data, **options)


def test_importing_the_actor_loads_no_heavy_library():
    heavy = "{'numpy', 'pandas', 'scipy', 'duckdb'} & set(sys.modules)"
    code = f"import sys, actors.simulation_batch; sys.exit(str({heavy}) if {heavy} else 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
