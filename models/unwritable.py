"""Why a database that can be reached cannot be written to, where it says so itself."""

from sqlalchemy.exc import DBAPIError, TimeoutError  # noqa: A004 - a pool's

_FULL = "its disk is full; make room and try again"
_READ_ONLY = "it may only be read; see that its file, folder and server let themselves be written to"
_REASONS = {
    "SQLITE_FULL": _FULL,
    "SQLITE_READONLY": _READ_ONLY,
    "SQLITE_CANTOPEN": "its file cannot be opened; see that it and its folder let themselves be written to",
    "SQLITE_BUSY": "another program holds its write lock; try again when that is done",
    "53100": _FULL,
    "25006": _READ_ONLY,
}


def why_unwritable(error: BaseException) -> str | None:
    """The reason in words; nothing of the transaction was written then. None for all other errors."""
    if isinstance(error, TimeoutError):
        return "all connections of this process are taken; try again when some are free"
    if not isinstance(error, DBAPIError):
        return None
    state = getattr(error.orig, "sqlstate", None)
    name = getattr(error.orig, "sqlite_errorname", "")  # with a suffix sometimes, as in SQLITE_READONLY_DIRECTORY
    return _REASONS.get(state or "_".join(name.split("_")[:2]))


def in_brief(error: BaseException) -> str:
    """For a log: the reason where the database says it, else the error's name."""
    why = why_unwritable(error)
    return type(error).__name__ if why is None else why.partition(";")[0]


def disk_is_full(error: BaseException) -> bool:
    """Whether the database has no room left: then nobody can write, whichever connection they have."""
    return why_unwritable(error) is _FULL
