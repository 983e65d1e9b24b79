"""The pipeline as of a day."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from analytics.errors import BadData
from analytics.simulation import snapshot
from analytics.simulation.simulate import simulate
from tests.analytics.simulation.frames import TODAY, closed, deals, opened, won_and_lost


def test_the_day_is_the_last_the_data_knows_and_hoped_for_dates_do_not_count():
    hoped = opened(1, age=10).assign(closed_on=pd.Timestamp("2031-01-01"))
    assert snapshot.take(deals(closed("won", 1), hoped)).as_of == date(2026, 3, 30)


def test_an_earlier_day_rewinds_what_came_later_and_hides_how_it_ended():
    day = (TODAY - pd.Timedelta(days=30)).date()
    taken = snapshot.take(deals(closed("won", 52, cycles=(60,)), opened(3, age=5), opened(2, age=50)), day)
    assert len(taken.open) == 5 + 2  # five deals closed in the last 30 days
    assert len(taken.closed) == 52 - 5
    assert set(taken.open["stage"].dropna()) == {"Talks"}
    assert "5 deals closed later and taken as open, 3 deals opened later and left out" in taken.warnings[0]


@pytest.mark.parametrize("amount", [0.0, -5.0, np.nan, np.inf, 1e16])
def test_an_amount_that_cannot_be_is_an_unknown_one(amount):
    taken = snapshot.take(deals(closed("won", 3), opened(1, amount=amount)))
    assert taken.open["amount"].isna().all()


def test_a_missing_opening_date_is_taken_as_the_usual_age():
    undated = opened(1).assign(opened_on=pd.NaT)
    taken = snapshot.take(deals(closed("won", 3), opened(1, age=10), opened(1, age=40), undated), TODAY.date())
    assert taken.open["age"].tolist() == [10, 40, 25]
    assert "No opening date in 1 open deal: taken to be 25 days old." in taken.warnings


def test_deals_that_close_before_they_open_lend_no_cycle_and_same_day_ones_half_a_day():
    odd = closed("won", 2, cycles=(-4, 0))
    taken = snapshot.take(deals(closed("won", 1, cycles=(9,)), odd))
    assert taken.closed["cycle"].tolist()[0] == 9
    assert np.isnan(taken.closed["cycle"][1])
    assert taken.closed["cycle"][2] == 0.5


def test_products_stand_in_for_segments_only_where_there_is_none():
    plain = closed("won", 2)
    assert snapshot.take(plain.assign(segment=pd.NA)).segments == ["Loom"]
    assert snapshot.take(plain.assign(segment=["North", pd.NA])).segments == ["No segment", "North"]
    assert snapshot.take(plain.assign(segment=pd.NA, product=pd.NA)).segments == ["No segment"]


def test_many_segments_are_folded_into_one_and_it_is_said():
    parts = [closed("won", 2 if i < 60 else 1, segment=f"S{i:03}") for i in range(90)]
    taken = snapshot.take(deals(*parts))
    assert len(taken.segments) == 61
    assert taken.closed["segment"].eq("Other segments").sum() == 30
    assert "90 segments" in taken.warnings[0]


def test_deals_without_any_date_need_a_day():
    undated = opened(2).assign(opened_on=pd.NaT)
    with pytest.raises(BadData, match="give as_of"):
        snapshot.take(undated)
    assert snapshot.take(undated, TODAY.date()).open["age"].tolist() == [0, 0]


def test_a_day_before_all_data_leaves_nothing_to_simulate():
    with pytest.raises(BadData, match="no open deal and only 0 closed ones"):
        simulate(deals(won_and_lost(6, 4), opened(2)), as_of=date(1999, 1, 1))


def test_no_deals_at_all_are_refused():
    with pytest.raises(BadData, match="no usable deal"):
        simulate(opened(1).iloc[:0])


def test_open_deals_without_history_are_simulated_from_a_prior_and_it_is_said():
    result = simulate(opened(10, amount=100.0), iterations=2_000, horizon_days=1_825)
    assert result["rows"][0]["mean"] == pytest.approx(500, rel=0.05)
    said = " ".join(result["warnings"])
    assert "There is no closed deal" in said
    assert "taken to last 90 days" in said


def test_open_deals_lend_their_amounts_where_nothing_was_won():
    frame = deals(closed("lost", 20), opened(3, amount=700.0), opened(1, amount=np.nan))
    row = simulate(frame, [], iterations=500, horizon_days=1_825)["rows"][0]
    assert row["mean"] == pytest.approx(700 * row["deals_won_mean"])


def test_no_amount_anywhere_is_refused_with_the_column_to_map():
    with pytest.raises(BadData, match=r"amount is missing or zero .* map the column"):
        simulate(deals(won_and_lost(6, 4, amount=np.nan), opened(2, amount=np.nan)))
