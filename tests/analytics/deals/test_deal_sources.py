"""The real CRM file, and the same deals from Parquet and from rows: one answer whatever the source."""

import csv
from collections import Counter

import duckdb
import pandas as pd
import pytest

from analytics.deals import loading, read
from tests.analytics.deals.deal_files import accounts_for_every_row, checks, crm


def test_the_crm_file_is_read_whole_and_exactly() -> None:
    with crm("sales_pipeline.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    deals = read(crm("sales_pipeline.csv"))
    frame = deals.frame
    assert deals.rows_read == len(frame) == len(rows) == 6711
    assert Counter(frame["outcome"]) == Counter(row["deal_stage"].lower() for row in rows)
    assert frame["amount"].sum() == sum(int(row["close_value"]) for row in rows)
    assert frame["client"].tolist() == [row["account"] for row in rows]
    opened = [f"{day.month}/{day.day}/{day.year}" for day in frame["opened_on"]]
    assert opened == [row["engage_date"] for row in rows]
    assert checks(deals) == {"no_number": 6711}


def test_the_crm_product_list_repairs_the_one_name_that_does_not_join() -> None:
    deals = read(crm("sales_pipeline.csv"), lookup_path=crm("products.csv"))
    assert checks(deals) == {"no_number": 6711, "product_spelling": 1147}
    assert "GTXPro" not in set(deals.frame["product"])
    assert (deals.frame["product"] == "GTX Pro").sum() == 1147


def test_parquet_and_rows_give_what_csv_gives(tmp_path) -> None:
    source, typed = crm("sales_pipeline.csv"), tmp_path / "typed.parquet"
    texts = tmp_path / "texts.parquet"
    with duckdb.connect() as con:
        con.execute(f"COPY (FROM read_csv('{source}')) TO '{typed}'")
        con.execute(f"COPY (FROM read_csv('{source}', all_varchar=true)) TO '{texts}'")
    with source.open(newline="") as file:
        rows = list(csv.DictReader(file))
    expected = read(source).frame.drop(columns="deal")
    for other in (typed, texts, rows):
        deals = read(other)
        assert accounts_for_every_row(deals)
        pd.testing.assert_frame_equal(deals.frame.drop(columns="deal"), expected)


def test_numbers_and_times_of_parquet_need_no_guessing(tmp_path) -> None:
    path = tmp_path / "deals.parquet"
    moment = "TIMESTAMPTZ '2026-03-04 23:30:00+00'"
    with duckdb.connect() as con:
        rows = f"('won', 1.234::DOUBLE, {moment}), ('won', 12.345::DECIMAL(9, 3), {moment}), ('lost', NULL, NULL)"
        con.execute(f"COPY (FROM (VALUES {rows}) t(stage, amount, closed_on)) TO '{path}'")
    frame = read(path).frame
    assert frame["amount"].tolist()[:2] == [1.234, 12.345]
    assert str(frame["closed_on"][0].date()) == "2026-03-04"


def test_the_connection_that_held_the_data_reaches_nothing_else(tmp_path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    with loading.loaded([{"stage": "won", "amount": 1}], lambda names: [0, 1]) as raw:
        for sql in (f"FROM read_csv('{secret}')", f"ATTACH '{tmp_path}/x.db'", "SET enable_external_access=true"):
            with pytest.raises(duckdb.Error):
                raw.con.execute(sql)
