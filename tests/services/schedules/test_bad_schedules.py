"""A schedule that cannot be is refused before anything is written: one sentence with field, value and remedy."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from services import schedules
from services.errors import InvalidInput, NotFound, ServiceError
from tests.services import kit

BAD_CRON = {
    "60 * * * *": r"cron: '60' is no minute; give 0 to 59, \*, ranges a-b, lists a,b or steps \*/n",
    "* 24 * * *": r"cron: '24' is no hour; give 0 to 23",
    "* * 32 * *": r"cron: '32' is no day of the month; give 1 to 31",
    "* * * 13 *": r"cron: '13' is no month; give 1 to 12 or JAN to DEC",
    "* * * * 8": r"cron: '8' is no day of the week; give 0 to 7 or SUN to SAT",
    "61 * * * * *": r"cron: '61' is no second",
    "* * * *": r"cron: '\* \* \* \*' has 4 fields; give 5 \(minute, hour,.*\), or 6 with seconds first",
    "* * * * * * *": r"cron: .* has 7 fields",
    "": r"cron: '' has 0 fields",
    "*/0 * * * *": r"cron: '\*/0' is no minute; steps are 1 or more",
    "*/61 * * * *": r"cron: '\*/61' is no minute; steps are less than 60",
    "5/10 * * * *": r"cron: '5/10' is no minute; steps need a range or \*, as 5-n/10",
    "5-5/10 * * * *": r"cron: '5-5/10' is no minute; steps need a range",
    "0 0 L/2 * *": r"cron: 'L/2' is no day of the month; steps need a range",
    "0 0 ? * *": r"cron: '\?' is no day of the month; give 1 to 31, L or LW",
    "a b c d e": r"cron: 'a' is no minute",
    "5-1 * * * *": r"cron: '5-1' is no minute",
    "0 0 30 2 *": r"cron: '0 0 30 2 \*' never fires within 5 years",
    "0 0 31 4,6,9 *": r"cron: .* never fires within 5 years",
    "1" * 201: r"cron: 201 characters are more than 200; shorten it",
    "١ * * * *": r"cron: .* holds letters or digits that cron does not know; write it with 0 to 9",
    "@reboot": r"cron: '@reboot' is none of @hourly, @daily",
    "\0 * * * *": r"cron: '\\x00' is no minute",
}
AT = datetime.now(UTC)
SOUND = {"cron": "0 6 * * *"}
BAD = {
    "unknown zone": ({"zone": "Europe/Berln"}, r"zone: 'Europe/Berln' is no time zone; did you mean .*Europe/Berlin"),
    "a path as zone": ({"zone": "../UTC"}, r"zone: '\.\./UTC' is no time zone; did you mean"),
    "an absolute path as zone": ({"zone": "/etc/localtime"}, r"zone: '/etc/localtime' is no time zone"),
    "half a zone": ({"zone": "EST5"}, r"zone: 'EST5' is no time zone; did you mean EST or EST5EDT\?"),
    "a zone of another world": ({"zone": "Mars/X"}, r"zone: 'Mars/X' is no time zone; give an IANA name"),
    "the machine's zone": ({"zone": "localtime"}, r"zone: 'localtime' is no time zone"),
    "no zone": ({"zone": None}, r"zone: None is no time zone; give an IANA name such as Europe/Berlin"),
    "a long zone": ({"zone": "x" * 10_000}, r"zone: .* is no time zone"),
    "neither": ({"cron": None}, r"cron: give either cron or every, one of them"),
    "both": ({"every": timedelta(hours=1)}, r"cron: give either cron or every, not both"),
    "cron of another kind": ({"cron": 5}, r"cron: 5 is not text"),
    "anchor with cron": ({"anchor_at": AT}, r"anchor_at: is for every; leave it out with cron"),
    "start after end": (
        {"start_at": AT + timedelta(days=2), "end_at": AT + timedelta(days=1)},
        r"end_at: .* is not after start_at, so that it could never fire; give a later time",
    ),
    "end before the first": ({"end_at": AT + timedelta(seconds=1)}, r"end_at: it would never fire before"),
    "naive start": ({"start_at": datetime(2030, 1, 1)}, r"start_at: 2030-01-01T00:00:00 has no time zone"),  # noqa: DTZ001
    "start far away": ({"start_at": datetime(9000, 1, 1, tzinfo=UTC)}, r"start_at: .* is out of range"),
    "jitter": ({"jitter": 90_000}, r"jitter: 90000 is not a duration"),
    "jitter beyond the next": (
        {"cron": "* * * * *", "jitter": 60},
        r"jitter: 60 s is not less than 60 s, the shortest",
    ),
    "priority": ({"priority": 0}, r"priority: 0 is not a whole number from 1 to 100"),
    "retries": ({"retries": 50}, r"retries: 50 is not a whole number"),
    "no retries": ({"retries": None}, r"retries: is missing; leave it out for the default"),
    "timeout": ({"timeout": 0}, r"timeout: 0 is not a duration"),
    "overlap": ({"overlap": "maybe"}, r"overlap: 'maybe' is none of skip, queue_one, cancel_previous, allow"),
    "overlap of another kind": ({"overlap": []}, r"overlap: \[\] is none of"),
    "missed": ({"missed": "some"}, r"missed: 'some' is none of skip, once, all"),
    "window": ({"missed_window": -1}, r"missed_window: -1 is not a duration"),
    "pause after none": ({"pause_after": 0}, r"pause_after: 0 is not a whole number from 1"),
    "keep none": ({"keep_runs": 0}, r"keep_runs: 0 is not a whole number from 1"),
    "description": ({"description": "x" * 1001}, r"description: 1,001 characters are more than 1000"),
    "queue": ({"queue": "q" * 65}, r"queue: 65 characters are more than 64"),
    "tags": ({"tags": [1]}, r"tags/0: 1 is not text"),
    "an unknown field": ({"crom": "x"}, r"crom: there is no such field; known are anchor_at, cron"),
}
for _value in (
    0,
    -1,
    30,
    61,
    True,
    "1 h",
    timedelta(0),
    timedelta(seconds=-1),
    timedelta(days=999_999_999),
    1e400,
    None,
):
    if _value is not None:
        BAD[f"every {_value!r}"] = (
            {"cron": None, "every": _value}, r"every: .* is not whole minutes from 1 minute to 366 days"
        )  # fmt: skip
PAYLOADS = {
    "a field too many": ({"nam": 1}, r"payload/nam: greet takes no such argument"),
    "of another kind": ({"n": "many"}, r"payload/n: 'many' does not fit greet"),
    "a list": ([], r"payload: \[\] is not an object"),
    "no JSON": ({"data": {1}}, r"payload/data: \{1\} \(set\) is not JSON"),
    "unknown place": ({"name": "{{ today }}"}, r"payload/name: '\{\{ today \}\}' holds braces that mean nothing here"),
    "an expression": ({"name": "{{ slot.__class__ }}"}, r"payload/name: .* known are \{\{ slot \}\} and"),
    "a statement": ({"data": ["{% for x in y %}"]}, r"payload/data/0: .* holds braces"),
    "half a place": ({"name": "{{ slot"}, r"payload/name: .* holds braces"),
    "null where text is needed": (
        {"name": "{{ last_completed_at }}"}, r"payload/name: None does not fit greet: .*before the first completed run"
    ),
    "a date for a number": ({"n": "{{ slot }}"}, r"payload/n: .* does not fit greet"),
}  # fmt: skip


def refused(act) -> str:
    sentence = kit.refused(act, ServiceError)
    assert kit.scalar("SELECT count(*) FROM schedules") == 0
    return sentence


@pytest.mark.parametrize(("line", "sentence"), BAD_CRON.items(), ids=[f"cron {n}" for n in range(len(BAD_CRON))])
def test_a_line_that_is_no_cron_is_refused(shared, line, sentence):
    said = refused(lambda: schedules.create("n", "greet", cron=line))
    assert re.match(sentence, said), said


@pytest.mark.parametrize(("fields", "sentence"), BAD.values(), ids=list(BAD))
def test_a_field_that_cannot_be_is_refused(shared, fields, sentence):
    said = refused(lambda: schedules.create("n", "greet", **{**SOUND, **fields}))
    assert re.match(sentence, said), said


@pytest.mark.parametrize(("payload", "sentence"), PAYLOADS.values(), ids=list(PAYLOADS))
def test_a_template_that_does_not_fit_its_type_is_refused(shared, payload, sentence):
    said = refused(lambda: schedules.create("n", "greet", payload, **SOUND))
    assert re.match(sentence, said), said


@pytest.mark.parametrize("name", ["", " ", "x" * 201, "a\0", "a\nb", 5, None])
def test_a_name_that_cannot_be_is_refused(shared, name):
    assert refused(lambda: schedules.create(name, "greet", **SOUND)).startswith("name: ")


def test_an_unknown_type_is_refused(shared):
    said = refused(lambda: schedules.create("n", "greeet", **SOUND))
    assert said == "type: there is no task type 'greeet'; did you mean greet?"
    assert refused(lambda: schedules.create("n", 5, **SOUND)).startswith("type: 5 is not the name of a task type")


def test_a_name_that_is_taken_is_refused(core):
    made = schedules.create("n", "greet", **SOUND)
    sentence = rf"name: there is a schedule 'n' already, #{made.id}; choose another name"
    with pytest.raises(InvalidInput, match=sentence):
        schedules.create("n", "greet", **SOUND)
    other = schedules.create("o", "greet", **SOUND)
    with pytest.raises(InvalidInput, match=sentence):
        schedules.update(other.id, name="n")
    schedules.delete(made.id)
    assert schedules.create("n", "greet", **SOUND).id != made.id


def test_a_preview_refuses_the_same(shared):
    with pytest.raises(InvalidInput, match="cron: '60' is no minute"):
        schedules.preview(cron="60 * * * *")
    shown = schedules.preview(cron="0 6 * * 1-5", zone="Europe/Berlin")
    assert (shown.words, len(shown.slots)) == ("At 06:00, Monday through Friday (Europe/Berlin)", 10)


@pytest.mark.parametrize(
    "act", [schedules.get, schedules.run_now, schedules.enable, lambda i: schedules.disable(i, "x")]
)
def test_what_there_is_not_is_said(shared, act):
    with pytest.raises(NotFound, match="there is no schedule #77"):
        act(77)
    with pytest.raises(InvalidInput, match="id: 'x' is not a whole number"):
        act("x")
