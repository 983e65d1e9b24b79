"""The PDF: what a reader finds in it, page by page."""

import hashlib
import re
import subprocess
import sys

import pytest

from analytics import report
from analytics.report import figures
from analytics.report.pages import fonts
from tests.analytics.report import samples
from tests.analytics.report.files import document, of, pages, words


@pytest.fixture(scope="module")
def made():
    return report.pdf(document())


def test_the_count_is_the_number_of_pages_and_each_says_so(made):
    found = pages(made.data).pages
    assert made.count == len(found) >= 5
    for number, page in enumerate(found[1:], 2):
        assert f"{number} of {made.count}" in page.extract_text()


def test_the_results_figures_stand_in_the_text_as_they_are(made):
    text, bulk, simulation = words(made.data), samples.bulk(), samples.simulation()
    for row in bulk["segments"] + bulk["owners"]:
        assert figures.amount(row["won_amount"]) in text
        assert figures.interval(row["win_rate_low"], row["win_rate_high"]) in text
    for row in simulation["rows"]:
        for key in ("mean", "p10", "p50", "p90"):
            assert figures.amount(row[key]) in text
    for row in bulk["concentration"]["clients"][:10]:
        assert figures.percent(row["cumulative_share"]) in text


def test_findings_limits_and_issues_are_there_word_for_word(made):
    text, bulk = words(made.data), samples.bulk()
    issues = [issue["sentence"] for issue in bulk["quality"]["issues"]]
    for sentence in bulk["findings"] + bulk["limits"] + bulk["warnings"] + samples.simulation()["limits"] + issues:
        assert sentence in text


def test_the_outline_names_the_chapters_and_points_at_their_pages(made):
    reader = pages(made.data)
    chapters = [entry for entry in reader.outline if not isinstance(entry, list)]
    assert [entry.title for entry in chapters] == [chapter.title for chapter in document().chapters]
    for entry in chapters:
        assert entry.title in reader.pages[reader.get_destination_page_number(entry)].extract_text()


def test_the_contents_give_the_pages_on_which_the_chapters_begin(made):
    reader = pages(made.data)
    cover = reader.pages[0].extract_text()
    for entry in (entry for entry in reader.outline if not isinstance(entry, list)):
        page = reader.get_destination_page_number(entry) + 1
        assert re.search(rf"{re.escape(entry.title)}\s+{page}\b", cover), (entry.title, page)


def test_it_says_who_made_it_and_what_it_is(made):
    about = pages(made.data).metadata
    assert (about.title, about.author) == ("Sales review", "Callboard")
    assert pages(made.data).trailer["/Root"]["/Lang"] == "en-GB"


def test_latin_greek_and_cyrillic_are_set_in_embedded_fonts():
    result = samples.bulk()
    names = ["Łódź Żółć", "Ελληνική Τράπεζα", "Газпром нефть", "Zoë Ñandú", "Nguyễn Văn"]
    for row, name in zip(result["segments"], names, strict=False):
        row["segment"] = name
    made = report.pdf(document(of("bulk_analysis", result)))
    assert all(name in words(made.data) for name in names)
    assert made.warnings == []
    used = [font for page in pages(made.data).pages for font in page["/Resources"]["/Font"].values()]
    described = [font.get_object()["/FontDescriptor"] for font in used if "/FontDescriptor" in font.get_object()]
    assert described
    assert all("/FontFile2" in each.get_object() for each in described)


def test_east_asian_names_stay_readable_and_the_report_says_whose_fonts_they_use():
    result = samples.bulk()
    result["segments"][0]["segment"], result["segments"][1]["segment"] = "株式会社日立製作所", "한국전력공사"
    made = report.pdf(document(of("bulk_analysis", result)))
    assert "株式会社日立製作所" in words(made.data)
    assert "한국전력공사" in words(made.data)
    assert made.warnings == [
        "Chinese, Japanese and Korean text in the PDF uses the reader's own fonts; they are not embedded."
    ]


def test_a_letter_without_a_glyph_is_marked_and_reported_never_dropped():
    made = report.pdf(document(of("note", {"text": "🙂 good"})))
    assert "U+1F642" in made.warnings[0]
    assert "\N{REPLACEMENT CHARACTER} good" in words(made.data)


def test_without_roboto_the_pages_are_set_in_vera(monkeypatch):
    monkeypatch.setitem(sys.modules, "font_roboto", None)
    assert fonts.files() == ("Vera.ttf", "VeraBd.ttf")


def test_the_same_document_gives_the_same_bytes_here_and_in_another_process(made):
    again = report.pdf(document())
    assert again.data == made.data
    script = (
        "import hashlib; from analytics import report; from tests.analytics.report.files import document;"
        "print(hashlib.sha256(report.pdf(document()).data).hexdigest())"
    )
    other = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == hashlib.sha256(made.data).hexdigest()


def test_five_hundred_segments_and_twenty_years_of_months_stay_a_short_report():
    result = samples.bulk()
    result["segments"] = [samples.group("segment", f"Segment {n}", n % 8) for n in range(500)]
    result["monthly"] = [
        {"month": f"{2000 + n // 12}-{n % 12 + 1:02d}", "opened": 1, "won": 1, "lost": 1, "won_amount": 1000.0 + n}
        for n in range(240)
    ]
    assert report.pdf(document(of("bulk_analysis", result))).count < 12


def test_of_very_many_tasks_the_first_are_told_and_all_are_listed():
    found = document(*(report.Source(n, "note", f"Note {n}", "completed", {"value": n}) for n in range(1, 61)))
    text = words(report.pdf(found).data)
    assert all(f"Note {n}" in text for n in range(1, 61))
    assert "The first 40 of 60 tasks are told; the others are listed as sources." in found.warnings
