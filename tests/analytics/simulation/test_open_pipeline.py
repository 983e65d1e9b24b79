"""Open deals: what theory says must come out."""

import numpy as np
import pytest
from scipy import stats

from analytics.simulation.scenario import Scenario
from analytics.simulation.simulate import simulate
from tests.analytics.simulation.frames import closed, deals, opened, won_and_lost

SURE_TO_CLOSE = {"horizon_days": 1_825, "scenarios": []}


def posterior(wins: int, losses: int, pull: float = 20.0) -> float:
    """One segment: its rate leans on an overall rate that comes from the same deals."""
    overall = (wins + 1) / (wins + losses + 2)
    return (pull * overall + wins) / (pull + wins + losses)


def base(frame, **options) -> dict:
    return simulate(frame, **{"scenarios": [], "iterations": 4_000} | options)["rows"][0]


def test_the_mean_is_the_closed_form_for_independent_deals():
    cycles, ages, amounts = (10, 25, 40, 90), (0, 15, 60), (500.0, 2_000.0, 9_000.0)
    history = won_and_lost(60, 40, cycles=cycles)
    pipeline = [opened(40, age=age, amount=amount) for age, amount in zip(ages, amounts, strict=True)]
    row = base(deals(history, *pipeline), correlation=0, horizon_days=45, iterations=20_000)

    shape, _, scale = stats.gamma.fit(cycles, floc=0)
    curve = stats.gamma(shape, scale=scale)
    in_time = [(curve.cdf(age + 45) - curve.cdf(age)) / curve.sf(age) for age in ages]
    expected = posterior(60, 40) * sum(40 * a * q for a, q in zip(amounts, in_time, strict=True))
    assert abs(row["mean"] - expected) < 4 * row["se"]
    assert row["se"] < expected / 100


def test_the_spread_is_the_closed_form_for_independent_deals_and_a_long_history():
    history = deals(closed("won", 9_000), closed("lost", 6_000))
    row = base(deals(history, opened(100, amount=10.0)), correlation=0, iterations=20_000, **SURE_TO_CLOSE)
    assert row["sd"] == pytest.approx(10 * np.sqrt(100 * 0.6 * 0.4), rel=0.02)


def test_two_deals_are_won_together_as_often_as_the_gaussian_copula_says():
    history = deals(closed("won", 4_000), closed("lost", 4_000))
    row = base(deals(history, opened(2)), correlation=0.6, target=2_000, iterations=20_000, **SURE_TO_CLOSE)
    both = stats.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]]).cdf([0, 0])
    assert abs(row["p_target"] - both) < 4 * row["p_target_se"]


def test_correlation_widens_the_spread_and_leaves_the_mean():
    frame = deals(won_and_lost(300, 300), opened(50))
    apart, together = (base(frame, correlation=rho, iterations=10_000) for rho in (0, 0.5))
    assert together["sd"] > 2 * apart["sd"]
    assert abs(together["mean"] - apart["mean"]) < 4 * np.hypot(apart["se"], together["se"])


def test_uncertainty_of_a_short_history_widens_the_spread():
    short = base(deals(won_and_lost(4, 4), opened(50)), correlation=0)
    long = base(deals(won_and_lost(400, 400), opened(50)), correlation=0)
    assert short["sd"] > 1.5 * long["sd"]


def test_a_longer_horizon_never_brings_in_less_for_the_same_seed():
    frame = deals(won_and_lost(60, 40), opened(30, age=10), opened(30, age=200))
    means = [base(frame, horizon_days=days)["mean"] for days in (1, 7, 30, 90, 365)]
    assert means == sorted(means)
    assert means[0] < means[-1]


def test_almost_no_time_brings_in_almost_nothing():
    frame = deals(won_and_lost(60, 40, cycles=(30, 40, 50)), opened(30))
    assert base(frame, horizon_days=1e-3)["mean"] == 0
    assert base(frame, horizon_days=1)["mean"] < 0.001 * base(frame, horizon_days=365)["mean"]


def test_multipliers_of_one_equal_the_base_exactly():
    frame = deals(won_and_lost(60, 40), opened(20), opened(5, amount=np.nan))
    first, same = simulate(frame, [Scenario(name="the same")], iterations=500)["rows"]
    assert same | {"name": "base"} == first
    assert same["delta_vs_base"] == same["delta_se"] == 0


def test_shared_luck_makes_differences_far_more_certain_than_separate_runs():
    frame = deals(won_and_lost(60, 40), opened(100))
    rows = simulate(frame, iterations=4_000)["rows"]
    for row in rows[1:]:
        separate = np.hypot(rows[0]["se"], row["se"])
        assert 0 < row["delta_se"] < separate / 3, row["name"]


def test_each_multiplier_moves_the_mean_its_own_way():
    frame = deals(won_and_lost(60, 40), opened(100))
    asked = [
        Scenario(name="better", win_rate_mult=1.2),
        Scenario(name="slower", cycle_mult=2),
        Scenario(name="dearer", amount_mult=1.5),
    ]
    first, better, slower, dearer = simulate(frame, asked, iterations=8_000)["rows"]
    assert better["mean"] == pytest.approx(1.2 * first["mean"], rel=0.02)
    assert slower["mean"] < first["mean"] - 10 * slower["delta_se"]
    assert dearer["mean"] == pytest.approx(1.5 * first["mean"])
    assert dearer["deals_won_mean"] == first["deals_won_mean"]


def test_a_dropped_segment_brings_in_nothing_and_the_others_what_they_did():
    frame = deals(won_and_lost(60, 40), won_and_lost(60, 40, segment="South"), opened(20), opened(20, segment="South"))
    result = simulate(frame, [Scenario(name="north only", drop_segments=["South"])], iterations=1_000)
    north = next(one for one in result["drivers"] if one["segment"] == "North")
    assert result["rows"][1]["mean"] == pytest.approx(north["mean"])


def test_no_multiplier_lifts_a_chance_above_its_ceiling_and_the_result_says_so():
    frame = deals(won_and_lost(90, 10), opened(200, amount=1.0))
    result = simulate(frame, [Scenario(name="wishful", win_rate_mult=5)], iterations=2_000, horizon_days=1_825)
    assert result["rows"][1]["mean"] == pytest.approx(200 * 0.99, rel=0.002)
    assert any("wishful" in warning and "99%" in warning for warning in result["warnings"])


def test_missing_amounts_are_drawn_from_won_deals_of_the_same_product():
    history = deals(
        closed("won", 50, amount=10.0, product="Ribbon"),
        closed("won", 50, amount=10_000.0, product="Loom"),
        closed("lost", 100, amount=0.0),
    )
    row = base(deals(history, opened(10, amount=np.nan, product="Ribbon")), **SURE_TO_CLOSE)
    assert row["mean"] == pytest.approx(10 * row["deals_won_mean"])


def test_deals_older_than_all_history_are_named():
    result = simulate(deals(won_and_lost(60, 40), opened(3), opened(1, age=900)), iterations=100)
    assert any("1 open deal, 25% of the known open amount" in warning for warning in result["warnings"])
