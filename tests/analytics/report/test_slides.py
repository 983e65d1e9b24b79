"""The slides: native charts with the results' own values, and nothing beyond the edge."""

import zipfile
from io import BytesIO

import pytest
from pptx.util import Emu

from analytics import report
from tests.analytics.report import samples
from tests.analytics.report.files import charts, deck, document, of, said, shapes, workbooks


@pytest.fixture(scope="module")
def made():
    return report.pptx(document(subtitle="What was won"))


def values(chart):
    return {series.name: list(series.values) for series in chart.plots[0].series}


def test_the_count_is_the_number_of_slides_and_they_are_wide(made):
    found = deck(made.data)
    assert made.count == len(found.slides) >= 10
    assert round(found.slide_width / found.slide_height, 2) == 1.78


def test_the_native_charts_hold_the_results_values(made):
    bulk, simulation = samples.bulk(), samples.simulation()
    found = [values(chart) for chart in charts(made.data)]
    assert {"Won amount": [row["won_amount"] for row in bulk["monthly"]]} in found
    assert {"Won amount": [row["won_amount"] for row in bulk["owners"]]} in found
    by_rate = sorted((row["win_rate"] for row in bulk["segments"]), reverse=True)
    assert {"Win rate": by_rate} in found
    assert {"Runs": simulation["histogram"]["counts"]["base"]} in found
    assert {name: [row[name.lower()] for row in simulation["rows"]] for name in ("P10", "P50", "P90")} in found
    drivers = simulation["drivers"]
    assert {
        "Share of the mean": [row["share_of_mean"] for row in drivers],
        "Share of the variance": [row["share_of_variance"] for row in drivers],
    } in found
    held = [0, *(row["cumulative_share"] for row in bulk["concentration"]["clients"])]
    assert held in [each.get("Held together") for each in found]


def test_win_rates_carry_their_intervals_as_error_bars(made):
    chart = next(chart for chart in charts(made.data) if "Win rate" in values(chart))
    c = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
    bars = chart.plots[0].series[0]._element.find(f"{c}errBars")
    plus = [float(v.text) for v in bars.find(f"{c}plus").iter(f"{c}v")]
    rows = sorted(samples.bulk()["segments"], key=lambda row: row["win_rate"], reverse=True)
    assert plus == pytest.approx([row["win_rate_high"] - row["win_rate"] for row in rows])


def test_slides_and_pages_write_the_same_figures_and_findings(made):
    text = said(made.data)
    for sentence in (*samples.bulk()["findings"], *samples.bulk()["limits"], "10,005,534", "2,338,642", "60.2–68.8%"):
        assert sentence in text


def test_every_slide_has_a_title_and_every_chart_says_what_it_shows(made):
    for slide in deck(made.data).slides:
        assert slide.shapes.title.text_frame.text
    for shape in shapes(made.data):
        if shape.has_chart:
            assert shape._element.nvGraphicFramePr.cNvPr.get("descr")


def long_names():
    result = samples.bulk()
    for n, row in enumerate(result["segments"]):
        row["segment"] = f"{n} " + "Gesellschaft für außerordentlich lange Namen " * 6
    for row in result["stale"]:
        row["owner"] = "x" * 300
    result["findings"] = ["A long finding with many words in it. " * 30] * 20
    return of("bulk_analysis", result, "A title that goes on and on " * 12)


@pytest.mark.parametrize("source", [None, long_names()], ids=["samples", "long names"])
def test_nothing_reaches_beyond_the_slide(source):
    found = deck(report.pptx(document(*([source] if source else []), title="A very long title " * 11)).data)
    for slide in found.slides:
        for shape in slide.shapes:
            assert Emu(0) <= shape.left
            assert Emu(0) <= shape.top
            assert shape.left + shape.width <= found.slide_width
            assert shape.top + shape.height <= found.slide_height
            if shape.has_table:
                assert shape.top + sum(row.height for row in shape.table.rows) <= found.slide_height


def test_names_in_the_workbooks_stay_texts_and_never_become_formulas_or_links():
    result = samples.bulk()
    result["owners"][0]["owner"] = '=HYPERLINK("http://x.example")'
    result["owners"][1]["owner"] = "http://x.example/owner"
    made = report.pptx(document(of("bulk_analysis", result)))
    sheets = [book["xl/worksheets/sheet1.xml"] for book in workbooks(made.data)]
    assert sheets
    assert not any("<f>" in sheet or "hyperlink" in sheet.lower() for sheet in sheets)
    assert any("=HYPERLINK" in book["xl/sharedStrings.xml"] for book in workbooks(made.data))


def test_the_same_document_gives_the_same_bytes(made):
    assert report.pptx(document(subtitle="What was won")).data == made.data


def test_it_says_who_made_it_and_keeps_nothing_of_the_template(made):
    about = deck(made.data).core_properties
    assert (about.title, about.author, about.last_modified_by) == ("Sales review", "Callboard", "Callboard")
    assert [layout.name for layout in deck(made.data).slide_layouts] == ["Title Slide", "Title Only"]
    names = zipfile.ZipFile(BytesIO(made.data)).namelist()
    assert len(names) == len(set(names))
    assert "docProps/thumbnail.jpeg" not in names


def test_a_deck_of_many_tasks_ends_and_says_where():
    result = {name: [{"a": 1}] * 9 for name in ("one", "two", "three")}
    many = [report.Source(n, "note", f"Note {n}", "completed", result) for n in range(1, 50)]
    made = report.pptx(document(*many))
    assert made.count <= 81
    assert any(warning.startswith("The slides end after 80 of") for warning in made.warnings)
