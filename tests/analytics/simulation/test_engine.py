"""The engine: the same bits again, bounded batches, and an end at once when asked."""

import json

import numpy as np
import pytest

from analytics.errors import BadData
from analytics.simulation import engine
from analytics.simulation.scenario import DEFAULTS, Scenario
from analytics.simulation.simulate import simulate
from tests.analytics.simulation.frames import deals, opened, won_and_lost

FRAMES = {
    "open pipeline": deals(won_and_lost(60, 40), opened(20), opened(9, segment="South", amount=np.nan)),
    "period": deals(won_and_lost(60, 40), won_and_lost(30, 60, segment="South")),
}


def text(frame, **options) -> str:
    return json.dumps(simulate(frame, **{"iterations": 5_000} | options), allow_nan=False)


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(frame):
    assert text(frame, seed=7) == text(frame, seed=7)
    assert simulate(frame, iterations=500, seed=7)["rows"] != simulate(frame, iterations=500, seed=8)["rows"]


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
def test_a_further_scenario_changes_nothing_for_the_others(frame):
    few, many = (simulate(frame, asked, iterations=2_000)["rows"] for asked in (DEFAULTS[:2], DEFAULTS))
    assert many[:2] == few


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
def test_the_state_of_numpys_own_generator_does_not_matter(frame):
    np.random.seed(1)
    first = text(frame, iterations=300)
    np.random.seed(2)
    assert text(frame, iterations=300) == first


@pytest.mark.parametrize("deals_", [1, 99, 100, 250_000, 5_000_000])
@pytest.mark.parametrize("iterations", [100, 9_999])
def test_batches_add_up_and_are_bounded(deals_, iterations):
    sizes = list(engine.batches(iterations, deals_))
    assert sum(sizes) == iterations
    assert max(sizes) == 1 or max(sizes) * deals_ <= engine.BATCH_CELLS
    assert len(set(sizes[:-1])) <= 1


def test_segment_moments_over_batches_are_those_of_the_whole():
    amounts = np.random.default_rng(1).gamma(2, 1e6, (1_000, 3))
    moments = engine.Moments(3)
    for part in np.split(amounts, [1, 300, 777]):
        moments.add(part)
    whole = np.cov(np.column_stack([amounts, amounts.sum(axis=1)]), rowvar=False)[-1, :3]
    assert moments.mean == pytest.approx(amounts.mean(axis=0))
    assert moments.covariance == pytest.approx(whole)
    assert moments.covariance.sum() == pytest.approx(amounts.sum(axis=1).var(ddof=1))


def test_progress_rises_to_its_end_and_names_the_scenarios():
    seen = []
    simulate(FRAMES["open pipeline"], iterations=9_000, step=lambda *report: seen.append(report))
    assert [done for done, _, _ in seen] == list(range(seen[-1][1] + 1))
    assert {total for _, total, _ in seen} == {3 * 4}  # 9,000 iterations make three batches
    assert all(any(note.startswith(one.name) for _, _, note in seen) for one in DEFAULTS)


def test_a_step_that_raises_ends_the_run_there():
    class StopError(Exception):
        pass

    seen = []

    def step(done: int, total: int, note: str) -> None:
        seen.append(done)
        if done == 2:
            raise StopError

    with pytest.raises(StopError):
        simulate(FRAMES["open pipeline"], iterations=100_000, step=step)
    assert seen == [0, 1, 2]


def test_too_much_work_is_refused_before_it_starts_and_says_how_much_would_do():
    seen = []
    with pytest.raises(BadData, match=r"iterations is 1,000,000: .* 5,000 deals .* lower iterations to 100,000") as no:
        simulate(
            deals(won_and_lost(60, 40), opened(5_000)), iterations=1_000_000, step=lambda *report: seen.append(report)
        )
    assert seen == []
    assert "simulate fewer" not in str(no.value)


def test_the_totals_that_are_kept_are_bounded_too():
    scenarios = [Scenario(name=f"{i}") for i in range(19)]
    with pytest.raises(BadData, match="lower iterations to 500,000"):
        simulate(deals(won_and_lost(6, 4), opened(1)), scenarios, iterations=1_000_000)
