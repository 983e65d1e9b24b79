"""Task types are the same contract for those who have the code and for those who only know of it."""

from datetime import date
from typing import Annotated, Any

import pytest
from pydantic import ConfigDict, Field, create_model

from services import catalog, tasks
from services.errors import InvalidInput, NotFound
from tests.services import kit
from tests.services.crowd import Crowd

pytestmark = pytest.mark.usefixtures("core")


def typed(name, **fields):
    return catalog.TaskType(name, create_model(name, __config__=ConfigDict(extra="forbid"), **fields))


def declare_elsewhere(_, name):
    """What a worker of newer code does when it starts."""
    with kit.known(kit.a_type(name, queue="new", retries=7, timeout_s=12.5, estimate_s=3.0, version=4, doc="Does it.")):
        catalog.declare()


def test_a_type_that_a_worker_declared_is_known_elsewhere_at_once(crowd: Crowd):
    with pytest.raises(NotFound, match="there is no task type 'brand_new'; known are count, greet"):
        catalog.find("brand_new")
    crowd.do(declare_elsewhere, "brand_new", processes=1)
    found = catalog.find("brand_new")
    assert (found.queue, found.version, found.retries, found.timeout_s, found.estimate_s) == ("new", 4, 7, 12.5, 3.0)
    task = tasks.enqueue("brand_new", {"name": "porto"})
    assert (task.queue, task.max_tries, task.timeout_s, task.type_version) == ("new", 8, 12.5, 4)
    assert task.body.payload == {"name": "porto", "n": 0, "ratio": 0.5, "data": None}
    with pytest.raises(InvalidInput, match=r"^/nmae: brand_new takes no such argument"):
        tasks.enqueue("brand_new", {"nmae": "porto"})
    with pytest.raises(InvalidInput, match=r"^/n: 'x' does not fit brand_new: "):
        tasks.enqueue("brand_new", {"n": "x"})


def test_a_changed_declaration_replaces_the_old_one():
    with kit.known(kit.a_type("old", version=1)):
        catalog.declare()
    with kit.known(kit.a_type("old", version=2, queue="other")):
        catalog.declare()
    assert (catalog.declared(fresh=True)["old"].version, catalog.find("old").queue) == (2, "other")


def test_code_that_is_here_counts_more_than_what_was_declared():
    with kit.known(kit.a_type("greet", queue="declared")):
        catalog.declare()
    catalog.register(kit.a_type("greet", queue="here"))
    assert kit.greet().queue == "here"


def test_looking_for_types_while_others_read_them_never_misses_one():
    with kit.known(kit.a_type("far")):
        catalog.declare()

    def look(_):
        catalog.declared(fresh=True)
        return catalog.find("far").name

    assert kit.race(100, look, look, look) == [["far"] * 3] * 100


def test_a_signatures_own_types_are_stored_as_json_and_come_back():
    share = (Annotated[float, Field(ge=0, le=1)], 0.5)
    with kit.known(typed("report", day=(date, ...), parts=(set[str], set()), share=share)):
        task = tasks.enqueue("report", {"day": date(2026, 2, 28), "parts": {"a"}})
        assert task.body.payload == {"day": "2026-02-28", "parts": ["a"], "share": 0.5}
        assert tasks.enqueue("report", {"day": "2026-02-28"}).body.payload["day"] == "2026-02-28"
        for wrong in ({"day": "2026-02-30"}, {"day": "2026-02-28", "share": 1.01}, {}):
            with pytest.raises(InvalidInput, match="report"):
                tasks.enqueue("report", wrong)
        with pytest.raises(InvalidInput, match=r"^/day: report needs this argument"):
            tasks.enqueue("report", {})


def test_a_value_that_json_would_change_is_refused_not_changed():
    with kit.known(typed("anything", data=(Any, None), numbers=(list[float], []))):
        for value in ({1, 2}, date(2026, 2, 28), b"x", {"deep": [{3}]}):
            with pytest.raises(InvalidInput, match=r"^/data.* is not JSON"):
                tasks.enqueue("anything", {"data": value})
        with pytest.raises(InvalidInput, match=r"^/numbers/1: nan is not a number JSON knows"):
            tasks.enqueue("anything", {"numbers": [1, "nan"]})
        assert kit.count() == 0
        assert tasks.enqueue("anything", {"data": (1, 2)}).body.payload["data"] == [1, 2]


def test_declaring_many_types_twice_is_one_row_each():
    many = [kit.a_type(f"type_{n}") for n in range(30)]
    with kit.known(*many):
        assert catalog.declare() == catalog.declare() == 32
    assert kit.scalar("SELECT count(*) FROM types") == 32
