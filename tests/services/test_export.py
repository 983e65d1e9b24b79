"""What is exported: exactly what matches, page by page, harmless in a spreadsheet."""

import csv
import io
import json

import pytest

from models import Move, Role
from services import audit, export, operators, spreadsheet, tasks
from services.errors import Forbidden
from services.export import FIELDS, Format
from services.search import TaskFilter
from tests.services import kit


def written(kind: Format, wanted: TaskFilter, **more) -> str:
    return b"".join(export.chunks(wanted, kind, **more)).decode()


def rows(wanted: TaskFilter, **more) -> list[dict[str, str]]:
    """The CSV, read again."""
    return list(csv.DictReader(io.StringIO(written(Format.csv, wanted, **more).removeprefix("\ufeff"))))


def test_both_formats_hold_what_matches_newest_first(core, monkeypatch):
    monkeypatch.setattr(export, "PAGE", 3)
    ids = tasks.enqueue_many("greet", [{}] * 10, title="Café — 北京", tags=["nightly", "mail"])
    tasks.enqueue("count", {})
    for claimed in kit.take(4):
        kit.finish(claimed, Move.fail)
    wanted = TaskFilter(type="greet")
    found = rows(wanted)
    assert [int(row["id"]) for row in found] == sorted(ids, reverse=True)
    assert (found[0]["title"], found[0]["tags"]) == ("Café — 北京", "nightly mail")
    lines = [json.loads(line) for line in written(Format.jsonl, wanted).splitlines()]
    assert [line["id"] for line in lines] == sorted(ids, reverse=True)
    assert lines[0]["tags"] == ["nightly", "mail"]
    failed = [line for line in lines if line["status"] == "failed"]
    assert {line["error"] for line in failed} == {"no such album"}
    assert list(lines[0]) == list(FIELDS)


@pytest.mark.parametrize("title", ["=1+1", "+1", "-1", "@SUM(A1)", " =1+1", "＝1+1", "\u00a0=HYPERLINK()"])
def test_no_cell_begins_a_formula(core, title):
    kit.greet(title=title)
    assert rows(TaskFilter())[0]["title"] == f"'{title}"
    assert json.loads(written(Format.jsonl, TaskFilter()))["title"] == title


@pytest.mark.parametrize("cell", ["\tx", "\rx", "\nx"])
def test_signs_that_a_title_cannot_hold_are_guarded_all_the_same(cell):
    assert spreadsheet.guarded(cell) == f"'{cell}"
    assert spreadsheet.guarded(-5) == -5


def test_nothing_is_read_before_it_is_asked_for_and_it_ends_at_the_limit(core, monkeypatch):
    monkeypatch.setattr(export, "PAGE", 2)
    tasks.enqueue_many("greet", [{}] * 9)
    statements: list[str] = []
    with kit.watching(statements):
        steps = export.chunks(TaskFilter(), Format.jsonl, 5)
        assert not statements
        assert len(next(steps).splitlines()) == 2
    assert len(rows(TaskFilter(), most=5)) == 5


def test_a_file_that_is_cut_says_so(core, monkeypatch):
    monkeypatch.setattr(export, "MOST", 3)
    tasks.enqueue_many("greet", [{}] * 3)
    assert "newest" not in export.begin(TaskFilter(), Format.csv)
    kit.greet()
    assert export.begin(TaskFilter(type="greet"), Format.csv).endswith("-newest-3.csv")
    assert [e.after for e in kit.events("export")][1] == {"filter": {"type": "greet"}, "cut": True}


def test_who_loses_the_right_gets_no_further_page(core, monkeypatch):
    monkeypatch.setattr(export, "PAGE", 2)
    tasks.enqueue_many("greet", [{}] * 6)
    vera = operators.create("vera", Role.viewer)
    with audit.acting_as(vera):
        steps = export.chunks(TaskFilter(), Format.jsonl)
        next(steps)
    kit.execute("UPDATE operators SET disabled_at = created_at WHERE name = 'vera'")
    with pytest.raises(Forbidden, match="no active account"):
        next(steps)


def test_an_empty_export_is_its_head(core):
    assert rows(TaskFilter()) == []
    assert written(Format.csv, TaskFilter()).count("\n") == 1
    assert written(Format.jsonl, TaskFilter()) == ""
