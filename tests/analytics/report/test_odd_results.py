"""Results that lack parts, or hold other things than they should, are read as far as they go."""

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


def emptied(value):
    if isinstance(value, dict):
        return {key: emptied(item) for key, item in value.items()}
    return [] if isinstance(value, list) else value


@pytest.mark.parametrize(("kind", "key"), KEYS)
def test_any_key_may_be_missing_or_of_another_kind(kind, key):
    for instead in (None, [], "text", {"a": 1}, [None, 3]):
        document(of(kind, RESULTS[kind]() | {key: instead}))
    result = RESULTS[kind]()
    del result[key]
    assert report.pdf(document(of(kind, result))).count > 1


@pytest.mark.parametrize("kind", RESULTS)
def test_lists_that_are_all_empty_are_named_not_drawn(kind):
    page, slides = both(of(kind, emptied(RESULTS[kind]())))
    assert "Not in this result" in words(page.data)
    assert charts(slides.data) == []


@pytest.mark.parametrize("value", [0.0, -5_000.0, 1e15, 1e-9, float("inf"), float("nan"), None])
def test_any_amount_can_be_drawn(value):
    bulk, simulation = samples.bulk(), samples.simulation()
    for row in bulk["monthly"] + bulk["owners"] + bulk["segments"]:
        row["won_amount"] = value
    for row in simulation["rows"]:
        row |= {"p10": value, "p50": value, "p90": value}
    page, slides = both(of("bulk_analysis", bulk), of("simulation_batch", simulation))
    assert page.count > 3
    assert slides.count > 5


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
