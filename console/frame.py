"""What stands around every page: navigation, who is signed in, and the answer to a database that is away."""

import streamlit as st

from console import pages, who
from console.ui import outage, say, strip, tell


@outage.ends_the_page()
def run() -> None:
    """Draw the frame, and the page in it."""
    visit = st.session_state["_visit"] = who.visit()
    st.session_state["_time_zone"] = visit.operator.time_zone
    chosen = st.navigation(pages.navigation())
    strip.show()
    tell.show()
    with st.sidebar:
        st.html(_FOOT.format(name=say.markup(visit.operator.name), role=visit.operator.role, zone=say.zone().key))
    chosen.run()


_FOOT = """
<div style="font-size: 0.86rem; line-height: 1.5; opacity: 0.85; padding-top: 0.75rem">
<div><strong style="font-weight: 600">{name}</strong> · {role}</div>
<div>Times in {zone}</div>
<div style="display: flex; gap: 1rem">
<a href="/sign-out" target="_self" style="color: inherit; text-decoration: underline">Sign out</a>
<button type="button" class="callboard-keys">Keyboard</button>
</div>
</div>
"""
