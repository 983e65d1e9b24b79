"""Columns are found by the names that exports use, mapped where told, and asked for where neither helps."""

from typing import get_args

import pytest

from analytics.deals import read
from analytics.deals.columns import ALIASES, REQUIRED, recognise
from analytics.deals.labels import plain
from analytics.errors import BadData
from analytics.source import Column, Data

ROW = {"stage": "Won", "amount": 5}


def test_the_crm_names_are_recognised() -> None:
    names = [
        "opportunity_id",
        "sales_agent",
        "product",
        "account",
        "deal_stage",
        "engage_date",
        "close_date",
        "close_value",
    ]
    found = {canonical: names[place] for canonical, place in recognise(names, {}).positions.items()}
    assert found == {
        "deal": "opportunity_id",
        "owner": "sales_agent",
        "product": "product",
        "client": "account",
        "stage": "deal_stage",
        "opened_on": "engage_date",
        "closed_on": "close_date",
        "amount": "close_value",
    }


def test_spelling_of_names_does_not_matter() -> None:
    assert recognise(["DEAL STAGE", "Close-Value"], {}).positions == {"stage": 0, "amount": 1}


def test_no_two_fields_share_an_alias() -> None:
    aliases = [plain(alias) for names in ALIASES.values() for alias in names]
    assert len(aliases) == len(set(aliases))
    assert set(ALIASES) == set(get_args(Column))


def test_a_told_column_goes_before_a_recognised_one_and_the_rest_is_reported() -> None:
    deals = read([{"Stage": "Won", "amount": 1, "booked": 7}], columns={"amount": "Booked"})
    assert deals.frame["amount"][0] == 7
    assert deals.columns_used["amount"] == "booked"
    [issue] = [issue for issue in deals.issues if issue.check == "unused_columns"]
    assert issue.examples == ["amount"]


@pytest.mark.parametrize("missing", REQUIRED)
def test_a_missing_column_is_named_with_what_was_seen_and_the_mapping_to_give(missing: str) -> None:
    row = {name: value for name, value in ROW.items() if name != missing} | {"dosh": 5}
    with pytest.raises(BadData) as refused:
        read([row])
    sentence = str(refused.value)
    assert f"No column was recognised as {missing}." in sentence
    assert f"The data has: {', '.join(row)}." in sentence
    assert f'columns={{"{missing}": "dosh"}}' in sentence


def test_a_mapping_to_nowhere_is_refused() -> None:
    with pytest.raises(BadData, match=r"amount is 'price', but there is no such column. The data has: stage, amount"):
        read([ROW], columns={"amount": "price"})
    with pytest.raises(BadData, match="'colour', which is no field of a deal"):
        read([ROW], columns={"colour": "stage"})


def test_columns_that_are_not_there_are_said_to_be_missed() -> None:
    deals = read([ROW])
    assert any(warning.startswith("There is no column for opened_on, so cycle times") for warning in deals.warnings)
    assert deals.frame["client"].isna().all()


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "exactly one of artifact and rows (neither given)"),
        ({"artifact": 1, "rows": [ROW]}, "exactly one of artifact and rows (both given)"),
        ({"rows": []}, "rows is empty"),
        ({"rows": [ROW] * 5001}, "at most 5000"),
        ({"artifact": 0}, "greater than or equal to 1"),
        ({"artifact": 1, "columns": {"colour": "x"}}, "columns.colour"),
        ({"artifact": 1, "dates": "american"}, "day-first"),
        ({"artifact": 1, "url": "http://example.org"}, "Extra inputs are not permitted"),
    ],
)
def test_a_payload_that_points_nowhere_is_refused(given: dict, sentence: str) -> None:
    with pytest.raises(ValueError) as refused:
        Data(**given)
    assert sentence in str(refused.value)


def test_a_payload_becomes_arguments_of_read(tmp_path) -> None:
    data = Data(artifact=3, lookup=4, columns={"amount": "price"}, dates="day-first")
    assert data.arguments(lambda number: tmp_path / str(number)) == {
        "path_or_rows": tmp_path / "3",
        "lookup_path": tmp_path / "4",
        "columns": {"amount": "price"},
        "dates": "day-first",
    }
    assert data.label == "stored file 3"
    assert len(read(**Data(rows=[ROW]).arguments(lambda number: tmp_path)).frame) == 1
