"""What a body may say of how far it is."""

import pytest

from runtime.testing import FakeRun

NAN, ENDLESS = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("done", "total"),
    [
        (-1, 100), (-0.1, None), (101, 100), (NAN, None), (1, NAN), (ENDLESS, None), (1, ENDLESS), (0, 0), (1, -5),
        (10**400, None), (1, 10**400),
    ],
)  # fmt: skip
def test_progress_that_cannot_be_is_refused_and_the_last_that_could_stays(done, total):
    run = FakeRun()
    run.progress(5, 10, "half")
    with pytest.raises(ValueError, match="cannot be: give 0 ≤ done ≤ total, total above 0"):
        run.progress(done, total)
    assert [(seen["percent"], seen["note"]) for seen in run.progress_seen] == [(50.0, "half")]


def test_progress_may_go_back_as_where_a_body_begins_anew():
    run = FakeRun()
    run.progress(5, 10)
    run.progress(1, 10)
    assert [seen["percent"] for seen in run.progress_seen] == [50.0, 10.0]
