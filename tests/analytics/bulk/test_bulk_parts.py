"""Each analysis on deals made to show it."""

from datetime import date, timedelta
from threading import Event, Thread

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics import deals
from analytics.bulk.study import study
from analytics.bulk.wilson import interval
from analytics.errors import BadData
from tests.analytics.bulk.bulk_cases import TODAY, a_deal, analysed, closed_after, several


@pytest.mark.parametrize(
    ("won", "closed", "low", "high"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (5, 10, 0.2366, 0.7634), (81, 263, 0.2553, 0.3662)],
)
def test_wilsons_interval_has_its_published_values(won: int, closed: int, low: float, high: float) -> None:
    """The last is the worked example of R. G. Newcombe, Statistics in Medicine 17 (1998), 857–872."""
    assert interval(won, closed) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 10**6), st.floats(0, 1))
def test_the_interval_holds_the_rate_within_0_and_1(closed: int, share: float) -> None:
    won = round(closed * share)
    low, high = interval(won, closed)
    assert low is not None
    assert high is not None
    assert 0 <= low <= won / closed <= high <= 1


def test_nothing_closed_has_no_win_rate() -> None:
    result = analysed(several(3, stage="Proposal", closed_on=None)).result
    totals = result["totals"]
    assert [totals[name] for name in ("win_rate", "win_rate_low", "average_won_amount", "median_cycle_days")] == [
        None
    ] * 4
    assert totals["open_amount"] == 300
    assert result["findings"][0] == "No deal has been won or lost yet. 3 deals worth 300 are open."
    assert result["concentration"]["top10_share"] is None


def test_cents_add_up_exactly() -> None:
    assert analysed(several(1000, amount=0.1)).result["totals"]["won_amount"] == 100.0


def test_stale_deals_are_older_than_nine_in_ten_of_their_product() -> None:
    loom = [closed_after(days, deal=f"L{days}") for days in range(1, 101)]
    kiln = [closed_after(days, deal=f"K{days}", product="Kiln", stage="Lost") for days in range(101, 201)]
    opened = (TODAY - timedelta(days=100)).isoformat()
    waiting = [
        a_deal(1, deal=name, product=name, stage="Proposal", opened_on=opened, closed_on=None, amount=7)
        for name in ("Loom", "Kiln", "New")
    ]
    result = analysed(loom + kiln + waiting).result
    assert [(row["deal"], row["age_days"]) for row in result["stale"]] == [("Loom", 100)]
    assert result["stale"][0]["stale_after_days"] == pytest.approx(90.1)
    assert result["stale"][0]["typical_days"] == 50.5
    assert result["stale_total"] == {"deals": 1, "amount": 7.0}
    assert any(finding.startswith("1 of 3 open deals are stale") for finding in result["findings"])


def test_too_few_closed_deals_tell_nothing_stale_and_say_so() -> None:
    result = analysed([*several(3), a_deal(9, stage="Proposal", opened_on="2020-01-01", closed_on=None)]).result
    assert result["stale"] == []
    assert any(warning.startswith("Only 3 closed deals have both dates") for warning in result["warnings"])


def test_anomalies_are_far_from_their_own_products_median() -> None:
    loom = [a_deal(n, amount=100 + n % 5) for n in range(30)]
    kiln = [a_deal(100 + n, product="Kiln", amount=1000 + n % 5) for n in range(30)]
    result = analysed(
        [*loom, *kiln, a_deal(999, amount=1000), closed_after(90, deal="slow", product="Kiln", amount=1000)]
    ).result
    [odd] = result["anomalies"]
    assert (odd["deal"], odd["what"], odd["value"], odd["typical"]) == ("D-999", "Amount", 1000.0, 102.0)
    assert odd["score"] > 3.5
    assert result["anomalies_total"] == 1


def test_a_days_anomaly_is_found_where_days_vary() -> None:
    rows = [closed_after(20 + n % 5, deal=f"D{n}") for n in range(30)]
    [odd] = analysed([*rows, closed_after(200, deal="slow")]).result["anomalies"]
    assert (odd["deal"], odd["what"], odd["value"], odd["typical"]) == ("slow", "Days to close", 200, 22)


def test_a_difference_beyond_chance_is_named_and_one_within_it_is_not() -> None:
    clear = several(80, segment="Retail") + several(20, 100, segment="Retail", stage="Lost")
    poor = several(40, 200, segment="Steel") + several(60, 300, segment="Steel", stage="Lost")
    said = analysed(clear + poor).result["findings"]
    assert any("Retail wins 80.0%" in finding and "Steel 40.0%" in finding for finding in said)
    near = several(74, 200, segment="Steel") + several(26, 300, segment="Steel", stage="Lost")
    said = analysed(clear + near).result["findings"]
    assert any("from 74.0% (Steel) to 80.0% (Retail): no more than chance explains." in finding for finding in said)


def test_the_spread_of_many_equal_owners_is_not_sold_as_a_difference() -> None:
    """Thirty owners between 36 and 56 of 80: two of their intervals do not overlap, by chance alone."""
    rows = []
    for owner in range(30):
        won = 36 + owner * 20 // 29
        rows += several(won, 1000 * owner, owner=f"Owner {owner}")
        rows += several(80 - won, 1000 * owner + 500, owner=f"Owner {owner}", stage="Lost")
    result = analysed(rows).result
    lows, highs = ([row[name] for row in result["owners"]] for name in ("win_rate_low", "win_rate_high"))
    assert max(lows) > min(highs)
    assert any("Win rates of the 30 owners" in f and "no more than chance" in f for f in result["findings"])


def test_segments_fall_back_to_products_and_groups_without_a_name_are_kept() -> None:
    rows = [a_deal(1, product=None), a_deal(2)]
    for row in rows:
        del row["segment"]
    result = analysed(rows).result
    assert {row["segment"] for row in result["segments"]} == {"Loom", "not given"}
    assert "There is no column for segment, so products serve as segments." in result["warnings"]
    bare = analysed([{"stage": "won", "amount": 5}]).result
    assert bare["segments"] == bare["owners"] == bare["per_client"] == bare["monthly"] == bare["stale"] == []


@pytest.mark.parametrize(
    ("rows", "as_of", "told", "warned"),
    [
        ([a_deal(stage="Proposal", opened_on="2026-10-01", closed_on=None)], None, "2026-10-31", None),
        ([a_deal(stage="Proposal", closed_on=None)], None, "2026-10-31", "Ages are counted to today, 2026-10-31"),
        ([a_deal()], None, "2026-01-21", "as of the latest date in the data, 2026-01-21"),
        ([a_deal()], date(2026, 3, 1), "2026-03-01", None),
        ([{"stage": "open", "amount": 1}], None, "2026-10-31", None),
    ],
)
def test_the_day_of_the_analysis_is_chosen_and_said(
    rows: list, as_of: date | None, told: str, warned: str | None
) -> None:
    result = analysed(rows, as_of=as_of).result
    assert result["as_of"] == told
    about = [warning for warning in result["warnings"] if " as of " in warning or "Ages" in warning]
    assert [warned in warning for warning in about] == ([True] if warned else [])


def test_dates_after_the_day_of_the_analysis_are_reported() -> None:
    issues = analysed([a_deal()], as_of=date(2025, 1, 1)).result["quality"]["issues"]
    assert [issue["sentence"] for issue in issues] == [
        "1 deal dated after 2025-01-01, the day of the analysis; counted as they stand."
    ]


def test_only_the_clients_asked_for_are_analysed_and_unknown_ones_listed() -> None:
    rows = [a_deal(1), a_deal(2, client="Orrford Labs"), a_deal(3, client=None), {"client": "x"}]
    result = analysed(rows, client_ids=["elmwick  works", "Nobody & Co"]).result
    assert result["analysed_count"] == result["totals"]["deals"] == 1
    assert result["unknown_clients"] == ["Nobody & Co"]
    assert "1 client asked for but not in the data: 'Nobody & Co'." in result["warnings"]
    source = result["source"]
    assert (
        source["rows_read"] == result["analysed_count"] + result["rejected_rows"] + source["rows_of_other_clients"] == 4
    )


def test_no_client_found_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(BadData, match=r"No client asked for is in the data: 'Elmwik'. Did you mean Elmwick"):
        analysed([a_deal()], client_ids=["Elmwik"])


def test_formulas_are_disarmed_in_the_file_and_left_as_they_are_in_the_result() -> None:
    names = ["=1+1", "+1", "-1", "@SUM(A1)", "<script>alert(1)</script>", 'a,"b"']
    analysis = analysed([a_deal(n, client=name) for n, name in enumerate(names)])
    assert sorted(row["client"] for row in analysis.result["per_client"]) == sorted(names)
    cells = analysis.per_client_csv.decode("utf-8-sig").splitlines()[1:]
    assert {cell.split(",")[0] for cell in cells} == {
        "'=1+1",
        "'+1",
        "'-1",
        "'@SUM(A1)",
        "<script>alert(1)</script>",
        '"a',
    }


def test_long_tables_are_cut_and_the_file_is_whole() -> None:
    analysis = analysed([a_deal(n, client=f"Client {n}" + "x" * 400) for n in range(600)])
    assert len(analysis.result["per_client"]) == 500
    assert all(len(row["client"]) == 80 for row in analysis.result["per_client"])
    assert len(analysis.per_client_csv.decode().splitlines()) == 601
    assert "The first 500 of 600 clients are shown; the file has them all." in analysis.result["warnings"]


def test_a_running_query_stops_when_it_is_interrupted() -> None:
    found = deals.read([a_deal()])
    with study(found, client_ids=(), as_of=None, today=TODAY) as at:
        ended = Event()

        def interrupt() -> None:
            while not ended.wait(0.02):
                at.con.interrupt()

        stopper = Thread(target=interrupt)
        stopper.start()
        try:
            with pytest.raises(duckdb.InterruptException):
                at.rows("SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE a.range < b.range")
        finally:
            ended.set()
            stopper.join()


class Stop(Exception):
    pass


@pytest.mark.parametrize("after", range(9))
def test_an_analysis_stops_between_any_two_steps(after: int) -> None:
    begun = []

    def track(steps, note):
        for number, step in enumerate(steps):
            if number == after:
                raise Stop
            begun.append(step)
            yield step

    with pytest.raises(Stop):
        analysed([a_deal()], track=track)
    assert len(begun) == after
