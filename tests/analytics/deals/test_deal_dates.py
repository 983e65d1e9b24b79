"""Dates: the common formats, the order of day and month told from the column, and nothing impossible let through."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.deals.dates import order_of, parse
from analytics.errors import BadData
from tests.analytics.deals.deal_files import checks, deals_from, table

days = st.dates(min_value=date(1950, 1, 1), max_value=date(2150, 12, 31))


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-04", "2026/3/4", "2026.03.04", "20260304", "2026-03-04T23:59:59Z", "2026-03-04 10:00:00.123+02:00",
        "4 March 2026", "4th Mar 2026", "4-Mar-26", "Mar 4, 2026", "March 4 2026", "4. March 2026", "04MAR2026",
    ],
)  # fmt: skip
def test_dates_without_doubt_are_read_in_any_order(text: str) -> None:
    assert parse(text, "day-first") == parse(text, "month-first") == date(2026, 3, 4)


def test_the_order_decides_between_march_and_april() -> None:
    assert parse("3/4/2026", "day-first") == date(2026, 4, 3)
    assert parse("3/4/2026 9:15 PM", "month-first") == date(2026, 3, 4)
    assert parse("3.4.26", "day-first") == date(2026, 4, 3)
    assert parse("3/4/2026", "iso") is None


@pytest.mark.parametrize(
    "text",
    ["", "soon", "31/2/2026", "2026-13-01", "2026-02-30", "0001-01-01", "9999-12-31", "42798", "202634", "4 Foo 2026"],
)
def test_what_is_no_date_is_none(text: str) -> None:
    assert parse(text, "day-first") is None


@given(days, st.sampled_from(["/", "-", "."]))
def test_a_date_survives_being_written_in_every_order(day: date, separator: str) -> None:
    year, month, number = str(day.year), str(day.month), str(day.day)
    assert parse(separator.join((number, month, year)), "day-first") == day
    assert parse(separator.join((month, number, year)), "month-first") == day
    assert parse(day.isoformat(), "iso") == day


@given(st.lists(days, min_size=1, max_size=40), st.sampled_from(["day-first", "month-first"]))
def test_the_order_is_told_from_the_column_or_asked_for(column: list[date], order: str) -> None:
    pattern = "%d/%m/%Y" if order == "day-first" else "%m/%d/%Y"
    texts = [day.strftime(pattern) for day in column]
    try:
        told = order_of({"closed_on": texts})["closed_on"]
    except BadData:
        assert all(day.day <= 12 for day in column)
        return
    assert [parse(text, told) for text in texts] == column


@given(st.text(max_size=30))
def test_any_text_is_a_date_or_none(text: str) -> None:
    for order in ("day-first", "month-first", "iso"):
        assert parse(text, order) is None or isinstance(parse(text, order), date)


def test_a_column_in_doubt_follows_the_one_that_is_sure(tmp_path) -> None:
    deals = deals_from(tmp_path, table("1,A,O,S,P,Won,5,03/04/2026,25/04/2026"))
    assert str(deals.frame["opened_on"][0].date()) == "2026-04-03"


def test_each_column_may_have_an_order_of_its_own(tmp_path) -> None:
    deals = deals_from(tmp_path, table("1,A,O,S,P,Won,5,03/25/2026,25/04/2026"))
    assert [str(deals.frame[name][0].date()) for name in ("opened_on", "closed_on")] == ["2026-03-25", "2026-04-25"]


def test_a_file_wholly_in_doubt_is_asked_about_and_read_as_told(tmp_path) -> None:
    file = table("1,A,O,S,P,Won,5,03/04/2026,05/06/2026")
    with pytest.raises(BadData, match=r"opened_on has dates such as '03/04/2026'.*dates=\"day-first\""):
        deals_from(tmp_path, file)
    assert deals_from(tmp_path, file, dates="day-first").frame["opened_on"][0].month == 4
    assert deals_from(tmp_path, file, dates="month-first").frame["opened_on"][0].month == 3


def test_dates_that_read_the_same_either_way_raise_no_question(tmp_path) -> None:
    deals = deals_from(tmp_path, table("1,A,O,S,P,Won,5,03/03/2026,05/05/2026"))
    assert deals.frame["closed_on"][0].month == 5


def test_impossible_dates_are_reported_and_the_deal_kept(tmp_path) -> None:
    deals = deals_from(tmp_path, table("1,A,O,S,P,Won,5,31/02/2026,25/04/2026", "2,A,O,S,P,Won,5,2026-01-01,soon"))
    assert deals.frame["opened_on"].isna().tolist() == [True, False]
    assert checks(deals)["unreadable_opened_on"] == checks(deals)["unreadable_closed_on"] == 1
    assert "closed_without_date" not in checks(deals)


def test_iso_takes_nothing_else(tmp_path) -> None:
    deals = deals_from(tmp_path, table("1,A,O,S,P,Won,5,2026-01-01,25/04/2026"), dates="iso")
    assert checks(deals)["unreadable_closed_on"] == 1
