"""From totals to what is shown."""

import numpy as np
import pytest

from analytics.simulation import summary
from analytics.simulation.simulate import simulate
from tests.analytics.simulation.frames import deals, opened, won_and_lost

FRAME = deals(
    won_and_lost(60, 40), won_and_lost(30, 60, segment="South"), opened(20), opened(9, segment="South", amount=5e5)
)


@pytest.fixture(scope="module")
def result() -> dict:
    return simulate(FRAME, iterations=3_000, target=1_000_000)


def test_each_scenarios_histogram_adds_up_to_its_iterations(result):
    shown = result["histogram"]
    assert set(shown["counts"]) == {row["name"] for row in result["rows"]}
    for counts in shown["counts"].values():
        assert sum(counts) == 3_000
        assert len(counts) == len(shown["edges"]) - 1


def test_percentiles_are_in_order_and_the_standard_error_is_the_spread_over_the_root(result):
    for row in result["rows"]:
        assert row["p10"] <= row["p50"] <= row["p90"]
        assert row["se"] == pytest.approx(row["sd"] / np.sqrt(3_000))


def test_drivers_share_the_mean_and_the_variance_among_them(result):
    drivers = result["drivers"]
    assert [one["segment"] for one in drivers] == ["South", "North"]
    assert sum(one["mean"] for one in drivers) == pytest.approx(result["rows"][0]["mean"])
    for share in ("share_of_mean", "share_of_variance"):
        assert sum(one[share] for one in drivers) == pytest.approx(1)
    assert drivers[0]["share_of_variance"] > 0.9


def test_the_target_is_reached_as_often_as_totals_are_that_large(result):
    low, high = (simulate(FRAME, iterations=3_000, target=target)["rows"][0] for target in (1, 1e12))
    assert low["p_target"] > 0.999
    assert high["p_target"] == 0
    assert 0 < high["p_target_se"] < 0.001  # never seen is not impossible
    row = result["rows"][0]
    assert row["p10"] < 1_000_000 < row["p90"]
    assert 0.1 < row["p_target"] < 0.9


def test_without_a_target_nothing_is_said_of_one():
    row = simulate(FRAME, iterations=200)["rows"][0]
    assert row["p_target"] is row["p_target_se"] is None


@pytest.mark.parametrize(
    ("low", "high"),
    [(0, 0), (0, 1), (5, 5), (0, 1e-12), (123, 98_765_432), (1e15, 1e15 + 1), (0.1, 0.30000000000000004)],
)
def test_edges_rise_are_few_and_hold_everything(low, high):
    edges = summary.round_edges(low, high)
    assert (np.diff(edges) > 0).all()
    assert edges[0] <= low
    assert edges[-1] >= high
    assert 2 <= len(edges) <= 34
    assert np.histogram([low, high], bins=edges)[0].sum() == 2


def test_edges_are_round_numbers():
    assert summary.round_edges(0, 2_900_000).tolist()[:3] == [0, 100_000, 200_000]
