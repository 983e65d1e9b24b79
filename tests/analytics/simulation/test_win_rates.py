"""Win rates: what is learnt from closed deals, and how far a group's own record is believed."""

import numpy as np
import pytest

from analytics.simulation import snapshot, winning
from tests.analytics.simulation.frames import closed, deals, opened, won_and_lost


def rates(*parts) -> tuple[winning.WinRates, np.ndarray]:
    """The rates, and the expected chance of each open deal in the order given."""
    taken = snapshot.take(deals(*parts))
    found = winning.fit(taken.closed, taken.open)
    return found, found.mean()[found.cell]


def test_the_sampled_rates_average_to_the_closed_form():
    found, _ = rates(won_and_lost(9, 3), won_and_lost(4, 20, segment="South"), opened(1), opened(1, segment="South"))
    sampled = found.sample(np.random.default_rng(5), 40_000)
    error = sampled.std(axis=0) / np.sqrt(len(sampled))
    assert (np.abs(sampled.mean(axis=0) - found.mean()) < 4 * error).all()


def test_a_small_segment_leans_on_the_overall_rate_and_a_large_one_on_its_own():
    _, (large, small) = rates(
        won_and_lost(300, 700, segment="Large"),
        won_and_lost(3, 0, segment="Small"),
        opened(1, segment="Large"),
        opened(1, segment="Small"),
    )
    assert large == pytest.approx(0.3, abs=0.01)
    assert 0.3 < small < 0.6


def test_segments_that_truly_differ_are_pulled_less_than_segments_that_do_not():
    def pull(*wins: int) -> float:
        parts = [won_and_lost(count, 100 - count, segment=f"S{i}") for i, count in enumerate(wins)]
        return rates(*parts, opened(1, segment="S0"))[0].steps[1].pull

    assert pull(10, 30, 50, 70, 90) < 20 < pull(48, 49, 50, 51, 52)


def test_a_segment_without_history_gets_the_overall_rate():
    _, (chance,) = rates(won_and_lost(30, 70), opened(1, segment="New"))
    assert chance == pytest.approx(31 / 102)


def test_stages_count_where_closed_deals_were_both_won_and_lost_in_them():
    found, (early, late) = rates(
        won_and_lost(10, 90, stage="Talks"),
        won_and_lost(90, 10, stage="Contract"),
        opened(1, stage="Talks"),
        opened(1, stage="Contract"),
    )
    assert found.stages == ["Contract", "Talks"]
    assert early < 0.25
    assert late > 0.75


def test_a_stage_that_only_lost_deals_are_left_in_is_not_believed():
    found, (chance,) = rates(closed("won", 50), closed("lost", 50, stage="Talks"), opened(1, stage="Talks"))
    assert found.stages == []
    assert chance == pytest.approx(0.5)


def test_without_closed_deals_every_rate_is_as_likely_as_any_other():
    found, (chance,) = rates(opened(1))
    sampled = found.sample(np.random.default_rng(1), 20_000)
    assert chance == pytest.approx(0.5)
    assert sampled.std() > 0.28
