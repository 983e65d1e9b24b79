"""The picture of what needs what: the whole family, in columns, and never too much of it."""

from itertools import pairwise

import pytest

from services import graph
from services.errors import InvalidInput
from tests.services import kit
from tests.services.kit import finish, greet, take, waiting, wire

pytestmark = pytest.mark.usefixtures("core")


def numbers(found: graph.Graph) -> list[list[int]]:
    return [[task.id for task in column] for column in found.columns]


def test_a_task_without_kin_is_alone():
    task = greet()
    greet()
    found = graph.around(task.id)
    assert (numbers(found), found.edges, found.more) == ([[task.id]], [], False)


def test_what_needs_stands_right_of_what_it_needs_from_wherever_one_looks():
    one, two = greet(), greet()
    middle = greet(needs=[one, two])
    last = greet(needs=[middle, one])
    wanted = [[one.id, two.id], [middle.id], [last.id]]
    for task in (one, two, middle, last):
        found = graph.around(task.id)
        assert numbers(found) == wanted
        assert found.edges == [(one.id, middle.id), (one.id, last.id), (two.id, middle.id), (middle.id, last.id)]


def test_ended_needs_stay_in_the_picture():
    one = greet()
    two = greet(needs=[one])
    finish(take(1))
    assert numbers(graph.around(two.id)) == [[one.id], [two.id]]


def test_of_many_the_nearest_are_shown_and_the_rest_is_said_to_be():
    ids = waiting(100)
    wire((child, parent) for parent, child in pairwise(ids))
    found = graph.around(ids[50], most=5)
    assert numbers(found) == [[i] for i in ids[48:53]]
    assert found.more
    assert not graph.around(ids[50], most=100).more


def test_one_with_thousands_of_children_is_cut_without_reading_them_all():
    ids = waiting(1_001)
    wire((child, ids[0]) for child in ids[1:])
    statements: list[str] = []
    with kit.watching(statements):
        found = graph.around(ids[0])
    assert len(found) == graph.MOST
    assert found.more
    assert len(statements) < 12


@pytest.mark.parametrize("number", [0, -1, "1", None])
def test_what_is_no_number_is_refused(number):
    with pytest.raises(InvalidInput):
        graph.around(number)
