"""Text files as people save them: nothing breaks the reading of the rest, and nothing is dropped in silence."""

import csv
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.deals import read
from analytics.errors import BadData
from tests.analytics.deals.deal_files import HEADER, accounts_for_every_row, deals_from, table
from tests.support import examples

ROW = "1,Zoë & Sons,Ann,retail,Loom,Won,1234,2026-01-20,2026-02-20"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encodings_and_delimiters_are_recognised(tmp_path, encoding: str, delimiter: str) -> None:
    deals = deals_from(tmp_path, table(ROW).replace(",", delimiter).encode(encoding))
    assert deals.frame.loc[0, ["client", "amount"]].tolist() == ["Zoë & Sons", 1234.0]
    assert any("Windows-1252" in warning for warning in deals.warnings) == (encoding == "cp1252")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_of_all_systems_and_a_mixture_are_read(tmp_path, end: str) -> None:
    text = f"{HEADER}\r\n{ROW}{end}{ROW.replace('1,', '2,', 1)}\n{ROW.replace('1,', '3,', 1)}"
    assert deals_from(tmp_path, text).frame["deal"].tolist() == ["1", "2", "3"]


def test_an_unclosed_quotation_mark_costs_one_line(tmp_path) -> None:
    rows = [ROW.replace("1,", f"{number},", 1) for number in range(500)]
    rows[200] = '200,"Zoë,Ann,retail,Loom,Won,1234,2026-01-20,2026-02-20'
    deals = deals_from(tmp_path, table(*rows))
    assert len(deals.frame) == 499
    assert deals.rejected[["line", "reason"]].to_numpy().tolist() == [
        [202, "a quotation mark is misplaced or never closed"]
    ]
    assert deals.rejected["text"][0] == rows[200]


def test_cells_may_hold_delimiters_quotation_marks_and_line_breaks(tmp_path) -> None:
    deals = deals_from(tmp_path, table('1,"A, ""B""\nand C",5" pipe,retail,Loom,Won,1,,', ROW))
    assert deals.frame["client"].tolist() == ['A, "B" and C', "Zoë & Sons"]
    assert deals.frame["owner"].tolist() == ['5" pipe', "Ann"]


def test_ragged_and_empty_rows_are_rejected_with_their_line_and_reason(tmp_path) -> None:
    deals = deals_from(
        tmp_path, table(ROW, "2,short", "", ",,,,,,,,", ROW.replace("1,", "3,", 1) + ",extra", ROW + ' "')
    )
    assert deals.rejected["line"].tolist() == [3, 5, 6]
    assert deals.rejected["reason"].tolist() == [
        "2 cells where the header has 9",
        "every cell is empty",
        "10 cells where the header has 9",
    ]
    assert accounts_for_every_row(deals)
    assert {issue.action for issue in deals.issues if issue.check == "rejected_rows"} == {"rejected"}


def test_excels_note_on_the_delimiter_is_passed_over(tmp_path) -> None:
    assert len(deals_from(tmp_path, "sep=;\r\n" + table(ROW).replace(",", ";")).frame) == 1


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty"),
        (b"\n\n", "The file is empty"),
        (HEADER.encode(), "no rows"),
        (b"PK\x03\x04rest", "an Excel workbook, not CSV or Parquet. Save the deals as “CSV UTF-8”"),
        (b"\xd0\xcf\x11\xe0rest", "an old Excel workbook"),
        (b"%PDF-1.7", "a PDF"),
        (b"\x00\x01\x02", "binary"),
        (b"stage,amount\n\x81\x8d,1\n", "neither UTF-8 nor Windows-1252"),
        (b"PAR1 and no more", "The Parquet file is damaged"),
        (b"hello world\n1\n", "No column was recognised as stage. The data has: hello world."),
        (table("1,A,O,S,P,,5,,").encode(), r"No row can be used \(1 read\). The first, line 2: no stage"),
        (table("1,2").encode(), "line 2: 2 cells where the header has 9"),
    ],
)
def test_what_is_no_table_of_deals_is_refused_with_a_sentence(tmp_path, content: bytes, sentence: str) -> None:
    with pytest.raises(BadData, match=sentence):
        deals_from(tmp_path, content)


def test_a_file_that_is_broken_more_often_than_not_is_refused_early(tmp_path) -> None:
    with pytest.raises(BadData, match=r"10,001 of the first 10,002 rows are broken; the first, line 3: 2 cells"):
        deals_from(tmp_path, table(ROW, *["1,2"] * 20_000))


def test_a_header_of_thousands_of_columns_is_refused(tmp_path) -> None:
    with pytest.raises(BadData, match="2,001 columns, more than 2,000"):
        deals_from(tmp_path, ",".join(map(str, range(2_001))) + "\n")


def test_a_missing_file_is_named(tmp_path) -> None:
    with pytest.raises(BadData, match=r"There is no file 'none.csv'"):
        read(tmp_path / "none.csv")


def test_a_path_is_never_a_pattern_or_sql(tmp_path) -> None:
    path = tmp_path / "it's [all] *.csv"
    path.write_text(table(ROW))
    assert len(read(path).frame) == 1


cells = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=12)


@settings(max_examples=examples(60, share=10), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=15), st.sampled_from([",", ";", "\t", "|"]))
def test_whatever_a_csv_writer_writes_is_read_back_row_for_row(tmp_path, rows, delimiter: str) -> None:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerows([["stage", "amount", "client", "owner"], *(["Won", *row] for row in rows)])
    deals = deals_from(tmp_path, out.getvalue())
    assert len(deals.frame) == len(rows)
    for name, place in (("client", 1), ("owner", 2)):
        read_back = ["" if cell != cell else cell for cell in deals.frame[name]]
        assert [letters(cell) for cell in read_back] == [letters(row[place]) for row in rows]


def letters(cell: str) -> str:
    """What is left of a cell when spaces and control characters do not count, nor words for nothing."""
    kept = "".join(c for c in cell if c > " " and c not in "\x7f\xa0")
    return "" if kept.lower() in ("null", "nan", "n/a", "#n/a") else kept


@settings(max_examples=examples(150, share=10), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(st.sampled_from('",\n\r;a1 \t|'), max_size=25), max_size=12))
def test_every_row_of_a_broken_file_is_analysed_or_rejected(tmp_path, lines: list[str]) -> None:
    deals = deals_from(tmp_path, "\n".join(["stage,amount,client", "Won,1,A", *lines]))
    assert accounts_for_every_row(deals)
    assert "A" in deals.frame["client"].tolist()
