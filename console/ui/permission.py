"""Whether this browser lets the console notify on the desktop, and the button that asks it: only a click there may."""

from console.ui import script

_mount = script.component("permission", '<p role="status"></p>\n<button type="button">Allow in this browser</button>')


def show() -> None:
    """Draw it."""
    _mount(key="permission", height="content")
