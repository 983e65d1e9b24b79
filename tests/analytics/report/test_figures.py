"""One place decides how a number is written."""

import pytest

from analytics.report import figures


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (10_005_534.0, "10,005,534"),
        (240_100.5, "240,101"),  # away from zero, as the slides' native charts round
        (99.5, "99.50"),
        (0.0, "0"),
        (-1_234.4, "−1,234"),
        (-0.001, "0.00"),
        (12, "12"),
        (1e300, f"{10**300:,}"),
        (None, "–"),
        (float("nan"), "–"),
        (float("inf"), "–"),
        (True, "–"),
        ("12", "–"),
        (10**400, "–"),
    ],
)
def test_amounts_have_separators_and_no_false_cents(value, written):
    assert figures.amount(value) == written


def test_shares_have_one_decimal_and_intervals_one_sign():
    assert figures.percent(0.63150052) == "63.2%"
    assert figures.interval(0.6199, 0.6430) == "62.0–64.3%"
    assert figures.interval(None, 0.5) == "–"


def test_differences_carry_their_sign_and_none_is_plain():
    assert [figures.signed(n) for n in (1500.0, -1500.0, 0.0, None)] == ["+1,500", "−1,500", "0", "–"]


def test_axis_labels_are_short():
    assert [figures.compact(n) for n in (1_500_000, 250_000, 0.25, -3e9, 0)] == ["1.5 M", "250 k", "0.25", "−3 bn", "0"]


def test_months_and_days_are_words_and_nonsense_stays_as_it_came():
    assert [figures.month(text) for text in ("2017-03", "2017-13", "Q1")] == ["Mar 2017", "2017-13", "Q1"]
    assert [figures.day(text) for text in ("2017-12-31", "soon")] == ["31 December 2017", "soon"]


def test_identifiers_and_years_get_no_separators():
    assert figures.anything(12345, "task_id") == "12345"
    assert figures.anything(2017, "year") == "2017"
    assert figures.anything(12345, "rows") == "12,345"
    assert [figures.anything(value) for value in (True, None, "", 0.83123, 1.2e-7)] == [
        "yes",
        "–",
        "–",
        "0.8312",
        "1.2e−07",
    ]


def test_native_charts_get_the_format_that_rounds_alike():
    assert figures.cell_format("amount", [1_234.5, 10.25]) == "#,##0"
    assert figures.cell_format("amount", [12.5, 3.0]) == "#,##0.00"
    assert figures.cell_format("share", [0.5]) == "0.0%"
