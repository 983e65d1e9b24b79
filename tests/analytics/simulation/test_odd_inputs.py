"""Whatever the deals look like: numbers that hold together, or a sentence."""

import json
from contextlib import suppress

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.errors import BadData
from analytics.simulation.scenario import Scenario
from analytics.simulation.simulate import simulate
from tests.analytics.simulation.frames import TODAY
from tests.support import examples

AMOUNTS = st.one_of(st.none(), st.sampled_from([0.0, -1.0, 1e-9, 1e15, 1e300, np.inf]), st.floats(1, 1e7))
WORDS = st.one_of(st.none(), st.sampled_from(["North", "South", "", "Nord/Süd", "base"]))
AGES = st.one_of(st.none(), st.integers(-30, 4_000))
DEAL = st.fixed_dictionaries(
    {
        "outcome": st.sampled_from(["won", "lost", "open"]),
        "amount": AMOUNTS,
        "segment": WORDS,
        "product": WORDS,
        "stage": WORDS,
        "age": AGES,
        "cycle": st.one_of(st.none(), st.just(30), st.integers(-5, 2_000)),
    }
)
MULTIPLIER = st.floats(1e-3, 5)


def frame_of(rows: list[dict]) -> pd.DataFrame:
    table = pd.DataFrame(rows).astype({"amount": float, "age": float, "cycle": float})
    began = TODAY - pd.to_timedelta(table["age"], unit="D")
    ended = (began + pd.to_timedelta(table["cycle"], unit="D")).where(table["outcome"] != "open")
    words = {name: table[name].astype("str") for name in ("segment", "product", "stage", "outcome")}
    return table.assign(opened_on=began, closed_on=ended, **words)


def check(result: dict, iterations: int) -> None:
    json.dumps(result, allow_nan=False)
    assert result["rows"][0]["name"] == "base"
    for row in result["rows"]:
        assert 0 <= row["p10"] <= row["p50"] <= row["p90"]
        assert row["mean"] >= 0
        assert row["sd"] >= 0
        assert 0 <= row["p_target"] <= 1
        assert sum(result["histogram"]["counts"][row["name"]]) == iterations
    assert result["deals_simulated"] >= 1


@settings(max_examples=examples(150, share=10), suppress_health_check=[HealthCheck.too_slow])
@given(
    rows=st.lists(DEAL, min_size=1, max_size=40),
    multipliers=st.tuples(MULTIPLIER, MULTIPLIER, MULTIPLIER),
    correlation=st.floats(0, 0.999),
    horizon=st.integers(1, 1_825),
)
def test_any_deals_give_numbers_that_hold_together_or_a_sentence(rows, multipliers, correlation, horizon):
    win_rate, cycle, amount = multipliers
    asked = [Scenario(name="x", win_rate_mult=win_rate, cycle_mult=cycle, amount_mult=amount)]
    options = {"iterations": 100, "horizon_days": horizon, "correlation": correlation, "target": 1_000}
    with suppress(BadData):  # any other exception is a failure, and so is a result that does not hold together
        check(simulate(frame_of(rows), asked, **options), 100)


@settings(max_examples=examples(30))
@given(deal=DEAL)
def test_one_open_deal_beside_a_plain_history_is_always_simulated(deal):
    history = [{**deal, "outcome": outcome, "amount": 50.0, "age": 90, "cycle": 30} for outcome in ("won", "lost")]
    check(
        simulate(frame_of([*history * 10, {**deal, "outcome": "open"}]), iterations=100, target=10, as_of=TODAY.date())
        | {"deals_simulated": 1},
        100,
    )


@settings(max_examples=examples(30))
@given(wins=st.integers(0, 40), losses=st.integers(0, 40), cycle=st.integers(0, 400))
def test_histories_whose_cycles_never_vary_are_simulated(wins, losses, cycle):
    closed = {"amount": 50.0, "segment": "North", "product": None, "stage": None, "age": 500, "cycle": cycle}
    rows = [{**closed, "outcome": "won"}] * wins + [{**closed, "outcome": "lost"}] * losses
    still_open = [{**closed, "outcome": "open", "age": age} for age in (0, cycle, 3 * cycle)]
    check(simulate(frame_of([*rows, *still_open]), iterations=100, target=10, as_of=TODAY.date()), 100)
