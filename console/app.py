"""The console's router: what every page shares, then the page."""

from pathlib import Path

import streamlit as st

from console import frame

HERE = Path(__file__).resolve().parent

st.set_page_config("Callboard", page_icon=str(HERE / "static/icon.svg"), layout="wide", initial_sidebar_state=220)
st.logo(str(HERE / "static/logo.svg"), icon_image=str(HERE / "static/icon.svg"))
st.html(HERE / "static/console.css")
frame.run()
