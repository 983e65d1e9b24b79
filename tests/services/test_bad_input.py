"""What cannot be is refused before anything is written: one sentence with field, value and remedy, at every door."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from runtime.actor import Actor, actor
from services import catalog, json_text, schedules, tasks
from services.errors import InvalidInput
from services.options import Options
from tests.services import kit
from tests.services.bad_inputs import OPTIONS, PAYLOADS, TEXTS, TYPES
from tests.services.kit import refused

IN_SCHEDULES = {"queue", "priority", "retries", "timeout", "tags", "unique_key", "project"}
SLOW = {"a bomb", "1 MiB of quotes"}  # seconds for all doors
DAILY = {"cron": "0 6 * * *"}
said: dict[str, str] = {}


def agreed(what: str, sentence: str) -> str:
    """The same sentence, which must be what the other database has said."""
    assert said.setdefault(what, sentence) == sentence
    return sentence


@pytest.fixture(params=["here", "declared"])
def known_by(request: pytest.FixtureRequest, shared: str) -> Iterator[str]:
    """A type is known by its code, or by what a worker wrote down of it, as in the console."""
    code = catalog.local()["greet"]
    if request.param == "declared":
        catalog.unregister("greet")
    yield request.param
    catalog.register(code)


@pytest.fixture
def greet() -> Iterator[Actor]:
    """The type as an actor; to be asked for after the ledger."""
    code = catalog.local()["greet"]

    def greet(run: Any, name: str = "world", n: int = 0, ratio: float = 0.5, data: Any = None) -> None:
        """Say hello."""

    made = actor(greet)
    yield made
    del made.broker.actors["greet"]
    catalog.register(code)


@pytest.mark.parametrize("what", PAYLOADS)
def test_a_payload_that_cannot_be_is_refused(known_by, what):
    payload, sentence = PAYLOADS[what]
    spoken = refused(lambda: tasks.enqueue("greet", payload), InvalidInput)
    assert re.search(sentence, agreed(f"{what}, {known_by}", spoken))


@pytest.mark.parametrize("what", [what for what in PAYLOADS if what not in SLOW])
def test_at_every_door_in_the_same_words(shared, greet, what):
    payload, sentence = PAYLOADS[what]
    spoken = refused(lambda: tasks.enqueue("greet", payload), InvalidInput)
    many = refused(lambda: tasks.enqueue_many("greet", [{}] * 3 + [payload]), InvalidInput)
    assert many == f"payload/3{spoken.removeprefix('payload')}"
    assert refused(lambda: tasks.check("greet", payload), InvalidInput) == spoken
    again = refused(lambda: tasks.run_again(1, payload=payload), InvalidInput) if payload is not None else ""
    assert again in (spoken, "")
    if payload is not None:
        template = refused(lambda: schedules.create("n", "greet", payload, **DAILY), InvalidInput)
        assert template.startswith("payload")
        assert re.search(sentence, template)
    if isinstance(payload, dict) and all(isinstance(name, str) for name in payload):
        for act in (greet.enqueue, greet.send, greet.with_options(priority=60).enqueue):
            assert refused(lambda act=act: act(**payload), InvalidInput) == spoken
        assert refused(lambda: greet.enqueue_many([payload]), InvalidInput)


@pytest.mark.parametrize("written", ["nan", "inf", "-Infinity", "1e999"])
def test_no_text_becomes_a_number_that_is_none(known_by, written):
    refused(lambda: tasks.enqueue("greet", {"ratio": written}), InvalidInput)
    refused(lambda: tasks.enqueue("greet", {"n": "9" * 400}), InvalidInput)
    refused(lambda: tasks.enqueue("greet", {"n": str(2**60)}), InvalidInput)


@pytest.mark.parametrize(("text", "sentence"), TEXTS.values(), ids=TEXTS)
def test_a_text_that_is_no_json_for_a_payload_is_refused(shared, text, sentence):
    spoken = refused(lambda: tasks.enqueue("greet", json_text.parsed(text, "arguments")), InvalidInput)
    assert re.match(sentence, spoken)


def test_what_is_json_is_read_as_it_stands():
    assert json_text.parsed('\ufeff {"a": [1, -0.5, 1e3, true, null, "\\u00fc"]}\n', "x") == {
        "a": [1, -0.5, 1000.0, True, None, "ü"]
    }


@pytest.mark.parametrize("what", OPTIONS)
def test_an_option_that_cannot_be_is_refused_at_every_door(shared, greet, what):
    options, sentence = OPTIONS[what]
    spoken = refused(lambda: tasks.enqueue("greet", {}, **options), InvalidInput)
    assert re.match(sentence, agreed(what, spoken))
    assert refused(lambda: tasks.check("greet", {}, **options), InvalidInput) == spoken
    assert refused(lambda: greet.with_options(**options).enqueue(), InvalidInput) == spoken
    assert refused(lambda: greet.with_options(priority=60).with_options(**options).enqueue(), InvalidInput) == spoken
    assert refused(lambda: greet.send_with_options(**options), InvalidInput) == spoken
    assert refused(lambda: tasks.enqueue_many("greet", [{}], **options), InvalidInput) == spoken
    if set(options) <= IN_SCHEDULES and None not in options.values():
        assert refused(lambda: schedules.create("n", "greet", **DAILY, **options), InvalidInput) == spoken


@pytest.mark.usefixtures("shared")
@pytest.mark.parametrize("delay", ["x", 10**30, -(10**30), timedelta.max], ids=lambda v: str(v)[:12])
def test_a_delay_that_is_none_is_refused(greet, delay):
    assert "delay" in refused(lambda: greet.send_with_options(delay=delay), InvalidInput)


@pytest.mark.usefixtures("shared")
def test_an_argument_may_have_any_name(greet):
    assert "/self" in refused(lambda: greet.enqueue(self=1), InvalidInput)
    assert "/self" in refused(lambda: greet.with_options(priority=60).enqueue(self=1), InvalidInput)


@pytest.mark.parametrize(("name", "sentence"), TYPES.items(), ids=lambda v: ascii(v)[:20])
def test_an_unknown_type_is_refused_with_near_names(known_by, name, sentence):
    spoken = refused(lambda: tasks.enqueue(name, {}))
    assert re.search(sentence, agreed(f"type {name!r}, {known_by}", spoken))
    assert refused(lambda: tasks.enqueue_many(name, [{}])) == spoken
    assert refused(lambda: schedules.create("n", name, **DAILY)) == spoken


@pytest.mark.parametrize("name", [None, 1, b"greet", ["greet"], object()], ids=lambda v: type(v).__name__)
def test_what_is_no_name_is_no_type(shared, name):
    assert "is not the name of a task type" in refused(lambda: tasks.enqueue(name, {}), InvalidInput)


@pytest.mark.parametrize("payloads", [5, None, "greet", {"name": "x"}, b"x"], ids=str)
def test_many_payloads_are_a_list(shared, payloads):
    assert "payloads: " in refused(lambda: tasks.enqueue_many("greet", payloads), InvalidInput)


def test_a_task_cannot_need_itself(shared):
    """It would have to know its number before it has one."""
    newest = kit.scalar("SELECT max(id) FROM tasks")
    assert f"there is no task #{newest + 1}" in refused(lambda: kit.greet(needs=[newest + 1]), InvalidInput)


def test_options_that_are_none_are_refused(shared):
    assert "options: " in refused(lambda: tasks.enqueue("greet", {}, {"priority": 5}), InvalidInput)
    with pytest.raises(InvalidInput, match=r"^priority: "):
        Options(priority=0)


def test_options_stay_what_they_were_when_they_were_said(core, greet):
    """Needs that can be read once are not forgotten, and a context that goes on changing is not followed."""
    first = kit.greet()
    context: dict[str, Any] = {"step": [1]}
    prepared = greet.with_options(needs=(one for one in [first]), context=context).with_options(priority=60)
    context["step"].append({1, 2})
    for child in (prepared.enqueue(), prepared.enqueue()):
        assert (child.waits_on, child.priority, child.body.context) == (1, 60, {"step": [1]})
