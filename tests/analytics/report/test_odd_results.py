"""Results that lack parts, or hold other things than they should, are read as far as they go."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics import report
from tests.analytics.report import samples
from tests.analytics.report.files import charts, document, of, said, words
from tests.support import examples

RESULTS = {"bulk_analysis": samples.bulk, "simulation_batch": samples.simulation}
KEYS = [(kind, key) for kind, make in RESULTS.items() for key in make()]


def both(*sources):
    found = document(*sources)
    return report.pdf(found), report.pptx(found)


def slim(kind):
    """A result of every part, whose tables have two rows: how a part is read does not depend on how many there are."""
    return {key: _cut(value) for key, value in RESULTS[kind]().items()}


def _cut(value):
    if isinstance(value, dict):
        return {key: _cut(item) for key, item in value.items()}
    return value[:2] if isinstance(value, list) and all(isinstance(item, dict) for item in value) else value


def what_differs(kind, result):
    """The report of a result without the sections that are as in the report of the whole one: those are drawn by it."""
    whole, found = (document(of(kind, each)) for each in (slim(kind), result))
    first, *others = found.sections
    return replace(found, sections=[first, *(section for section in others if section not in whole.sections)])


def emptied(value):
    if isinstance(value, dict):
        return {key: emptied(item) for key, item in value.items()}
    return [] if isinstance(value, list) else value


@pytest.mark.parametrize(("kind", "key"), KEYS)
def test_any_key_may_be_missing_or_of_another_kind(kind, key):
    for instead in (None, [], "text", {"a": 1}, [None, 3]):
        document(of(kind, RESULTS[kind]() | {key: instead}))
    result = slim(kind)
    del result[key]
    assert report.pdf(what_differs(kind, result)).count > 1


@pytest.mark.parametrize("kind", RESULTS)
def test_lists_that_are_all_empty_are_named_not_drawn(kind):
    page, slides = both(of(kind, emptied(RESULTS[kind]())))
    assert "Not in this result" in words(page.data)
    assert charts(slides.data) == []


@pytest.mark.parametrize("value", [0.0, -5_000.0, 1e15, 1e-9, float("inf"), float("nan"), None])
def test_any_amount_can_be_drawn(value):
    bulk, simulation = slim("bulk_analysis"), slim("simulation_batch")
    for row in bulk["monthly"] + bulk["owners"] + bulk["segments"]:
        row["won_amount"] = value
    for row in simulation["rows"]:
        row |= {"p10": value, "p50": value, "p90": value}
    for kind, result in (("bulk_analysis", bulk), ("simulation_batch", simulation)):
        found = what_differs(kind, result)
        assert len(found.sections) > 1
        assert report.pdf(found).count > 1
        assert report.pptx(found).count > 1


def test_a_histogram_of_one_value_and_one_of_zero_width_can_be_drawn():
    for edges, counts in (([5.0, 6.0], [10]), ([5.0, 5.0], [10]), ([1.0, 2.0, 3.0], [0, 0])):
        result = samples.simulation() | {"histogram": {"edges": edges, "counts": {"base": counts}}}
        page, _ = both(of("simulation_batch", result))
        assert page.count > 2


def test_a_report_of_nothing_but_a_failed_task_says_so():
    failed = report.Source(3, "bulk_analysis", "Import", "failed", None)
    page, slides = both(failed)
    assert "No result: failed" in words(page.data)
    assert "No result: failed" in said(slides.data)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=5),
    max_leaves=25,
)


@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.too_slow])
@given(result=ANYTHING)
def test_whatever_json_an_unknown_type_returns_becomes_two_files(result):
    page, slides = both(of("something", result))
    assert page.count >= 2
    assert slides.count >= 2
