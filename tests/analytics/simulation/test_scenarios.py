"""Scenarios: what may be asked."""

import pytest
from pydantic import TypeAdapter, ValidationError

from analytics.errors import BadData
from analytics.simulation.scenario import DEFAULTS, Scenario, Scenarios, with_base
from analytics.simulation.simulate import simulate
from tests.analytics.simulation.frames import deals, opened, won_and_lost

ASKED = TypeAdapter(Scenarios)


def names(scenarios: list[Scenario]) -> list[str]:
    return [one.name for one in scenarios]


def test_the_base_is_added_where_nobody_named_it_and_moved_to_the_front():
    assert names(ASKED.validate_python([])) == ["base"]
    assert names(ASKED.validate_python([{"name": "better", "win_rate_mult": 1.2}])) == ["base", "better"]
    assert names(ASKED.validate_python([{"name": "better"}, {"name": " Base "}])) == ["Base", "better"]


def test_the_defaults_stand_as_they_are():
    assert with_base(DEFAULTS) == DEFAULTS


def test_asking_twice_changes_nothing():
    once = with_base([Scenario(name="better")])
    assert with_base(once) == once


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ([{"name": "a"}, {"name": "A "}], "the name 'A' twice: give each scenario its own name"),
        ([{"name": "base", "amount_mult": 2}], "'base' is what the others are compared with"),
        ([{"name": "a", "win_rate_mult": 0}], "greater than 0"),
        ([{"name": "a", "cycle_mult": 5.1}], "less than or equal to 5"),
        ([{"name": "a", "amount_mult": float("nan")}], "finite"),
        ([{"name": " "}], "at least 1 character"),
        ([{"name": "a", "win_rate": 2}], "not permitted"),
        ([{"name": f"{i}"} for i in range(21)], "at most 20"),
    ],
)
def test_bad_scenarios_are_refused(asked, sentence):
    with pytest.raises(ValidationError, match=sentence):
        ASKED.validate_python(asked)


def test_an_unknown_segment_is_refused_with_the_known_ones():
    frame = deals(won_and_lost(6, 4), opened(1, segment="South"))
    with pytest.raises(BadData, match="'no east' names 'East', which the data does not have: choose from North, South"):
        simulate(frame, [Scenario(name="no east", drop_segments=["East"])])
