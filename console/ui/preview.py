"""A stored file, looked at in place. What others wrote is shown as text, as a table, or by the browser's own viewer."""

import pandas as pd
import streamlit as st

from console.ui import parts, readable, say, script
from models import Artifact
from services import previews
from services.errors import NotFound

# An iframe of our own: Streamlit's is sandboxed, and browsers show no PDF in a sandbox
_pdf = script.component("pdf", '<iframe title="PDF"\n></iframe>')


def show(one: Artifact) -> None:
    """Draw it, or say that it cannot be."""
    try:
        found = previews.of(one)
    except NotFound as gone:
        st.caption(say.plain(gone))
        return
    if found is None:
        st.caption("There is no preview of this kind of file. Download it to open it.")
    elif found.kind == "image":
        st.html(f'<img src="{one.url}/view" alt="{say.markup(one.name)}" style="max-width:100%;border-radius:6px">')
    elif found.kind == "pdf":
        _pdf(key=f"pdf_{one.id}", data={"url": f"{one.url}/view"}, height="content")
    elif found.kind == "table":
        _table(found.content)
    elif found.kind == "json":
        readable.show(found.content)
    else:
        st.code(say.visible(found.content), language=None, height=360, wrap_lines=True)
    if found is not None and found.cut:
        st.caption("This is its beginning. Download it for the rest.")


def _table(rows: list[list[str]]) -> None:
    head = [f"{say.visible(name)}{' ' * n if name in rows[0][:n] else ''}" for n, name in enumerate(rows[0])]
    lines = [[say.visible(cell) for cell in row[: len(head)]] + [""] * (len(head) - len(row)) for row in rows[1:]]
    frame = pd.DataFrame(lines, columns=head)
    st.dataframe(
        frame, hide_index=True, row_height=28, height=parts.height(len(frame), 28, most=14), alt="The file's rows"
    )
