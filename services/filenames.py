"""The names and media types that a stored file may have: those that can be saved under on any system."""

import mimetypes
import re
from typing import Any

from services import checks
from services.errors import InvalidInput

LONGEST_BYTES = 255  # of a name: what file systems take
LONGEST_TYPE = 100  # characters of a media type
UNKNOWN = "application/octet-stream"

_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+\-]*/[a-z0-9][a-z0-9!#$&^_.+\-]*")
_NOT_IN_NAMES = re.compile(r'[/\\:*?"<>|]')
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)


def checked(name: Any) -> str:
    """A file's name as people see it, and save it under on any system. Raises `InvalidInput`."""
    checks.name(name, "name", LONGEST_BYTES)
    if len(name.encode()) > LONGEST_BYTES:
        raise InvalidInput("name", f"{len(name.encode())} bytes are more than {LONGEST_BYTES}; shorten it")
    if found := _NOT_IN_NAMES.search(name):
        raise InvalidInput("name", f"{checks.shortened(name)} holds {found[0]}; give a file's name without folders")
    if name.strip(" .") != name:
        raise InvalidInput("name", f"{checks.shortened(name)} begins or ends with a dot or a space; remove it")
    if _DEVICE.fullmatch(name):
        raise InvalidInput("name", f"{checks.shortened(name)} is a device on Windows; choose another name")
    return name


def media_type(name: str, given: str | None) -> str:
    """The media type given, or guessed from the name. Raises `InvalidInput`."""
    if given is None:
        return mimetypes.guess_type(name)[0] or UNKNOWN
    if not isinstance(given, str) or len(given) > LONGEST_TYPE or not _MEDIA_TYPE.fullmatch(given.lower()):
        raise InvalidInput("media_type", f"{checks.shortened(given)} is not a media type such as text/csv")
    return given.lower()
