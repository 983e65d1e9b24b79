"""A period simulated from closed deals alone."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analytics import deals as reader
from analytics.errors import BadData
from analytics.simulation import arrivals, snapshot
from analytics.simulation.scenario import Scenario
from analytics.simulation.simulate import simulate
from tests.analytics.simulation.frames import closed, crm_folder, deals, won_and_lost


@pytest.fixture(scope="module")
def crm() -> pd.DataFrame:
    return reader.read(crm_folder() / "sales_pipeline.csv", lookup_path=crm_folder() / "products.csv").frame


def test_the_mean_is_the_closed_form():
    cycles, horizon = (10, 25, 40, 90), 60
    frame = won_and_lost(520, 520, cycles=cycles, amount=100.0)
    pace = arrivals.pace(snapshot.take(frame).closed, ["North"])
    row = simulate(frame, [], horizon_days=horizon, correlation=0, iterations=10_000)["rows"][0]

    shape, _, scale = stats.gamma.fit(cycles, floc=0)
    days = np.linspace(0, horizon, 20_001)
    in_time = np.trapezoid(stats.gamma(shape, scale=scale).cdf(days), days) / horizon
    expected = (pace.counts[0] + 0.5) / pace.days * horizon * 0.5 * in_time * 100
    assert abs(row["mean"] - expected) < 4 * row["se"]
    assert row["se"] < expected / 100


def test_the_spread_of_independent_arrivals_is_at_least_that_of_a_poisson_process():
    frame = won_and_lost(2_600, 2_600, amount=1.0)
    row = simulate(frame, [], horizon_days=30, correlation=0, iterations=10_000)["rows"][0]
    assert np.sqrt(row["mean"]) < row["sd"] < 1.2 * np.sqrt(row["mean"])


def test_the_pace_leaves_out_days_for_which_the_history_is_incomplete():
    """Ten deals open every day of 2025, each for 20 to 60 days; the file holds those closed from April to September."""
    began = pd.Series(pd.date_range("2025-01-01", "2025-12-31")).repeat(10).reset_index(drop=True)
    ended = began + pd.to_timedelta(np.arange(len(began)) % 41 + 20, unit="D")
    frame = closed("won", len(began)).assign(opened_on=began, closed_on=ended)
    taken = snapshot.take(frame[ended.between("2025-04-01", "2025-09-30")])
    pace = arrivals.pace(taken.closed, ["North"])
    assert pace.counted == "opened_on"
    assert pace.counts[0] / pace.days == pytest.approx(10, rel=0.02)
    naive = len(taken.closed) / (taken.closed["opened_on"].max() - taken.closed["opened_on"].min()).days
    assert naive < 9


def test_closings_are_counted_where_cycles_leave_too_few_complete_days():
    frame = won_and_lost(100, 100, cycles=(340, 350, 360))
    pace = arrivals.pace(snapshot.take(frame).closed, ["North"])
    assert pace.counted == "closed_on"
    assert pace.counts[0] / pace.days == pytest.approx(200 / 358)


def test_too_short_a_history_is_refused_with_a_sentence():
    with pytest.raises(BadData, match="only 9 closed ones with both dates: at least 10 are needed"):
        simulate(closed("won", 9))


def test_the_crm_file_is_simulated_at_its_own_pace_and_says_so(crm):
    result = simulate(crm, iterations=400, target=1_500_000)
    assert result["basis"] == "next period at the historical arrival rate"
    assert result["as_of"] == "2017-12-31"
    assert 1_900 < result["deals_simulated"] < 2_020  # 6,711 deals closed in 306 days: 1,974 in 90
    assert result["drivers"][0]["segment"] == "GTX Pro"
    said = " ".join(result["warnings"])
    assert "There is no open deal in the data" in said
    assert "products stand in" in said
    assert "90 days of the history brought in 2,942,804" in said
    assert any("in progress today" in limit for limit in result["limits"])
    base = result["rows"][0]
    assert 1_450_000 < base["mean"] < 1_700_000
    assert 0 < base["p_target"] < 1


def test_differences_in_the_crm_file_are_more_certain_than_its_totals(crm):
    rows = simulate(crm, iterations=400)["rows"]
    assert all(row["delta_se"] < rows[0]["se"] / 3 for row in rows[1:])


def test_a_dropped_product_of_the_crm_file_is_missing_from_the_mean(crm):
    result = simulate(crm, [Scenario(name="without GTX Pro", drop_segments=["GTX Pro"])], iterations=400)
    base, without = result["rows"]
    assert without["mean"] == pytest.approx(base["mean"] - result["drivers"][0]["mean"])


@pytest.mark.parametrize("day", [date(2017, 6, 30), date(2017, 7, 31), date(2017, 8, 31), date(2017, 9, 30)])
def test_what_the_crm_file_really_brought_in_lies_within_the_simulated_spread(crm, day):
    """Rewound to `day`: the deals open then, of which the file knows how they ended."""
    result = simulate(crm, [], as_of=day, iterations=2_000, target=None)
    start, end = pd.Timestamp(day), pd.Timestamp(day) + pd.Timedelta(days=90)
    ended = crm[crm["opened_on"].le(start) & crm["closed_on"].gt(start) & crm["closed_on"].le(end)]
    brought = ended.loc[ended["outcome"].eq("won"), "amount"].sum()
    row = result["rows"][0]
    assert result["basis"] == "open pipeline"
    assert abs(brought - row["mean"]) < 2 * row["sd"]


def test_few_deals_and_a_short_horizon_still_give_numbers():
    result = simulate(deals(closed("won", 10)), horizon_days=1, iterations=200)
    assert result["deals_simulated"] == 1
    assert result["rows"][0]["mean"] >= 0


def test_a_pace_learnt_from_few_deals_is_itself_uncertain():
    """Poisson alone would give √mean; two years at a pace learnt in one add twice the mean to the variance."""
    row = simulate(closed("won", 400, cycles=(3,), amount=1.0), [], horizon_days=730, correlation=0)["rows"][0]
    assert row["sd"] == pytest.approx(np.sqrt(3 * row["mean"]), rel=0.05)
