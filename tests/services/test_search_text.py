"""Tasks are found by their words, and signs are only signs."""

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from models import Move
from services import search, tasks, words
from services.errors import InvalidInput
from services.search import TaskFilter
from tests.services import kit
from tests.services.looking import found, found_by, index_all, title
from tests.support import examples

# What is looked through


def test_every_part_of_a_task_is_looked_through(core):
    task = tasks.enqueue("greet", {"name": "Rossio", "data": {"stops": ["Alfama"]}}, title="Trams", tags=["holiday"])
    for part in ("greet", "Trams", "holiday", "Rossio", "Alfama", "stops", str(task.id), f"#{task.id}"):
        assert found_by(part) == [task.id], part


def test_the_error_of_a_failed_task_is_looked_through(core):
    task = kit.greet()
    index_all()
    kit.finish(
        kit.take_one(task), Move.fail, error_class="UpstreamTimeout", error_text="no answer from host-17 in 30 s"
    )
    for part in ("UpstreamTimeout", "timeout", "host-17", "no answer"):
        assert found_by(part) == [task.id], part


def test_a_later_error_replaces_the_former(core):
    task = kit.greet()
    kit.finish(kit.take_one(task), Move.fail, error_text="first trouble")
    assert found_by("first") == [task.id]
    tasks.rerun(task.id)
    kit.finish(kit.take_one(task), Move.fail, error_text="second trouble")
    assert found_by("second") == [task.id]
    assert found_by("first") == []


def test_values_of_secret_names_cannot_be_looked_for(core):
    task = tasks.enqueue("greet", {"data": {"password": "hunter2", "url": "https://ana:geheim@example.org"}})
    assert found_by("example") == [task.id]
    assert found_by("hunter2") == found_by("geheim") == []


def test_only_the_start_of_a_payload_is_looked_through(core):
    task = tasks.enqueue("greet", {"name": "begin " + "filler " * 2_000 + "final"})
    assert found_by("begin") == [task.id]
    assert found_by("final") == []


# How it is understood


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("Album of Lisbon", "lis"),
        ("Album of Lisbon", "ALBUM lisbon"),
        ("Malmö to São Paulo", "malmo sao"),
        ("Malmo", "Malmö"),
        ("Straße", "STRASSE"),
        ("ConnectionResetError", "reset"),
        ("HTTPServer", "server"),
        ("client42", "42"),
        ("bulk_analysis", "analysis"),
        ("数据分析报告", "分析"),
        ("ติดต่อ", "ต่อ"),
        ("a" * 60 + "b", "a" * 60 + "b"),
        ("100% of 5_000", "100%"),
        ("customer-7 (north)", "customer-7"),
        ("it's 'quoted'", "'quoted'"),
        ("C:\\data\\x", "data\\x"),
        ('say "yes"', '"yes"'),
        ("a*b AND c:d", "AND c:d"),
        ("-v flag", "-v"),
        ("x & y | z ! <->", "x z"),
    ],
)
def test_words_are_found_by_their_beginnings_and_signs_literally(core, text, asked):
    other = title("nothing in common")
    task = title(text)
    assert found_by(asked) == [task]
    assert other


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("1000 of 5000", "100%"),
        ("5x000", "5_000"),
        ("customer-70", "customer-7-"),
        ("customer 7", "customer-7"),
        ("Lisbon", "isbon"),
        ("Lisbon", "lisbon porto"),
        ("a" * 60 + "b", "a" * 60 + "c"),
        ("anything", "any* OR"),
        ("anything", "\\anything"),
        ("anything", "%"),
        ("anything", "_"),
        ("anything", '"'),
    ],
)
def test_what_is_not_there_is_not_found(core, text, asked):
    title(text)
    if asked in ("%", "_", '"'):
        with pytest.raises(InvalidInput, match="no letter or digit"):
            TaskFilter(text=asked)
    else:
        assert found_by(asked) == []


HOSTILE = [
    "'; DROP TABLE tasks; --", '" OR 1=1 --', "NEAR(a b, 2)", "words:x*", "{a b}", "a AND (b", "^a", "'a':*", "a\\",
    "$1", ":asked", "%(asked)s", "%s", "?1",
]  # fmt: skip


@pytest.mark.parametrize("asked", HOSTILE)
def test_hostile_text_is_only_ever_text(core, asked):
    task = title(asked)
    assert found_by(asked) == [task]
    assert kit.count() == 1


@pytest.fixture
def both_texts(core):
    title("seed")
    index_all()


@hypothesis_settings(
    max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
@given(st.text(min_size=1, max_size=60))
def test_any_text_is_an_answer_or_a_refusal(both_texts, asked):
    try:
        wanted = TaskFilter(text=asked)
    except InvalidInput:
        return
    search.page(wanted)
    search.count(wanted)


@hypothesis_settings(max_examples=examples(300), database=None)
@given(st.text(max_size=80))
def test_a_text_is_found_by_each_of_its_own_parts(text):
    plain = words.plain(text)
    known = set(words.of(plain))
    for term in words.terms(text)[:3]:
        assert all(word in known for word in term.words)
        assert term.literal is None or term.literal in plain.casefold()


def test_the_number_of_a_task_is_found_before_it_is_indexed(core):
    assert [kit.greet().id, kit.greet().id] == [1, 2]
    assert found(text="#2") == [2]
    assert found(text="#3") == []


def test_rare_words_are_found_beyond_the_newest_tasks(core, monkeypatch):
    monkeypatch.setattr(search, "NEWEST", 5)
    rare = [title("rare-word") for _ in range(3)]
    common = [title("common") for _ in range(12)]
    assert found_by("rare") == rare[::-1]
    assert found(text="rare-word", status="queued") == rare[::-1]
    assert search.ids(TaskFilter(text="common"), limit=8) == common[:3:-1]
    assert search.ids(TaskFilter(text="common"), limit=8, before=common[4]) == common[3::-1]
