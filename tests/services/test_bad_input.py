"""A payload or type that cannot be is refused before anything is written: one sentence with field, value and remedy."""

import re
from datetime import date
from decimal import Decimal

import pytest

from services import catalog, tasks
from services.errors import InvalidInput
from tests.services.kit import refused


@pytest.fixture(params=["here", "declared"])
def known_by(request, shared):
    """A type is known by its code, or by what a worker wrote down of it, as in the console."""
    code = catalog.local()["greet"]
    if request.param == "declared":
        catalog.unregister("greet")
    yield request.param
    catalog.register(code)


class Odd:
    """An object whose own words fail."""

    def __repr__(self):
        raise RuntimeError("no words")


def nested(levels, inner=0):
    for _ in range(levels):
        inner = [inner]
    return inner


def bomb():
    """Small in memory, endless when written: ten times ten times ten…"""
    layer = ["x"] * 10
    for _ in range(28):
        layer = [layer] * 10
    return layer


def circular():
    ring = []
    ring.append(ring)
    return ring


PAYLOADS = {
    "no object": ([1, 2], r"payload: \[1, 2\] is not an object with the type's arguments"),
    "text": ("{}", r"payload: '{}' is not an object"),
    "none": (None, r"payload: None is not an object"),
    "extra argument": ({"nmae": "x"}, r"/nmae: greet takes no such argument"),
    "wrong kind": ({"n": "many"}, r"/n: .*many"),
    "a fraction for a whole number": ({"n": 1.5}, r"/n: .*1\.5"),
    "null for text": ({"name": None}, r"/name: .*None"),
    "NaN": ({"ratio": float("nan")}, r"/ratio: nan is not a number JSON knows; give a finite one, or null"),
    "Infinity": ({"ratio": float("inf")}, r"/ratio: inf is not a number JSON knows"),
    "-Infinity deep down": ({"data": [{"x": [-float("inf")]}]}, r"/data/0/x/0: -inf is not a number JSON knows"),
    "NUL": ({"name": "a\0b"}, r"/name: holds a NUL character; remove it"),
    "NUL in a key": ({"data": {"a\0b": 1}}, r"/data: holds a NUL character; remove it"),
    "half a surrogate pair": ({"name": "\ud83d"}, r"/name: holds half a surrogate pair"),
    "half a pair in a key": ({"data": {"\udc00": 1}}, r"/data: holds half a surrogate pair"),
    "half a pair in a list": ({"data": ["ok", "\ud800x"]}, r"/data/1: holds half a surrogate pair"),
    "a number as key": ({"data": {1: "x"}}, r"/data: the key 1 is not text; JSON objects have text keys only"),
    "a number as argument name": ({7: "x"}, r"the key 7 is not text"),
    "null as key": ({"data": {None: "x"}}, r"/data: the key None is not text"),
    "too deep": ({"data": nested(32)}, r"/data/0.*: nested deeper than 32 levels; flatten it"),
    "a hundred thousand levels": ({"data": nested(100_000)}, r"nested deeper than 32 levels"),
    "a ring": ({"data": circular()}, r"nested deeper than 32 levels"),
    "a bomb": ({"data": bomb()}, r"more than 524,288 values; put large data into an artifact and pass its id"),
    "2^53 + 1": ({"n": 2**53 + 1}, r"/n: 9007199254740993 is beyond 2\^53; give it as text"),
    "-2^63": ({"data": -(2**63)}, r"/data: -9223372036854775808 is beyond 2\^53"),
    "5,000 digits": ({"data": 10**5000}, r"/data: this value is beyond 2\^53; give it as text"),
    "1 MiB and more": (
        {"name": "x" * 1024 * 1024},
        r"payload: 1,048,6\d\d bytes is more than 1,048,576; put large data",
    ),
    "1 MiB of two bytes each": ({"name": "ü" * 600_000}, r"payload: 1,200,0\d\d bytes is more than 1,048,576"),
    "1 MiB of quotes": ({"name": '"' * 600_000}, r"payload: 1,200,0\d\d bytes is more than 1,048,576"),
    "a set": ({"data": {1, 2}}, r"/data: \{1, 2\} \(set\) is not JSON; give text, numbers, lists or objects"),
    "bytes": ({"data": b"x"}, r"/data: b'x' \(bytes\) is not JSON"),
    "a Decimal": ({"data": Decimal("1.5")}, r"/data: Decimal\('1\.5'\).* is not JSON"),
    "a date": ({"data": date(2026, 2, 28)}, r"/data: .*is not JSON"),
    "an object": ({"data": object()}, r"/data: <object object at .* \(object\) is not JSON"),
    "an object without words": ({"data": [Odd()]}, r"/data/0: this Odd \(Odd\) is not JSON"),
    "a class": ({"data": int}, r"/data: <class 'int'> \(type\) is not JSON"),
    "a function": ({"data": len}, r"/data: <built-in function len> .* is not JSON"),
    "a huge key": ({"data": {"k" * 100_000: float("nan")}}, r"/data/k+…: nan"),
    "a line break in a key": ({"data": {"a\nb": float("nan")}}, r"/data/'a\\nb': nan"),
}


@pytest.mark.parametrize(("payload", "sentence"), PAYLOADS.values(), ids=PAYLOADS)
def test_a_payload_that_cannot_be_is_refused(known_by, payload, sentence):
    assert re.search(sentence, refused(lambda: tasks.enqueue("greet", payload), InvalidInput))


@pytest.mark.parametrize(("payload", "sentence"), PAYLOADS.values(), ids=PAYLOADS)
def test_it_spoils_the_whole_batch_it_is_in(shared, payload, sentence):
    refused(lambda: tasks.enqueue_many("greet", [{}] * 3 + [payload]), InvalidInput)


NOT_A_NUMBER_IN_DISGUISE = ["nan", "inf", "-Infinity", "1e999"]


@pytest.mark.parametrize("written", NOT_A_NUMBER_IN_DISGUISE)
def test_no_text_becomes_a_number_that_is_none(known_by, written):
    refused(lambda: tasks.enqueue("greet", {"ratio": written}), InvalidInput)
    refused(lambda: tasks.enqueue("greet", {"n": "9" * 400}), InvalidInput)
    refused(lambda: tasks.enqueue("greet", {"n": str(2**60)}), InvalidInput)


TYPES = {
    "greeet": r"type: there is no task type 'greeet'; did you mean greet\?",
    "x" * 5_000: r"type: there is no task type 'x{70,}…; known are greet",
    "": r"there is no task type ''",
    "os.system": r"there is no task type 'os\.system'",
    "../greet": r"there is no task type '\.\./greet'",
    "__import__": r"there is no task type",
    "greet\0": r"there is no task type 'greet\\x00'",
    "\ud800": r"there is no task type '\\ud800'",
    "GREET": r"there is no task type 'GREET'",
}


@pytest.mark.parametrize(("name", "sentence"), TYPES.items(), ids=lambda v: ascii(v)[:20])
def test_an_unknown_type_is_refused_with_near_names(known_by, name, sentence):
    assert re.search(sentence, refused(lambda: tasks.enqueue(name, {})))


@pytest.mark.parametrize("name", [None, 1, b"greet", ["greet"], object()], ids=lambda v: type(v).__name__)
def test_what_is_no_name_is_no_type(shared, name):
    assert "is not the name of a task type" in refused(lambda: tasks.enqueue(name, {}), InvalidInput)


@pytest.mark.parametrize("payloads", [5, None, "greet", {"name": "x"}, b"x"], ids=str)
def test_many_payloads_are_a_list(shared, payloads):
    assert "payloads: " in refused(lambda: tasks.enqueue_many("greet", payloads), InvalidInput)
