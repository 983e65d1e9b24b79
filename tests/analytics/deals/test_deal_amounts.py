"""Amounts of money: every common way to write them, and no number made of what is none."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.deals.amounts import currency_of, mark_of, parse
from tests.analytics.deals.deal_files import checks, deals_from, table

cents = st.integers(min_value=-(10**14), max_value=10**14)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1054", 1054.0),
        ("1,234.50", 1234.5),
        ("$1,234.50", 1234.5),
        ("€ 1 234.50", 1234.5),
        ("1'234.50 CHF", 1234.5),
        ("USD 12", 12.0),
        ("-12.5", -12.5),
        ("12.5-", -12.5),
        ("(1,234)", -1234.0),
        ("($1,234.50)", -1234.5),
        ("-$5", -5.0),
        ("2.5k", 2500.0),
        ("$3M", 3_000_000.0),
        ("1.2 bn", 1_200_000_000.0),
        ("12,34,567", 1_234_567.0),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("1 234", 1234.0),
    ],
)
def test_common_formats_are_read(text: str, amount: float) -> None:
    assert parse(text) == amount


@pytest.mark.parametrize(
    ("text", "amount"), [("1.234,50", 1234.5), ("€1.234.567", 1234567.0), ("0,5", 0.5), ("12,-", 12)]
)
def test_a_decimal_comma_is_read_where_the_column_has_one(text: str, amount: float) -> None:
    assert parse(text, ",") == amount


@pytest.mark.parametrize(
    "text",
    ["", "abc", "12 apples", "1,23", "1.2.3", "--5", "$", "1,2345.00", "inf", "nan", "1e99", "5%", "9" * 400, "=1+1"],
)
def test_what_is_no_amount_stays_none(text: str) -> None:
    assert parse(text) is None


@given(cents)
def test_an_amount_survives_being_written_the_english_way(number: int) -> None:
    assert parse(f"{number / 100:,.2f}") == pytest.approx(number / 100)


@given(cents)
def test_an_amount_survives_being_written_the_german_way(number: int) -> None:
    german = f"{number / 100:,.2f}".translate(str.maketrans(",.", ".,"))
    assert parse(f"{german} €", ",") == pytest.approx(number / 100)


@given(st.lists(cents.filter(lambda n: n % 100 or abs(n) >= 10**5), min_size=1, max_size=30), st.sampled_from(".,"))
def test_the_column_tells_its_decimal_mark(numbers: list[int], mark: str) -> None:
    texts = [f"{number / 100:,.2f}" for number in numbers]
    if mark == ",":
        texts = [text.translate(str.maketrans(",.", ".,")) for text in texts]
    assert mark_of(texts) == (mark, None)


@given(st.text(max_size=30))
def test_any_text_is_a_finite_amount_or_none(text: str) -> None:
    for mark in (".", ","):
        value = parse(text, mark)
        assert value is None or math.isfinite(value)


def test_groups_of_three_are_thousands_and_said_to_be_so_where_nothing_settles_it(tmp_path) -> None:
    rows = [f"D{i},A,O,S,P,Won,1.{i}00,2026-01-01,2026-02-01" for i in range(1, 4)]
    deals = deals_from(tmp_path, table(*rows))
    assert deals.frame["amount"].tolist() == [1100.0, 1200.0, 1300.0]
    assert checks(deals)["doubtful_amounts"] == 1
    plain = deals_from(tmp_path, table(*rows, "D4,A,O,S,P,Won,1.5,2026-01-01,2026-02-01"))
    assert plain.frame["amount"].tolist() == [1.1, 1.2, 1.3, 1.5]
    assert "doubtful_amounts" not in checks(plain)


def test_currencies_are_named_and_a_mixture_is_reported(tmp_path) -> None:
    assert [currency_of(text) for text in ("$5", "5 eur", "5")] == ["$", "EUR", None]
    deals = deals_from(tmp_path, table("1,A,O,S,P,Won,$5,,", "2,A,O,S,P,Won,€5,,", "3,A,O,S,P,Won,5,,"))
    [issue] = [issue for issue in deals.issues if issue.check == "mixed_currencies"]
    assert issue.severity == "error"
    assert "2 currencies" in issue.sentence
    assert deals.frame["amount"].tolist() == [5.0, 5.0, 5.0]


def test_an_unreadable_amount_is_reported_and_the_deal_kept(tmp_path) -> None:
    deals = deals_from(tmp_path, table("1,A,O,S,P,Won,a lot,,", "2,A,O,S,P,Won,,,", "3,A,O,S,P,Lost,0,,"))
    assert deals.frame["amount"].isna().tolist() == [True, True, False]
    assert checks(deals)["unreadable_amount"] == 1
    assert checks(deals)["won_without_amount"] == 2
