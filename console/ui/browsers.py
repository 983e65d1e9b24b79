"""What a browser calls itself, in a few words."""

import re

# The first that fits: nearly every browser also claims to be its forebears
_BROWSERS = (
    ("Edge", r"Edg(?:e|A|iOS)?/(\d+)"), ("Opera", r"OPR/(\d+)"), ("Firefox", r"(?:Firefox|FxiOS)/(\d+)"),
    ("Chrome", r"(?:Chrome|CriOS|Chromium)/(\d+)"), ("Safari", r"Version/(\d+)[\d.]* (?:Mobile/\w+ )?Safari"),
)  # fmt: skip
_SYSTEMS = (
    ("Android", "Android"), ("iOS", "iPhone|iPad"), ("Windows", "Windows"), ("macOS", "Mac OS X|Macintosh"),
    ("ChromeOS", "CrOS"), ("Linux", "Linux|X11"),
)  # fmt: skip


def name(user_agent: str | None) -> str:
    """`Firefox 150 on Linux`; the beginning of what it says, where that is none we know."""
    said = user_agent or ""
    browser = next((f"{name} {found[1]}" for name, form in _BROWSERS if (found := re.search(form, said))), None)
    system = next((name for name, form in _SYSTEMS if re.search(form, said)), None)
    if browser is None:
        return said[:60] or "A browser that does not say its name"
    return f"{browser} on {system}" if system else browser
