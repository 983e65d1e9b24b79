"""What cannot be: payloads, options and types, each with the sentence that refuses it, for every door to try.

Python (`tasks`, actors, schedules' templates): all of them. The console's form: what can be typed, see `typed`; what
only a text can say, such as a name said twice, is in `TEXTS`. HTTP takes no tasks, only questions.
"""

import json
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal


class Odd:
    """An object whose own words fail."""

    def __repr__(self):
        raise RuntimeError("no words")


class Nowhere(tzinfo):
    """A zone that does not know its offset."""

    def utcoffset(self, _):
        raise RuntimeError("nowhere")

    def __repr__(self):
        raise RuntimeError("nowhere")


def nowhere():
    """A moment in it."""
    return datetime(2026, 1, 1, tzinfo=Nowhere())


class Hostile:
    """An object with which nothing can be done."""

    def _fail(self, *_):
        raise RuntimeError("no")

    __repr__ = __str__ = __eq__ = __lt__ = __len__ = __bool__ = __int__ = __float__ = __index__ = _fail
    __hash__ = object.__hash__


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
        r"payload: 1,048,\d\d\d bytes is more than 1,048,576; put large data",
    ),
    "1 MiB of two bytes each": ({"name": "ü" * 600_000}, r"payload: 1,200,\d\d\d bytes is more than 1,048,576"),
    "1 MiB of quotes": ({"name": '"' * 600_000}, r"payload: 1,200,\d\d\d bytes is more than 1,048,576"),
    "a set": ({"data": {1, 2}}, r"/data: \{1, 2\} \(set\) is not JSON; give text, numbers, lists or objects"),
    "bytes": ({"data": b"x"}, r"/data: b'x' \(bytes\) is not JSON"),
    "a Decimal": ({"data": Decimal("1.5")}, r"/data: Decimal\('1\.5'\).* is not JSON"),
    "a date": ({"data": date(2026, 2, 28)}, r"/data: .*is not JSON"),
    "an object": ({"data": object()}, r"/data: <object object at .* \(object\) is not JSON"),
    "an object without words": ({"data": [Odd()]}, r"/data/0: this Odd \(Odd\) is not JSON"),
    "a moment nowhere": ({"data": nowhere()}, r"/data: this datetime \(datetime\) is not JSON"),
    "an object equal to nothing": (
        {"data": {"x": Hostile()}},
        r"/data/x: this Hostile \(Hostile\) is not JSON",
    ),
    "a class": ({"data": int}, r"/data: <class 'int'> \(type\) is not JSON"),
    "a function": ({"data": len}, r"/data: <built-in function len> .* is not JSON"),
    "a huge key": ({"data": {"k" * 100_000: float("nan")}}, r"/data/k+…: nan"),
    "a huge argument name": ({"k" * 100_000: 1}, r"/k{79}…: greet takes no such argument"),
    "a line break in an argument name": ({"a\nb": 1}, r"/'a\\nb': greet takes no such argument"),
    "a slash in an argument name": ({"a/b~": 1}, r"/a~1b~0: greet takes no such argument"),
    "a line break in a key": ({"data": {"a\nb": float("nan")}}, r"/data/'a\\nb': nan"),
}


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

NOW = datetime.now(UTC)
ENDLESS_DIGITS = 10**5000


def lone(offset_hours):
    return timezone(timedelta(hours=offset_hours))


NO_WHOLE = {
    "priority": [0, -1, 101, 10**9, 1.5, 50.0, "5", True, None, ENDLESS_DIGITS],
    "retries": [-1, 50, 10**6, 1.0, "3", True],
    "rerun_of": [0, "1", 2**70],
    "schedule_id": ["x", -1],
}
NO_DURATION = [
    0, -1, 10**9, float("nan"), float("inf"), "10", True, timedelta(days=8), timedelta(0), Decimal(5), ENDLESS_DIGITS,
]  # fmt: skip
OPTIONS = {
    "naive time": ({"run_at": datetime(2030, 1, 1)}, r"run_at: 2030-01-01T00:00:00 has no time zone; give one"),  # noqa: DTZ001
    "year 1": ({"run_at": datetime(1, 1, 1, tzinfo=UTC)}, r"run_at: 0001-01-01.* is out of range; give a time from"),
    "year 9999": ({"run_at": datetime(9999, 12, 31, tzinfo=UTC)}, r"run_at: 9999-12-31.* is out of range"),
    "beyond year 9999": ({"run_at": datetime(9999, 12, 31, 23, 59, tzinfo=lone(-12))}, r"run_at: .* is out of range"),
    "before year 1": ({"run_at": datetime(1, 1, 1, tzinfo=lone(12))}, r"run_at: .* is out of range"),
    "six years ahead": ({"run_at": NOW + timedelta(days=6 * 366)}, r"run_at: .* to five years from now"),
    "two days ago": ({"expires_at": NOW - timedelta(days=2)}, r"expires_at: .* is out of range"),
    "time as text": ({"run_at": "2030-01-01T00:00:00Z"}, r"run_at: .* is not a datetime; give one with its time zone"),
    "time as number": ({"run_at": 1893456000000}, r"run_at: 1893456000000 is not a datetime"),
    "a date as time": ({"run_at": date(2030, 1, 1)}, r"run_at: .* is not a datetime"),
    "a zone without an offset": ({"run_at": nowhere()}, r"run_at: its time zone does not say how far it is from UTC"),
    "policy equal to nothing": ({"on_parent_failure": Hostile()}, r"on_parent_failure: this Hostile is none of cancel"),
    "expiry before start": (
        {"run_at": NOW + timedelta(days=2), "expires_at": NOW + timedelta(days=1)},
        r"expires_at: is not after run_at, so that it could never start; give a later time",
    ),
    "unknown need": ({"needs": [10**6]}, r"needs: there is no task #1000000; a task can only need tasks that exist"),
    "future need": ({"needs": [2]}, r"needs: there is no task #2"),
    "need 0": ({"needs": [0]}, r"needs/0: 0 is not a whole number from 1"),
    "need as text": ({"needs": ["1"]}, r"needs/0: '1' is not a whole number"),
    "needs as text": ({"needs": "1"}, r"needs/0: '1' is not a whole number"),
    "needs as bytes": ({"needs": b"1"}, r"needs: b'1' is not a list; give one"),
    "needs true": ({"needs": [True]}, r"needs/0: True is not a whole number"),
    "needs none": ({"needs": None}, r"needs: None is not a list; give one"),
    "needs a float": ({"needs": 1.0}, r"needs: 1\.0 is not a list; give one"),
    "10,001 needs": ({"needs": range(1, 10_002)}, r"needs: more than 10,000; give fewer, in several steps if need be"),
    "endless needs": ({"needs": iter(int, 1)}, r"needs: more than 10,000"),
    "policy": ({"on_parent_failure": "ignore"}, r"on_parent_failure: 'ignore' is none of cancel, run_anyway, hold"),
    "policy of another kind": ({"on_parent_failure": []}, r"on_parent_failure: \[\] is none of cancel"),
    "max_running alone": ({"max_running": 2}, r"max_running: limits a concurrency_key; give that too"),
    "max_running 0": (
        {"max_running": 0, "concurrency_key": "k"},
        r"max_running: 0 is not a whole number from 1 to 10,000",
    ),
    "tags none": ({"tags": None}, r"tags: None is not a list; give one"),
    "tags of numbers": ({"tags": [1]}, r"tags/0: 1 is not text"),
    "too many tags": ({"tags": ["x"] * 21}, r"tags: more than 20; give fewer"),
    "endless tags": ({"tags": iter(lambda: "x", "y")}, r"tags: more than 20"),
    "tag with line break": ({"tags": ["ok", "a\nb"]}, r"tags/1: 'a\\nb' holds control characters; remove them"),
    "context as text": ({"context": "x"}, r"context: 'x' is not an object"),
    "context with a set": ({"context": {"x": {1}}}, r"context/x: \{1\} \(set\) is not JSON; give text, numbers"),
    "context with NaN": ({"context": {"x": float("nan")}}, r"context/x: nan is not a number JSON knows"),
    "context too large": ({"context": {"x": "y" * 70_000}}, r"context: 70,0\d\d bytes is more than 65,536"),
    "unknown option": ({"prioriti": 5}, r"prioriti: there is no such option; did you mean priority\?"),
    "another unknown option": ({"zzz": 5}, r"zzz: there is no such option; known are concurrency_key, context"),
    "an option of its own": ({"needed_ids": (1,)}, r"needed_ids: there is no such option"),
    "somebody else's": ({"owner": 1}, r"owner: there is no such option"),
    "by somebody else": ({"created_by": "admin"}, r"created_by: there is no such option"),
    "status": ({"status": "completed"}, r"status: there is no such option"),
}
NAMES = {"unique_key": 200, "concurrency_key": 200, "project": 100, "title": 200, "queue": 64, "slot": 40}
for _field, _wrongs in NO_WHOLE.items():
    for _n, _wrong in enumerate(_wrongs):
        OPTIONS[f"{_field} {_n}"] = ({_field: _wrong}, rf"{_field}: .* is not a whole number from")
for _n, _wrong in enumerate(NO_DURATION):
    OPTIONS[f"timeout {_n}"] = ({"timeout": _wrong}, r"timeout: .* is not a duration from 0\.1 s to 604,800 s")
for _field, _longest in NAMES.items():
    OPTIONS |= {
        f"{_field} of 1 kB": (
            {_field: "k" * 1024},
            rf"{_field}: 1,024 characters are more than {_longest}; shorten it",
        ),
        f"{_field} one too long": ({_field: "ü" * (_longest + 1)}, rf"{_field}: {_longest + 1} characters are more"),
        f"{_field} NUL": ({_field: "a\0"}, rf"{_field}: holds a NUL character; remove it"),
        f"{_field} surrogate": ({_field: "a\udfff"}, rf"{_field}: holds half a surrogate pair"),
        f"{_field} control": ({_field: "a\x1b[31m"}, rf"{_field}: 'a\\x1b\[31m' holds control characters; remove them"),
        f"{_field} line separator": ({_field: "a\u2028b"}, rf"{_field}: 'a\\u2028b' holds control characters"),
        f"{_field} right to left": ({_field: "abc\u202egpj.exe"}, rf"{_field}: .* holds control characters"),
        f"{_field} number": ({_field: 7}, rf"{_field}: 7 is not text"),
        f"{_field} bytes": ({_field: b"k"}, rf"{_field}: b'k' is not text"),
    }
    if _field != "title":
        OPTIONS |= {
            f"{_field} empty": ({_field: ""}, rf"{_field}: is empty; give at least one character, or leave it out"),
            f"{_field} blank": ({_field: " \u00a0\t"[:2]}, rf"{_field}: is empty; give at least one character"),
        }

UNTYPED = {  # of the payloads: JSON has no words for them, so that nobody can type them
    "half a surrogate pair", "half a pair in a key", "half a pair in a list", "a number as key",
    "a number as argument name", "null as key", "a hundred thousand levels", "a ring", "a bomb", "5,000 digits",
    "a set", "bytes", "a Decimal", "a date", "an object", "an object without words", "a moment nowhere",
    "an object equal to nothing", "a class", "a function",
}  # fmt: skip
TEXTS = {  # and what only a text can be
    "no end": ('{"n": ', r"arguments: is not JSON: .* line 1, column 6"),
    "something after the end": ("{} x", r"arguments: is not JSON: .* column 4"),
    "nothing": ("", r"arguments: is empty; give JSON, such as \{\}"),
    "blank": (" \n ", r"arguments: is empty; give JSON"),
    "single quotes": ("{'n': 1}", r"arguments: is not JSON: .*double quotes"),
    "a comma too many": ('{"n": 1,}', r"arguments: is not JSON: "),
    "a comment": ('{"n": 1} // one', r"arguments: is not JSON: "),
    "a name twice": ('{"n": 1, "n": 2}', r"arguments: 'n' stands there twice; keep one of them"),
    "a name twice deep down": ('{"data": [{"a b": 1, "a b": 1}]}', r"arguments: 'a b' stands there twice"),
    "a number too large to be one": ('{"ratio": 1e999}', r"/ratio: inf is not a number JSON knows"),
    "NaN as a word": ('{"data": NaN}', r"/data: nan is not a number JSON knows; give a finite one, or null"),
    "five thousand digits": ('{"n": ' + "9" * 5000 + "}", r"arguments: a number of 5,000 digits is beyond 2\^53"),
    "half a pair, escaped": (r'{"name": "\ud800"}', r"/name: holds half a surrogate pair"),
    "NUL, escaped": (r'{"name": "a\u0000"}', r"/name: holds a NUL character"),
    "a hundred thousand brackets": ("[" * 100_000, r"arguments: is nested too deeply; flatten it"),
    "as many closed": ('{"data": ' + "[" * 100_000 + "]" * 100_000 + "}", r"arguments: is nested too deeply"),
    "33 levels": ('{"data": ' + "[" * 32 + "]" * 32 + "}", r"/data/0.*: nested deeper than 32 levels"),
    "5 MB": ('"' + "x" * 5_000_000 + '"', r"arguments: 5,000,002 characters are more than 4,194,304"),
}


def typed(name: str) -> str | None:
    """The payload of this name as somebody would type it; None where nobody can."""
    return None if name in UNTYPED else json.dumps(PAYLOADS[name][0], ensure_ascii=False)
