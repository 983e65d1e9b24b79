"""Views: whose they are, who sees them, who changes them."""

import pytest

from models import Operator, Role
from services import operators, saved_views
from services.audit import acting_as
from services.errors import Forbidden, InvalidInput, NotFound
from tests.services import kit

QUERY = {"status": ["Failed"], "queue": "mail", "deleted": False}


@pytest.fixture
def people(core) -> dict[str, Operator]:
    """One of each role, by the role's name."""
    return {role.value: operators.create(f"{role.value}-1", role) for role in Role}


def names() -> list[str]:
    return [view.name for view in saved_views.list_views()]


def test_a_view_is_its_owner_s_until_it_is_shared(people):
    with acting_as(people["member"]):
        view = saved_views.save("Mail that failed", QUERY)
        assert names() == ["Mail that failed"]
    with acting_as(people["admin"]):
        assert names() == []
        with pytest.raises(NotFound, match="there is no view"):
            saved_views.rename(view.id, "Mine now")
    with acting_as(people["member"]):
        saved_views.save("Mail that failed", QUERY, shared=True)
    with acting_as(people["viewer"]):
        (seen,) = saved_views.list_views()
        assert (seen.id, seen.query) == (view.id, QUERY)


def test_own_views_come_first_then_by_name(people):
    with acting_as(people["admin"]):
        saved_views.save("aardvark", QUERY, shared=True)
    with acting_as(people["member"]):
        saved_views.save("zebra", QUERY)
        saved_views.save("Bear", QUERY)
        assert names() == ["Bear", "zebra", "aardvark"]


def test_saving_under_the_same_name_replaces(people):
    with acting_as(people["member"]):
        first = saved_views.save("Mail", QUERY)
        second = saved_views.save("Mail", {"queue": "post"})
        assert (first.id, second.query) == (second.id, {"queue": "post"})
    with acting_as(people["operator"]):
        assert saved_views.save("Mail", QUERY).id != first.id, "names are each person's own"


def test_two_clicks_at_once_save_one_view(people):
    def save():
        with acting_as(people["member"]):
            return saved_views.save("Mail", QUERY)

    kit.together(save, save)
    assert kit.scalar("SELECT count(*) FROM saved_views") == 1


def test_a_viewer_saves_for_themselves_and_shares_nothing(people):
    with acting_as(people["viewer"]):
        saved_views.save("Mine", QUERY)
        with pytest.raises(Forbidden, match="takes the role member"):
            saved_views.save("Ours", QUERY, shared=True)


def test_a_shared_view_is_changed_by_its_owner_or_an_admin(people):
    with acting_as(people["member"]):
        view = saved_views.save("Ours", QUERY, shared=True)
    with acting_as(people["operator"]):
        with pytest.raises(Forbidden, match="belongs to another person"):
            saved_views.delete(view.id)
        with pytest.raises(Forbidden):
            saved_views.rename(view.id, "Theirs")
    with acting_as(people["admin"]):
        assert saved_views.rename(view.id, "Everybody's").name == "Everybody's"
        saved_views.delete(view.id)
        assert names() == []
        with pytest.raises(NotFound):
            saved_views.delete(view.id)
    assert [e.entity for verb in ("save", "rename", "delete") for e in kit.events(verb)] == ["view"] * 3


def test_a_name_that_is_taken_is_refused(people):
    with acting_as(people["member"]):
        saved_views.save("One", QUERY)
        two = saved_views.save("Two", QUERY)
        with pytest.raises(InvalidInput, match="there is a view 'One' already"):
            saved_views.rename(two.id, "One")


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("", {}), ("  ", {}), ("x" * 61, {}), ("a\nb", {}), (None, {}), ("x", []), ("x", {"n": 5}),
        ("x", {"a": {"b": "c"}}), ("x", {"a": "y" * 5000}), ("x", {"a": "\0"}), ("x", {1: "a"}),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(core, name, query):
    with pytest.raises(InvalidInput):
        saved_views.save(name, query)


def test_there_is_an_end_to_views(core, monkeypatch):
    monkeypatch.setattr(saved_views, "MOST", 2)
    saved_views.save("1", {})
    saved_views.save("2", {})
    with pytest.raises(InvalidInput, match="delete one first"):
        saved_views.save("3", {})
    saved_views.save("2", QUERY)
