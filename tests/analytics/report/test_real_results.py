"""Reports of what the analyses really return, on the real CRM file: the figures are the results' own."""

import json
from datetime import date

import pytest

from analytics import report
from analytics.bulk import analyse
from analytics.deals import read
from analytics.report import Source, figures
from analytics.simulation.simulate import simulate
from tests.analytics.report.files import charts, document, said, words
from tests.analytics.simulation.frames import crm_folder


@pytest.fixture(scope="module")
def results():
    folder = crm_folder()
    deals = read(folder / "sales_pipeline.csv", lookup_path=folder / "products.csv")
    analysis = analyse(lambda: deals, source="sales_pipeline.csv", today=date(2026, 11, 22)).result
    simulated = simulate(deals.frame, iterations=500, target=2_000_000.0)
    return json.loads(json.dumps(analysis)), json.loads(json.dumps(simulated))


@pytest.fixture(scope="module")
def made(results):
    analysis, simulated = results
    return document(
        Source(1, "bulk_analysis", "CRM", "completed", analysis),
        Source(2, "simulation_batch", "Next 90 days", "completed", simulated),
    )


def test_pages_hold_every_real_finding_limit_warning_and_figure(results, made):
    text = words(report.pdf(made).data)
    for result in results:
        for sentence in [*result.get("findings", []), *result["limits"], *result["warnings"]]:
            assert " ".join(sentence.split()) in text
    analysis, simulated = results
    for row in analysis["segments"] + analysis["owners"][:16]:
        assert figures.amount(row["won_amount"]) in text
    for row in simulated["rows"]:
        assert all(figures.amount(row[key]) in text for key in ("p10", "p50", "p90"))


def test_slides_hold_the_real_values(results, made):
    slides = report.pptx(made)
    found = [{series.name: list(series.values) for series in chart.plots[0].series} for chart in charts(slides.data)]
    analysis, simulated = results
    assert {"Won amount": [row["won_amount"] for row in analysis["monthly"]]} in found
    assert {name: [row[name.lower()] for row in simulated["rows"]] for name in ("P10", "P50", "P90")} in found
    assert figures.amount(analysis["totals"]["won_amount"]) in said(slides.data)
