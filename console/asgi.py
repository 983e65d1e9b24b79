"""The console's server: Streamlit's pages and our routes, behind the gate (`streamlit run console/asgi.py`)."""

import gc
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st
import structlog
from starlette.middleware import Middleware
from streamlit import config

from console import late_ticks, resting, routes, signing
from console.gate import Gate
from console.ui import outage
from models import db
from runtime import web
from services import log

HERE = Path(__file__).resolve().parent
say = structlog.get_logger(__name__)


@asynccontextmanager
async def warm(_: Any) -> AsyncIterator[dict[str, Any]]:
    """Before the first page: import what it would wait for, and spare the collector what will never be garbage."""
    log.configure("web")
    web.check_doors(config.get_option("server.address") or "")  # also where nothing of ours started the server
    resting.install()
    late_ticks.leave_out()
    import pandas  # noqa: F401
    import pyarrow  # noqa: F401

    gc.collect()
    gc.freeze()
    yield {}


def broke(error: Exception) -> bool:
    """A page that broke says so in a sentence; the details are in the log, under the reference."""
    if db.is_away(error):
        outage.away()
        return True
    reference = secrets.token_hex(3)
    say.error("a page broke", reference=reference, exc_info=error)
    st.error(f"The log has the details under the reference {reference}.", title="This page broke")
    return True


app = st.App(
    HERE / "app.py",
    routes=[*routes.routes, *signing.routes],
    middleware=[Middleware(Gate)],
    lifespan=warm,
    on_script_error=broke,
)
