"""What a process claims beyond its threads starts soon."""

import pytest

from runtime.pace import MOST, SOON_S, Pace


@pytest.mark.parametrize(
    ("body_s", "beyond"),
    [(1.0, 0), (0.5, 0), (0.4, 1), (0.1, 4), (SOON_S, 8), (0.01, 40), (0.001, 400), (0.0, MOST)],
)
def test_beyond_its_threads_it_claims_what_they_will_be_free_for(body_s: float, beyond: int) -> None:
    """8 threads come to `beyond` more bodies within 50 ms."""
    pace = Pace()
    pace.ran("type", body_s)
    assert pace.room(8, {"type"}) == 8 + beyond


def test_of_a_type_that_never_ran_it_claims_one_a_thread() -> None:
    """It may take hours."""
    assert Pace().room(8, {"new"}) == 8
    assert Pace().room(8, set()) == 8


def test_the_slowest_type_decides() -> None:
    """A slow body among quick ones holds a thread."""
    pace = Pace()
    pace.ran("quick", 0.001)
    pace.ran("slow", 2.0)
    assert pace.room(8, {"quick", "slow"}) == 8
    pace.slower("quick", 3.0)  # one still runs
    assert pace.room(8, {"quick"}) == 8
