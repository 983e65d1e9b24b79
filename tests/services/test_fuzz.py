"""Whatever is enqueued becomes a task or is refused with a sentence; and both databases say the same."""

from array import array
from collections import OrderedDict, UserDict
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import IntEnum

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services import schedules, tasks
from services.errors import ServiceError
from services.options import Options
from tests.services import kit
from tests.services.bad_inputs import Hostile, nested, nowhere
from tests.support import examples

EXAMPLES = examples(500)


class Text(str):
    """Text, but of a kind of its own."""


class Number(IntEnum):
    """A whole number, but of a kind of its own."""

    one = 1


texts = st.text(max_size=30) | st.sampled_from(
    ["\0", "\ud800", "a\udfffb", "\u202e", "\u2028", " ", "\x1b[0m", "nan", "1e999", "x" * 201, "' --", "9" * 400]
)
numbers = (
    st.integers()
    | st.floats()
    | st.sampled_from([2**53, 2**53 + 1, -(2**63), 10**400, 1e308, 5e-324, -0.0, True, Decimal("NaN"), Decimal(5)])
)
times = st.datetimes() | st.datetimes(
    datetime(1, 1, 2),  # noqa: DTZ001 - hypothesis adds the zone
    datetime(9999, 12, 30),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=-12)), timezone(timedelta(hours=14))]),
)
soon = st.timedeltas(timedelta(hours=1), timedelta(days=100)).map(lambda ahead: START + ahead)
START = datetime.now(UTC)
odd = st.sampled_from(
    [
        b"x", {1, 2}, frozenset(), object, len, date(2026, 1, 1), 1j, ..., range(3), memoryview(b"x"), Text("x"),
        Number.one, OrderedDict(a=1), Decimal("1e400"), timedelta(1),
        UserDict(a=1), float("nan"), array("d", [1.0]), type("X", (), {}),
    ]
)  # fmt: skip
odd |= st.builds(Hostile) | st.builds(nested, st.sampled_from([31, 33, 2_000])) | st.builds(nowhere)
scalars = st.none() | st.booleans() | texts | numbers
values = st.recursive(
    scalars | times | odd,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(texts | st.integers() | st.none(), inner, max_size=4)
        | st.tuples(inner, inner)
    ),
    max_leaves=12,
)


def seldom(nasty, usual):
    """One in four is nasty."""
    return st.integers(0, 3).flatmap(lambda n: usual if n else nasty)


arguments = {"name": texts, "n": st.integers(-(2**53), 2**53), "ratio": st.floats(-1e308, 1e308), "data": scalars}
payloads = seldom(values, st.fixed_dictionaries({}, optional={k: seldom(values, v) for k, v in arguments.items()}))
sound = {
    "queue": st.sampled_from(["default", "mail", "größe"]),
    "priority": st.integers(1, 100),
    "retries": st.integers(0, 49),
    "timeout": st.floats(0.1, 604_800) | st.timedeltas(timedelta(seconds=1), timedelta(days=7)),
    "run_at": soon,
    "expires_at": soon,
    "needs": st.lists(st.integers(1, 3), max_size=3),
    "on_parent_failure": st.sampled_from(["cancel", "run_anyway", "hold"]),
    "unique_key": st.sampled_from(["a", "b", "A", "%"]),
    "concurrency_key": texts,
    "max_running": st.integers(1, 5),
    "title": texts,
    "tags": st.lists(texts, max_size=3),
    "project": texts,
    "context": st.dictionaries(texts, scalars, max_size=3),
    "rerun_of": st.integers(1, 3),
    "schedule_id": st.integers(1, 9),
    "slot": texts,
}
options = st.sets(st.sampled_from(sorted(sound)), max_size=3).flatmap(
    lambda names: st.fixed_dictionaries({name: seldom(values, sound[name]) for name in sorted(names)})
)

said: dict[str, list[object]] = {}


def outcome(payload, chosen):
    """What became of it, as far as both databases should agree."""
    before = kit.count()
    try:
        task = tasks.enqueue("greet", payload, **chosen)
    except ServiceError as error:
        sentence = str(error)
    else:
        assert kit.count() == before + (not task.deduplicated)
        again = tasks.get(task.id)
        assert (again.title, again.tags, again.unique_key) == (task.title, task.tags, task.unique_key)
        if not task.deduplicated:
            came_back(payload, chosen, again)
        run_at = again.run_at if chosen.get("run_at") is not None and not task.deduplicated else None
        return again.status, again.body.payload, again.body.context, again.title, again.tags, run_at
    assert kit.count() == before
    assert 10 < len(sentence) < 1000
    return sentence


COLUMNS = ("queue", "priority", "run_at", "expires_at", "unique_key", "concurrency_key", "title", "project", "slot")


def came_back(payload, chosen, again):
    """What is read back is what was said, to the last bit; the type's defaults stand for what was not."""
    body = again.body
    for name, value in {"name": "world", "n": 0, "ratio": 0.5, "data": None, **payload}.items():
        if type(value) is type(body.payload[name]):  # a signature may make 5 of "5"
            assert repr(body.payload[name]) == repr(value)
    assert repr(body.context) == repr(chosen.get("context"))
    for name in COLUMNS:
        if chosen.get(name) is not None:
            assert getattr(again, name) == chosen[name]
    if chosen.get("needs"):
        edges = kit.scalar("SELECT count(*) FROM task_needs WHERE child = :id", id=again.id)
        assert edges == len(set(again_ids(chosen["needs"])))
    if chosen.get("retries") is not None:
        assert again.max_tries == chosen["retries"] + 1


def again_ids(needs):
    """The ids that were needed."""
    return [needs] if isinstance(needs, int) else needs


def test_whatever_is_enqueued_becomes_a_task_or_is_refused_with_a_sentence(core):
    said[core] = []
    for _ in range(3):
        kit.greet()

    @settings(
        max_examples=EXAMPLES, derandomize=True, database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
    )  # fmt: skip
    @given(payloads, options)
    def enqueue(payload, chosen):
        said[core].append(outcome(payload, chosen))

    enqueue()
    assert sum(isinstance(one, tuple) for one in said[core]) > EXAMPLES // 10, "some must be accepted"


def test_both_databases_say_the_same():
    """Of the same inputs: the order of the two tests is that of their parameters."""
    assert len(said["sqlite"]) >= EXAMPLES
    for one, other in zip(said["sqlite"], said["postgresql"], strict=True):
        assert one == other


def test_every_option_is_tried():
    assert set(sound) == set(Options.__dataclass_fields__)


def test_whatever_a_schedule_says_it_is_made_or_refused_with_a_sentence(core):
    said[f"schedules, {core}"] = []
    rule = {"cron": st.sampled_from(["0 6 * * *", "@daily", None]), "every": st.sampled_from([None, 3600]) | numbers}
    more = {name: sound[name] for name in ("queue", "priority", "retries", "timeout", "tags", "unique_key", "project")}
    fields = {
        "name": texts, "description": texts, "zone": st.sampled_from(["UTC", "Europe/Berlin", "../UTC"]),
        "start_at": soon, "end_at": soon, "anchor_at": soon, "jitter": numbers, "overlap": texts, "missed": texts,
        "missed_window": numbers, "pause_after": numbers, "keep_runs": numbers, **rule, **more,
    }  # fmt: skip

    @settings(
        max_examples=examples(200), derandomize=True, database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
    )  # fmt: skip
    @given(
        payloads,
        st.sets(st.sampled_from(sorted(fields)), max_size=3).flatmap(
            lambda names: st.fixed_dictionaries({name: seldom(values, fields[name]) for name in sorted(names)})
        ),
    )
    def create(payload, given):
        before = kit.scalar("SELECT count(*) FROM schedules")
        named = {"name": f"n{len(said[f'schedules, {core}'])}", "cron": "0 6 * * *", **given}
        try:
            row = schedules.create(named.pop("name"), "greet", payload, **named)
        except ServiceError as error:
            assert kit.scalar("SELECT count(*) FROM schedules") == before
            said[f"schedules, {core}"].append(str(error))
        else:
            assert kit.scalar("SELECT count(*) FROM schedules") == before + 1
            said[f"schedules, {core}"].append((row.payload, row.name, row.cron, row.every_s, row.tags))

    create()
    assert said.setdefault("schedules", said[f"schedules, {core}"]) == said[f"schedules, {core}"]
