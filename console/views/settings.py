"""One's own settings; for admins, the people with an account; for operators, whether the ledger is sound."""

from collections.abc import Callable
from typing import Any
from zoneinfo import available_timezones

import pandas as pd
import streamlit as st

from console import who
from console.ui import browsers, ledger_check, parts, permission, say, tell
from models import Operator, Role
from services import address, operators, sessions
from services.errors import ServiceError

THEMES = {"As the system": None, "Light": "light", "Dark": "dark"}

parts.title("Settings")
me = who.me().operator
my_id = me.id or 0


def do(words: str, act: Callable[..., Any], *given: Any) -> Any:
    """One act as the signed-in operator, and a sentence on what became of it."""
    try:
        with who.acting():
            result = act(*given)
    except ServiceError as refusal:
        tell.later(str(refusal), good=False)
        return None
    tell.later(words)
    return result


def save_zone() -> None:
    """The zone as chosen."""
    do("Times are shown in it from now on.", operators.set_time_zone, my_id, st.session_state["set_zone"])


def save_theme() -> None:
    """Light, dark, or as the system says."""
    do("The console looks so from now on.", operators.set_theme, my_id, THEMES[st.session_state["set_theme"]])


def save_notify() -> None:
    """Desktop notifications on or off."""
    on = bool(st.session_state["set_notify"])
    words = "You are told what ends while you look elsewhere." if on else "The desktop stays quiet."
    do(words, operators.set_notify, my_id, on)


def save_password() -> None:
    """The password as typed; it does not stay in the session."""
    do("The password is changed.", operators.set_password, my_id, st.session_state.pop("set_password", ""))


def add() -> None:
    """A new account; lets in by link until it has a password."""
    name = st.session_state.get("new_name", "")
    made = do(f"{name} has an account.", operators.create, name, st.session_state.get("new_role", "viewer"))
    if made is not None:
        link_for(made.id)
        st.session_state["new_name"] = ""


def link_for(operator_id: int) -> None:
    """A one-time link, to be shown once."""
    secret = do("The link works once, within the hour.", sessions.link, operator_id)
    if secret:
        st.session_state["_link"] = (operator_id, address.sign_in(secret))


def mine() -> None:
    """What everybody may set for themselves."""
    left, right = st.columns(2, gap="large")
    with left:
        zones = sorted(available_timezones())
        at = zones.index(me.time_zone) if me.time_zone in zones else None
        st.selectbox(
            "Time zone", zones, index=at, key="set_zone", on_change=save_zone, placeholder="As the browser says"
        )
        theme = [name for name, value in THEMES.items() if value == me.theme]
        st.segmented_control(
            "Theme", list(THEMES), default=theme[0] if theme else "As the system", key="set_theme",
            on_change=save_theme, required=True,
        )  # fmt: skip
    with right:
        with st.form("password", border=False, clear_on_submit=False):
            st.text_input(
                "New password", type="password", key="set_password", max_chars=200,
                placeholder=f"At least {operators.SHORTEST_PASSWORD} characters",
            )  # fmt: skip
            st.form_submit_button("Change the password", on_click=save_password)
        st.toggle(
            "Desktop notifications", value=me.notify, key="set_notify", on_change=save_notify,
            help="When something you asked for has ended, and you look elsewhere. A page of this console must be open.",
        )  # fmt: skip
        if me.notify:
            permission.show()
    st.header("Signed-in browsers", anchor=False)
    with who.acting():
        found = sessions.list_sessions(None if who.may(Role.admin) else my_id)
    for session, name in found:
        with st.container(
            horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", key=f"session_{session.id}"
        ):
            this = " · this one" if session.id == who.me().id else ""
            words = f"{name} · seen {say.ago(session.seen_at)} · {session.ip or 'unknown address'}{this}"
            with st.container(gap=None):
                st.markdown(
                    say.plain(browsers.name(session.user_agent)), help=say.plain(session.user_agent or "") or None
                )
                st.caption(say.plain(words))
            st.button(
                "End", key=f"end_{session.id}", on_click=do, disabled=bool(this),
                args=("The session ends within seconds.", sessions.revoke, session.id),
            )  # fmt: skip


def people() -> None:
    """Accounts, for admins."""
    found = operators.list_operators()
    rows = [
        {
            "Name": say.visible(one.name), "Role": one.role.value,
            "Signs in by": "password" if one.password_hash else "link",
            "State": "disabled" if one.disabled_at else "active", "Since": say.at(one.created_at),
        }
        for one in found
    ]  # fmt: skip
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        row_height=30,
        height=parts.height(len(rows)),
        alt="Operators",
    )
    left, right = st.columns(2, gap="large")
    with left, st.container(border=True):
        st.markdown("**Change one**")
        names = {one.name: one for one in found}
        name = st.selectbox("Operator", list(names), key="operator", label_visibility="collapsed")
        if name in names:
            _change(names[name])
    with right, st.form("new_operator"):
        st.markdown("**Add one**")
        st.text_input("Name", key="new_name", max_chars=100)
        st.selectbox("Role", [role.value for role in Role], key="new_role")
        st.form_submit_button("Add, and make a sign-in link", on_click=add)
    shown = st.session_state.pop("_link", None)
    if shown is not None:
        st.caption("Give them this link. It works once, within the hour, and is not shown again.")
        st.code(shown[1], language=None)


def _change(one: Operator) -> None:
    role = st.selectbox(
        "Role", [role.value for role in Role], index=list(Role).index(one.role), key=f"role_of_{one.id}"
    )
    with st.container(horizontal=True):
        st.button(
            "Save the role", key="save_role", disabled=role == one.role.value, on_click=do,
            args=(f"{one.name} is a {role} now.", operators.set_role, one.id, role),
        )  # fmt: skip
        st.button("Sign-in link", key="link_role", on_click=link_for, args=(one.id,), disabled=bool(one.disabled_at))
        if one.disabled_at:
            st.button("Enable", key="enable", on_click=do, args=(f"{one.name} is active.", operators.enable, one.id))
        else:
            st.button("Disable", key="disable", on_click=do, args=(f"{one.name} is out.", operators.disable, one.id))


tabs = {"You": mine}
if who.may(Role.admin):
    tabs["Operators"] = people
if who.may(Role.operator):
    tabs["Ledger"] = ledger_check.show
if len(tabs) > 1:
    shown = st.tabs(list(tabs), key="settings_tab", on_change="rerun", bind="query-params", default="You")
    for tab, draw in zip(shown, tabs.values(), strict=True):
        with tab:
            draw()
else:
    mine()
