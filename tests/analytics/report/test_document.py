"""What a report says, before it is drawn."""

import pytest

from analytics.report import Source
from analytics.report.charts import Columns, Whiskers
from analytics.report.model import Bullets, KeyFigures, Notice, Table
from tests.analytics.report import samples
from tests.analytics.report.files import document, of


def blocks(found, kind):
    return [block for section in found.sections for block in section.blocks if isinstance(block, kind)]


def test_chapters_follow_the_tasks_and_end_with_quality_limits_and_sources():
    titles = [chapter.title for chapter in document().chapters]
    assert titles == ["Summary", "Sales performance", "Outlook", "Data quality", "Limits and warnings", "Sources"]


def test_the_cover_names_data_tasks_and_engines():
    facts = dict(document().facts)
    assert facts["Data"] == "sales_pipeline.csv, 6,715 rows"
    assert facts["Made from"] == "2 tasks: Pipeline 2017, Next quarter"
    assert facts["Engines"] == "local:duckdb-deals@1 (local engine); local:monte-carlo@1 (local engine)"


def test_key_figures_are_the_results_own():
    figures = {figure.label: figure.value for figure in blocks(document(), KeyFigures)[0].figures}
    assert figures["won amount"] == "10,005,534"
    assert figures["win rate"] == "63.2%"
    assert figures["average won deal"] == "2,361"


def test_every_finding_limit_and_warning_is_in_the_document():
    items = [item for bullets in blocks(document(), Bullets) for item in bullets.items]
    for result in (samples.bulk(), samples.simulation()):
        assert set(result.get("findings", []) + result["limits"] + result["warnings"]) <= set(items)


def test_only_intervals_that_exclude_the_overall_rate_are_called_different():
    result = samples.bulk()
    assert "No segment's win rate differs clearly" in blocks(document(of("bulk_analysis", result)), Whiskers)[0].message
    result["segments"][0] |= {"win_rate_low": 0.66, "win_rate": 0.7, "win_rate_high": 0.74}
    message = blocks(document(of("bulk_analysis", result)), Whiskers)[0].message
    assert message == "Clearly different from the 63.2% of all deals: Retail above."


def test_the_best_month_is_named_with_its_amount():
    assert blocks(document(), Columns)[0].message == "Apr 2017 was the best month: 904,012 won."


def test_a_change_smaller_than_twice_its_error_is_called_chance():
    result = samples.simulation()
    for row in result["rows"][1:]:
        row |= {"delta_vs_base": 1_000.0, "delta_se": 600.0}
    items = [item for bullets in blocks(document(of("simulation_batch", result)), Bullets) for item in bullets.items]
    assert "No scenario differs from the base by more than chance." in items


def test_a_task_without_a_result_gets_an_honest_box_and_no_chapter():
    failed = Source(9, "bulk_analysis", "Broken import", "failed", None)
    found = document(of("simulation_batch", samples.simulation()), failed)
    notice = blocks(found, Notice)[0]
    assert (notice.title, notice.kind) == ("No result: failed", "warning")
    assert "Task 9 (bulk_analysis) “Broken import” gave no result" in notice.text
    assert found.warnings == ("“Broken import” (task 9) gave no result: failed.",)
    assert "Sales performance" not in [chapter.title for chapter in found.chapters]


def test_two_analyses_are_told_apart_by_title_and_then_by_number():
    result = samples.bulk()
    named = [
        Source(n, "bulk_analysis", title, "completed", result)
        for n, title in ((1, "North"), (2, "South"), (3, "South"))
    ]
    titles = [chapter.title for chapter in document(*named).chapters]
    assert titles[1:4] == [
        "Sales performance: North", "Sales performance: South (task 2)", "Sales performance: South (task 3)"
    ]  # fmt: skip


def test_an_unknown_type_gets_names_values_lists_and_tables():
    result = {
        "engine": "local:textrank@1", "engine_kind": "local", "summary": "Agreed on the autumn release.",
        "points": ["One", "Two"], "action_items": [{"text": "Write", "owner": "Anna", "turn": 4}],
        "metrics": {"test": {"auc": 0.83123}, "rows": 12345}, "promoted": True, "nothing": [],
    }  # fmt: skip
    found = document(of("meeting_summary", result, "Weekly"))
    tables = {table.title: table for table in blocks(found, Table)}
    assert [list(row) for row in tables["Values"].rows] == [
        ["Summary", "Agreed on the autumn release."], ["Promoted", "yes"]
    ]  # fmt: skip
    assert [list(row) for row in tables["Metrics / Test"].rows] == [["Auc", "0.8312"]]
    assert [list(row) for row in tables["Action items"].rows] == [["Write", "Anna", "4"]]
    assert ("One", "Two") in [bullets.items for bullets in blocks(found, Bullets)]
    assert "Weekly" in [chapter.title for chapter in found.chapters]


def test_long_tables_are_cut_and_say_so():
    result = samples.bulk()
    result["segments"] = [samples.group("segment", f"Segment {n}", n % 8) for n in range(500)]
    table = next(
        table for table in blocks(document(of("bulk_analysis", result)), Table) if table.title == "Segments in figures"
    )
    assert len(table.rows) == 16
    assert "The first 16 of 500 rows" in table.note


def test_clients_that_were_asked_for_and_not_found_are_named():
    result = samples.bulk() | {"unknown_clients": ["Globex", "Initech"]}
    notice = blocks(document(of("bulk_analysis", result)), Notice)[0]
    assert (notice.title, notice.text) == ("Not in the data: 2 clients", "Globex, Initech")


@pytest.mark.parametrize("result", [{}, [], "text", 3.5, {"totals": None, "rows": None}, [[1], {"a": 2}]])
@pytest.mark.parametrize("kind", ["bulk_analysis", "simulation_batch", "something_else"])
def test_a_result_of_any_shape_becomes_a_document(kind, result):
    assert document(of(kind, result)).chapters[0].title == "Summary"
