"""Names come from other people's data: none of them may break, change or misuse a report."""

import pytest

from analytics import report
from tests.analytics.report import samples
from tests.analytics.report.files import document, of, said, words

HOSTILE = [
    "<b>unclosed",
    "</font><font size=99>",
    "<img src='file:///etc/passwd'/>",
    "<a href='javascript:alert(1)'>x</a>",
    "&amp; &#0; & <",
    '=HYPERLINK("http://x.example","x")',
    "{0} %s ${x}",
    "\u202egnp.exe",
    "a\x00b\x1b[31mc",
    "lone \ud800 surrogate",
    "ﷺ العربية שלום",
    "x" * 5_000,
    "",
    " \n\t ",
    "👩‍👩‍👧 family",
]


def everywhere(name):
    """The samples with `name` in every place that a stranger may fill."""
    bulk, simulation = samples.bulk(), samples.simulation()
    for rows, keys in (
        (bulk["segments"], ["segment"]),
        (bulk["owners"], ["owner"]),
        (bulk["stale"], ["deal", "client", "owner"]),
        (bulk["anomalies"], ["deal", "client", "what"]),
        (bulk["per_client"], ["client", "segment", "last_activity"]),
        (bulk["concentration"]["clients"], ["client"]),
        (bulk["quality"]["issues"], ["check", "action", "sentence"]),
        (simulation["drivers"], ["segment"]),
        (simulation["rows"], ["name"]),
        ([bulk, simulation], ["engine", "engine_kind", "as_of"]),
    ):
        for row in rows:
            row |= dict.fromkeys(keys, name)
    bulk |= {"findings": [name], "limits": [name], "warnings": [name], "unknown_clients": [name]}
    bulk["source"]["name"] = name
    simulation["histogram"]["counts"] = {name: simulation["histogram"]["counts"]["base"]}
    return of("bulk_analysis", bulk, name), of("simulation_batch", simulation, name), of(name, {name: [{name: name}]})


@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: ascii(name)[:24])
def test_a_hostile_name_everywhere_still_gives_both_files(name):
    found = document(*everywhere(name), title=name or "T", subtitle=name)
    assert report.pdf(found).count > 3
    assert report.pptx(found).count > 5


@pytest.mark.parametrize("name", [HOSTILE[0], HOSTILE[2], HOSTILE[5], HOSTILE[6]])
def test_markup_and_formulas_are_printed_as_the_letters_they_are(name):
    result = samples.bulk() | {"findings": [name]}
    found = document(of("bulk_analysis", result))
    assert name in words(report.pdf(found).data)
    assert name in said(report.pptx(found).data)
