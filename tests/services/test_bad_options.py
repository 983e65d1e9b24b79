"""An option that cannot be is refused before anything is written: one sentence with field, value and remedy."""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from services import tasks
from services.errors import InvalidInput
from services.options import Options
from tests.services import kit
from tests.services.kit import refused

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


@pytest.mark.parametrize(("options", "sentence"), OPTIONS.values(), ids=OPTIONS)
def test_an_option_that_cannot_be_is_refused(shared, options, sentence):
    assert re.match(sentence, refused(lambda: tasks.enqueue("greet", {}, **options), InvalidInput))


def test_a_task_cannot_need_itself(shared):
    """It would have to know its number before it has one."""
    newest = kit.scalar("SELECT max(id) FROM tasks")
    assert f"there is no task #{newest + 1}" in refused(lambda: kit.greet(needs=[newest + 1]), InvalidInput)


def test_options_that_are_none_are_refused(shared):
    assert "options: " in refused(lambda: tasks.enqueue("greet", {}, {"priority": 5}), InvalidInput)
    with pytest.raises(InvalidInput, match=r"^priority: "):
        Options(priority=0)
