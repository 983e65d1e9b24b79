"""Saved views: choose one, save what the filters say, rename, delete."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from console import asked, who
from console.ui import say
from models import Role, SavedView
from services import audit, saved_views
from services.errors import ServiceError

TROUBLE, NAME, SHARED = "_view_trouble", "view_name", "view_shared"


def show(said: dict[str, Any], choose: Callable[[dict[str, Any]], None]) -> None:
    """A popover, named after the view that is shown."""
    with audit.acting_as(who.me().operator):
        views = saved_views.list_views()
    query = _query(said)
    shown = next((view for view in views if view.query == query), None)
    with st.popover(
        say.plain(say.short(shown.name, 30)) if shown else "Views", icon=":material/bookmark:", key="views"
    ):
        if not views:
            st.caption("A view is a name for a set of filters. Set some, and save them here.")
        for view in views:
            st.button(
                say.plain(view.name), key=f"view_{view.id}", type="tertiary", on_click=_choose, args=(view, choose),
                icon=":material/check:" if view is shown else _icon(view),
                help="Shared with everybody" if view.shared else "Yours alone",
            )  # fmt: skip
        if trouble := st.session_state.pop(TROUBLE, None):
            st.warning(say.sentence(trouble))
        if shown is not None:
            _manage(shown)
        elif query:
            _save(query)


def _save(query: dict[str, Any]) -> None:
    with st.form("view_save", border=False):
        st.text_input("Save these filters as", key=NAME, max_chars=saved_views.LONGEST_NAME)
        st.toggle(
            "Share with everybody", key=SHARED, disabled=not who.may(Role.member),
            help=None if who.may(Role.member) else "This takes the role member",
        )  # fmt: skip
        st.form_submit_button("Save view", key="view_save_it", on_click=_do, args=("save", None, query))


def _manage(view: SavedView) -> None:
    mine = view.owner == who.me().operator.id or who.may(Role.admin)
    with st.form(f"view_rename{view.id}", border=False):
        st.text_input("Name", view.name, key=f"{NAME}_{view.id}", max_chars=saved_views.LONGEST_NAME, disabled=not mine)
        with st.container(horizontal=True):
            st.form_submit_button(
                "Rename", key="view_rename_it", on_click=_do, args=("rename", view), disabled=not mine
            )
            st.form_submit_button(
                "Delete view", key="view_delete", on_click=_do, args=("delete", view), disabled=not mine
            )


def _do(what: str, view: SavedView | None, query: dict[str, Any] | None = None) -> None:
    try:
        with who.acting():
            if view is None:
                name, shared = st.session_state.get(NAME) or "", bool(st.session_state.get(SHARED))
                saved_views.save(name, query or {}, shared)
            elif what == "rename":
                saved_views.rename(view.id, st.session_state.get(f"{NAME}_{view.id}") or "")
            else:
                saved_views.delete(view.id)
    except ServiceError as refusal:
        st.session_state[TROUBLE] = str(refusal)


def _choose(view: SavedView, choose: Callable[[dict[str, Any]], None]) -> None:
    choose(view.query)


def _icon(view: SavedView) -> str:
    return ":material/group:" if view.shared else ":material/person:"


def _query(said: dict[str, Any]) -> dict[str, Any]:
    """What is asked, in the order in which it does not matter."""
    query: dict[str, Any] = {}
    for key, value in asked.address(said):
        if key == "status":
            query.setdefault(key, []).append(value)
        else:
            query[key] = said[key]
    if "status" in query:
        query["status"].sort()
    return query
