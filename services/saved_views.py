"""Filters of the Tasks page under a name, for oneself or for everybody."""

from typing import Any

from sqlalchemy import delete as delete_from
from sqlalchemy import insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from models import Role, SavedView, now, reading, tables, transaction
from services import audit, checks
from services.errors import Forbidden, InvalidInput, NotFound

LONGEST_NAME = 60
MOST = 100  # of one person
LARGEST_BYTES = 4_096

_view = tables.saved_views.c


def list_views() -> list[SavedView]:
    """The acting person's own and the shared ones, by name; those of code (a prompt) see all shared ones."""
    audit.require(Role.viewer)
    me = audit.current().operator_id
    mine = or_(_view.shared.is_(True), _view.owner == me if me is not None else _view.owner.is_(None))
    with reading() as session:
        found = session.execute(select(SavedView).where(mine)).scalars().all()
    return sorted(found, key=lambda view: (view.owner != me, view.name.casefold(), view.id))


def save(name: str, query: dict[str, Any], shared: bool = False) -> SavedView:
    """Save filters under a name of one's own; a view of that name is replaced. Sharing takes the role member.

    Raises `InvalidInput`, `Forbidden`.
    """
    name, query = _named(name), _checked(query)
    audit.require(Role.member if _flag(shared) else Role.viewer)
    me, at = audit.current().operator_id, now()
    with transaction() as session:
        old = session.execute(
            select(SavedView).where(_view.name == name, _owned(me)).with_for_update()
        ).scalar_one_or_none()
        before = _facts(old) if old is not None else None
        if old is not None:
            session.execute(
                update(tables.saved_views).where(_view.id == old.id).values(query=query, shared=shared, updated_at=at)
            )
            view_id = old.id
        else:
            _room(session, me)
            made = {"owner": me, "name": name, "shared": shared, "query": query, "created_at": at, "updated_at": at}
            view_id = _inserted(session, made)
        view = _read(session, view_id)
        audit.record("save", "view", view_id, before=before, after=_facts(view))
    return view


def rename(view_id: int, name: str) -> SavedView:
    """Give one's own view, or as admin a shared one, another name. Raises `NotFound`, `InvalidInput`, `Forbidden`."""
    name = _named(name)
    with transaction() as session:
        old = _mine(session, view_id)
        try:
            with session.begin_nested():
                changed = update(tables.saved_views).where(_view.id == view_id).values(name=name, updated_at=now())
                session.execute(changed)
        except IntegrityError:
            raise InvalidInput("name", f"there is a view {name!r} already; choose another name") from None
        view = _read(session, view_id)
        audit.record("rename", "view", view_id, before=_facts(old), after=_facts(view))
    return view


def delete(view_id: int) -> None:
    """Delete one's own view, or as admin a shared one. Raises `NotFound`, `Forbidden`."""
    with transaction() as session:
        old = _mine(session, view_id)
        session.execute(delete_from(tables.saved_views).where(_view.id == view_id))
        audit.record("delete", "view", view_id, before=_facts(old))


def may_change(view: SavedView) -> bool:
    """Whether the acting person may rename or delete it."""
    return view.owner == audit.current().operator_id or audit.allows(Role.admin)


def _mine(session: Any, view_id: int) -> SavedView:
    checks.whole(view_id, "id", 1, 2**53)
    audit.require(Role.viewer)
    view = session.execute(select(SavedView).where(_view.id == view_id).with_for_update()).scalar_one_or_none()
    if view is None or not (view.shared or view.owner == audit.current().operator_id):
        raise NotFound(f"there is no view #{view_id}; it may have been deleted")
    if not may_change(view):
        raise Forbidden(f"the view {view.name!r} belongs to another person; save one of your own")
    session.expunge(view)
    return view


def _inserted(session: Any, values: dict[str, Any]) -> int:
    try:
        with session.begin_nested():
            return session.execute(insert(tables.saved_views).values(**values)).inserted_primary_key[0]
    except IntegrityError:  # the same click twice
        raise InvalidInput("name", f"there is a view {values['name']!r} already; choose another name") from None


def _room(session: Any, me: int | None) -> None:
    if len(session.execute(select(_view.id).where(_owned(me))).all()) >= MOST:
        raise InvalidInput("name", f"there are {MOST} views of yours already; delete one first")


def _read(session: Any, view_id: int) -> SavedView:
    query = select(SavedView).where(_view.id == view_id).execution_options(populate_existing=True)
    view = session.execute(query).scalar_one()
    session.expunge(view)
    return view


def _owned(me: int | None) -> Any:
    return _view.owner.is_(None) if me is None else _view.owner == me


def _named(name: Any) -> str:
    return checks.name(name, "name", LONGEST_NAME).strip()


def _flag(shared: Any) -> bool:
    if type(shared) is not bool:
        raise InvalidInput("shared", f"{checks.shortened(shared)} is neither True nor False")
    return shared


def _checked(query: Any) -> dict[str, Any]:
    """Names of filters, each with text, True or False, or a list of texts."""
    if not isinstance(query, dict):
        raise InvalidInput("query", f"{checks.shortened(query)} is not an object with filters")
    checks.plain_json(query, "query")
    for key, value in query.items():
        many = value if isinstance(value, list) else [value]
        if not all(isinstance(one, str | bool) for one in many):
            raise InvalidInput(f"query/{key}", f"{checks.shortened(value)} is neither text, a switch nor a list")
    checks.dumped(query, "query", LARGEST_BYTES)
    return query


def _facts(view: SavedView) -> dict[str, Any]:
    return {"name": view.name, "shared": view.shared, "query": view.query}
