"""What is wrong with a deal is counted, shown by example, and said with what was done about it."""

import pytest

from analytics.deals import read
from tests.analytics.deals.deal_files import accounts_for_every_row, checks, deals_from, table

GOOD = {"deal": "1", "stage": "Won", "amount": 5, "opened_on": "2026-01-01", "closed_on": "2026-02-01", "client": "A"}


def found(check: str, *rows: dict):
    [issue] = [issue for issue in read([GOOD, *rows]).issues if issue.check == check]
    return issue


@pytest.mark.parametrize(
    ("check", "change", "action"),
    [
        ("won_without_amount", {"amount": 0}, "reported"),
        ("won_without_amount", {"amount": None}, "reported"),
        ("negative_amount", {"amount": "(5)"}, "reported"),
        ("closed_before_opened", {"closed_on": "2025-12-31"}, "reported"),
        ("open_with_closing_date", {"stage": "Engaging"}, "reported"),
        ("closed_without_date", {"closed_on": ""}, "reported"),
        ("no_number", {"deal": " "}, "repaired"),
        ("rejected_rows", {"stage": None}, "rejected"),
    ],
)
def test_a_flaw_is_found_once_and_said_in_the_singular(check: str, change: dict, action: str) -> None:
    issue = found(check, GOOD | {"deal": "2"} | change)
    assert (issue.count, issue.action) == (1, action)
    assert issue.sentence.startswith(("1 deal ", "1 row "))
    several = found(check, GOOD | {"deal": "2"} | change, GOOD | {"deal": "3", "client": "B"} | change)
    assert several.sentence.startswith(("2 deals ", "2 rows "))


def test_a_deal_closed_before_it_opened_counts_but_has_no_cycle() -> None:
    frame = read([GOOD | {"closed_on": "2025-12-31"}]).frame
    assert frame["opened_on"].isna().all()
    assert frame["closed_on"].notna().all()


def test_an_expected_closing_date_is_not_a_closing_date() -> None:
    assert read([GOOD | {"stage": "Engaging", "closed_on": "2027-01-01"}]).frame["closed_on"].isna().all()


def test_the_same_deal_twice_is_counted_once() -> None:
    deals = read([GOOD, GOOD, GOOD | {"amount": 6}])
    assert deals.frame["amount"].tolist() == [5, 6]
    assert deals.rejected["reason"].tolist() == ["the same deal stands in an earlier row"]
    assert checks(deals)["repeated_number"] == 2
    assert accounts_for_every_row(deals)


def test_rows_without_numbers_may_be_the_same() -> None:
    unnumbered = {name: value for name, value in GOOD.items() if name != "deal"}
    deals = read([unnumbered, unnumbered])
    assert deals.frame["deal"].tolist() == ["row-1", "row-2"]
    assert checks(deals) == {"no_number": 2}


def test_made_numbers_point_to_the_line_of_the_file(tmp_path) -> None:
    deals = deals_from(tmp_path, table('x,"A', ",B,O,S,P,Won,5,,"))
    assert deals.frame["deal"].tolist() == ["row-3"]


def test_clean_deals_have_nothing_to_report() -> None:
    assert read([GOOD, GOOD | {"deal": "2"}]).issues == []


@pytest.mark.parametrize(
    "name", ["=1+1", '=HYPERLINK("http://x")', "<script>alert(1)</script>", "Robert'); DROP TABLE typed;--"]
)
def test_hostile_names_are_only_text(name: str) -> None:
    deals = read([GOOD | {"client": name, "owner": name, "product": name, "deal": name, "stage": name}])
    assert deals.frame.loc[0, ["client", "owner", "product", "deal", "stage"]].tolist() == [name] * 5


def test_control_characters_and_half_letters_become_harmless() -> None:
    frame = read([GOOD | {"client": "A\x00B\nC", "owner": "\ud800"}]).frame
    assert frame.loc[0, ["client", "owner"]].tolist() == ["A B C", "?"]


def test_values_of_json_are_read_for_what_they_are() -> None:
    rows = [
        GOOD | {"deal": str(n), "amount": amount}
        for n, amount in enumerate([123.456, 1e6, 12, "1,234.5", float("nan")])
    ]
    assert read(rows).frame["amount"].tolist()[:4] == [123.456, 1e6, 12.0, 1234.5]
    assert read([GOOD | {"client": {"a": [1]}, "owner": True, "deal": 7}]).frame["client"][0] == '{"a": [1]}'
