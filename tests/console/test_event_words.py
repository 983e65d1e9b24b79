"""The audit trail speaks of people and things by their names."""

import pytest

from console.ui import event_words, say
from models import Event


def event(kind: str = "operator", actor: str | None = "ines", **more) -> Event:
    return Event(
        **{"actor_kind": kind, "actor_id": actor, "verb": "update", "entity": "task", "entity_id": "4", **more}
    )


@pytest.mark.parametrize(
    ("kind", "actor", "who"),
    [("operator", "ines", "ines"), ("api", None, "code"), ("task", "12", "task 12"), ("system", None, "Callboard")],
)
def test_who_acted_is_named(kind, actor, who):
    assert event_words.who(event(kind, actor)) == who


def test_things_are_called_by_the_names_that_people_know():
    assert event_words.what(event()) == "task 4"
    assert event_words.what(event(entity="operator", after={"name": "ruth", "role": "viewer"})) == "operator ruth"
    assert event_words.what(event(entity="bulk", entity_id="bulk-1f", after={"tasks": 312})) == "312 tasks"


def test_only_what_is_different_is_told():
    before, after = {"priority": 50, "paused": False, "tags": ["a"]}, {"priority": 80, "paused": True, "tags": ["a"]}
    assert event_words.change(event(before=before, after=after)) == "priority: 50 → 80; paused: no → yes"
    made = event(entity="operator", after={"name": "ruth", "description": "", "max_running": 3})
    assert event_words.change(made) == "max running: 3"
    tagged = event(before={"tags": []}, after={"tags": ["mail", "late"], "arguments": {"n": 1}})
    assert event_words.change(tagged) == 'tags: – → mail, late; arguments: {"n": 1}'


def test_a_refusal_begins_with_a_capital_unless_it_names_a_field():
    assert say.sentence("there is no task 7") == "There is no task 7"
    assert say.sentence("title: is too long") == say.plain("title: is too long")
    assert say.sentence("max_running must be 1 or more").startswith("max")
