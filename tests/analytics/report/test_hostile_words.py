"""Names come from other people's data: none of them may break, change or misuse a report."""

from itertools import cycle

import pytest

from analytics import report
from analytics.report.text import clean
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


def everywhere(start):
    """The samples with hostile names, taken in turn from `start`, in every place that a stranger may fill."""
    names = cycle(HOSTILE[start:] + HOSTILE[:start])
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
        ([bulk["source"]], ["name"]),
    ):
        for row in rows:
            row |= {key: next(names) for key in keys}
    bulk |= dict.fromkeys(("findings", "limits", "warnings", "unknown_clients"), HOSTILE)
    simulation["histogram"]["counts"] = {simulation["rows"][0]["name"]: simulation["histogram"]["counts"]["base"]}
    other = {name: [{name: name}] for name in HOSTILE}
    return (
        of("bulk_analysis", bulk, next(names)),
        of("simulation_batch", simulation, next(names)),
        of(next(names), other, next(names)),
    )


@pytest.mark.parametrize("start", range(0, len(HOSTILE), 5))
def test_hostile_names_everywhere_still_give_both_files(start):
    found = document(*everywhere(start), title=HOSTILE[start], subtitle=HOSTILE[start + 1])
    assert report.pdf(found).count > 3
    assert report.pptx(found).count > 5


@pytest.mark.parametrize("title", HOSTILE, ids=lambda title: ascii(title)[:24])
def test_a_hostile_title_is_still_a_title(title):
    found = document(of("note", {}, title), title=title, subtitle=title)
    assert found.title
    assert report.pdf(found).count > 1
    assert report.pptx(found).count > 1


def test_markup_and_formulas_are_printed_as_the_letters_they_are():
    found = document(of("bulk_analysis", samples.bulk() | {"findings": HOSTILE[:7]}))
    text, slides = words(report.pdf(found).data), said(report.pptx(found).data)
    for name in HOSTILE[:7]:
        assert clean(name) in text
        assert clean(name) in slides
