"""Whatever is enqueued becomes a task or is refused with a sentence; and both databases say the same."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services import tasks
from services.errors import ServiceError
from services.options import Options
from tests.services import kit
from tests.support import examples

EXAMPLES = examples(250)

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
odd = st.sampled_from([b"x", {1, 2}, frozenset(), object, len, date(2026, 1, 1), 1j, ..., range(3), memoryview(b"x")])
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
        run_at = again.run_at if chosen.get("run_at") is not None and not task.deduplicated else None
        return again.status, again.body.payload, again.body.context, again.title, again.tags, run_at
    assert kit.count() == before
    assert 10 < len(sentence) < 1000
    return sentence


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
    assert len(said["sqlite"]) == EXAMPLES
    for one, other in zip(said["sqlite"], said["postgresql"], strict=True):
        assert one == other


def test_every_option_is_tried():
    assert set(sound) >= {name for name in Options.__dataclass_fields__ if name not in NOT_SAID}


NOT_SAID = {"rerun_of", "schedule_id", "slot", "needed_ids"}
