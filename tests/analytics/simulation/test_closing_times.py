"""Gamma curves over historic cycles."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analytics.simulation import snapshot, timing
from tests.analytics.simulation.frames import closed, crm_folder, deals, opened


def test_the_fit_is_that_of_scipy():
    cycles = pd.Series(np.random.default_rng(3).gamma(2.3, 17, 500))
    shape, _, scale = stats.gamma.fit(cycles, floc=0)
    curve = timing.fit(cycles)
    assert (float(curve.shape), float(curve.scale)) == pytest.approx((shape, scale), rel=1e-5)


def test_the_fit_of_the_crm_file_is_that_of_scipy():
    table = pd.read_csv(crm_folder() / "sales_pipeline.csv")
    engaged, ended = (pd.to_datetime(table[name], format="%m/%d/%Y") for name in ("engage_date", "close_date"))
    cycles = (ended - engaged).dt.days.clip(lower=0.5)
    shape, _, scale = stats.gamma.fit(cycles, floc=0)
    curve = timing.fit(cycles)
    assert (float(curve.shape), float(curve.scale)) == pytest.approx((shape, scale), rel=1e-5)


def test_the_chance_to_close_is_conditioned_on_the_age():
    curve = timing.fit(pd.Series([20.0, 35.0, 50.0, 90.0]))
    reference = stats.gamma(float(curve.shape), scale=float(curve.scale))
    age = np.array([0.0, 10.0, 80.0])
    expected = (reference.cdf(age + 30) - reference.cdf(age)) / reference.sf(age)
    assert curve.closes_within(30, age) == pytest.approx(expected)


def test_drawing_the_time_and_comparing_it_with_the_horizon_comes_to_the_same():
    curve = timing.fit(pd.Series([20.0, 35.0, 50.0, 90.0]))
    times = np.random.default_rng(1).gamma(curve.shape, curve.scale, 400_000)
    remaining = times[times > 40] - 40
    share = (remaining <= 30).mean()
    assert abs(share - curve.closes_within(30, 40)) < 4 * np.sqrt(share * (1 - share) / len(remaining))


@pytest.mark.parametrize("age", [0, 1, 100, 10_000, 1e6])
def test_a_deal_of_any_age_may_still_close_and_never_surely(age):
    share = timing.fit(pd.Series([20.0, 35.0, 50.0, 90.0])).closes_within(5, age)
    assert 0 < share < 1


def test_cycles_that_never_vary_make_a_spike_and_no_error():
    curve = timing.fit(pd.Series([30.0] * 50))
    assert curve.closes_within(20) < 0.001
    assert curve.closes_within(40) > 0.999


def test_two_cycles_know_no_shape_and_none_know_no_mean():
    assert (float(timing.fit(pd.Series([10.0, 50.0])).shape), float(timing.fit(pd.Series([10.0, 50.0])).scale)) == (
        1,
        30,
    )
    assert float(timing.fit(pd.Series([], dtype=float)).scale) == timing.UNKNOWN_MEAN


def test_a_segment_with_enough_won_deals_has_its_own_curve():
    taken = snapshot.take(
        deals(
            closed("won", 40, segment="Quick", cycles=(2, 3, 4)),
            closed("won", 40, segment="Slow", cycles=(100, 120, 160)),
            closed("won", 5, segment="Rare", cycles=(500,)),
            *(opened(1, segment=name) for name in ("Quick", "Slow", "Rare")),
        )
    )
    curve = timing.fit_by_segment(taken.closed, taken.open["segment"])
    quick, slow, rare = curve.shape * curve.scale
    everywhere = taken.closed["cycle"].mean()
    assert (quick, slow, rare) == pytest.approx((3, 126.5, everywhere), rel=0.05)


def test_the_gap_is_small_for_its_own_kind_and_large_for_two_humps():
    cycles = pd.Series(np.random.default_rng(3).gamma(2.3, 17, 2_000)).round()
    assert timing.fit(cycles).gap(cycles) < 0.05
    humps = pd.Series([5.0] * 100 + [90.0] * 100)
    assert timing.fit(humps).gap(humps) > 0.2
