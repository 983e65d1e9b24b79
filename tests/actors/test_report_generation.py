"""The report as a task: what it needs, what it stores, what it says of itself."""

import hashlib
import json
from datetime import timedelta

import pytest
from pydantic import ValidationError

from actors.report_generation import report_generation
from actors.simulation_batch import simulation_batch
from models import now
from runtime import GiveUp
from runtime.errors import Cancelled
from runtime.run import Need
from runtime.testing import FakeRun, drain
from services import tasks
from services.errors import InvalidInput
from tests.analytics.report import samples
from tests.analytics.report.files import deck, pages, words

RESULT = {
    "engine", "engine_kind", "warnings", "limits", "report_url", "pages", "slides", "sections", "artifacts"
}  # fmt: skip


def needs():
    return [
        Need(12, "bulk_analysis", "Pipeline 2017", "completed", samples.bulk()),
        Need(13, "simulation_batch", "Next quarter", "completed", samples.simulation()),
    ]


def made(**payload):
    run = FakeRun(needs=payload.pop("given", needs()))
    return report_generation.body(run, **{"title": "Sales review"} | payload), run


def test_both_files_are_stored_and_counted_truly():
    result, run = made()
    assert set(result) == RESULT
    pdf, pptx = run.artifacts
    assert (pdf.name, pptx.name) == ("sales-review.pdf", "sales-review.pptx")
    assert pdf.media_type == "application/pdf"
    assert (result["pages"], result["slides"]) == (len(pages(pdf.data).pages), len(deck(pptx.data).slides))
    assert result["report_url"] == pdf.url == result["artifacts"][0]["url"]
    assert [file["sha256"] for file in result["artifacts"]] == [
        hashlib.sha256(file.data).hexdigest() for file in (pdf, pptx)
    ]
    assert json.loads(json.dumps(result)) == result


def test_the_sections_are_the_chapters_in_their_order():
    result, _ = made(formats=["pdf"])
    assert result["sections"] == [
        "Summary", "Sales performance", "Outlook", "Data quality", "Limits and warnings", "Sources"
    ]  # fmt: skip


def test_slides_alone_are_the_report_when_only_they_are_wanted():
    result, run = made(formats=["pptx"])
    assert [file.name for file in run.artifacts] == ["sales-review.pptx"]
    assert (result["pages"], result["report_url"]) == (0, run.artifacts[0].url)


def test_a_report_of_nothing_gives_up_and_says_how_to_name_tasks():
    with pytest.raises(GiveUp, match=r"with_options\(needs=\[task"):
        made(given=[])


def test_a_needed_task_that_failed_is_reported_not_hidden():
    failed = Need(14, "bulk_analysis", "Import", "failed", None)
    result, run = made(given=[needs()[1], failed], formats=["pdf"])
    assert result["warnings"] == ["“Import” (task 14) gave no result: failed."]
    assert "No result: failed" in words(run.artifacts[0].data)


def test_progress_rises_through_the_steps():
    _, run = made()
    assert [seen["step"] for seen in run.progress_seen] == ["gather", "charts", "pdf", "pptx", "store"]
    percents = [seen["percent"] for seen in run.progress_seen]
    assert percents == sorted(percents)


def test_a_cancellation_takes_effect_between_the_steps_and_stores_nothing():
    run = FakeRun(needs=needs(), interrupt_after=2)
    with pytest.raises(Cancelled):
        report_generation.body(run, title="Sales review")
    assert run.artifacts == []


def test_the_printed_date_is_the_one_of_the_time_zone():
    _, run = made(tz="Pacific/Kiritimati", formats=["pdf"])
    there = now() + timedelta(hours=14)
    assert f"{there.day} {there:%B %Y} (Pacific/Kiritimati)" in words(run.artifacts[0].data)


@pytest.mark.parametrize(
    "payload",
    [
        {"title": ""},
        {"title": "   "},
        {"title": "x" * 201},
        {"title": "T", "formats": []},
        {"title": "T", "formats": ["docx"]},
        {"title": "T", "tz": "Mars/Olympus"},
        {"title": "T", "tz": "../etc/passwd"},
        {"title": "T", "tz": ""},
        {"title": "T", "colour": "red"},
    ],
)
def test_what_cannot_be_a_report_is_refused_when_it_is_asked_for(payload):
    with pytest.raises((ValidationError, InvalidInput)):
        report_generation.enqueue(**payload)


def test_in_the_queue_it_waits_for_what_it_needs_and_reports_on_it(ledger):
    won = {"stage": "Won", "amount": 10, "opened_on": "2026-01-01", "closed_on": "2026-02-01"}
    data = {"rows": [{"deal": str(n)} | won for n in range(30)]}
    first = simulation_batch.enqueue(data=data, iterations=100)
    second = report_generation.with_options(needs=[first]).enqueue(title="Outlook", formats=["pdf"])
    assert drain() == 2
    result = tasks.wait(second.id, timeout=30).result
    assert result["sections"][:2] == ["Summary", "Outlook"]
    assert result["artifacts"][0]["name"] == "outlook.pdf"
