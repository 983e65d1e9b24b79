"""Refusals in words where the database, or the store of artifacts, cannot be written to."""

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from models.unwritable import why_unwritable
from services.errors import Unwritable

_FULL = "its disk is full; make room and try again"
_FILES = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EROFS: "it may only be read; see that its folder lets itself be written to",
}

P = ParamSpec("P")
T = TypeVar("T")


def in_words(act: Callable[P, T]) -> Callable[P, T]:
    """Tell a full disk, or a database that may only be read, by `Unwritable`; all other errors stay as they are."""

    @wraps(act)
    def told(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return act(*args, **kwargs)
        except SQLAlchemyError as error:
            if (why := why_unwritable(error)) is None:
                raise
            raise Unwritable(f"the database cannot be written to: {why}") from error

    return told


@contextmanager
def files_in_words() -> Iterator[None]:
    """The same for a file that is written meanwhile."""
    try:
        yield
    except OSError as error:
        if (why := _FILES.get(error.errno or 0)) is None:
            raise
        raise Unwritable(f"the store of artifacts cannot be written to: {why}") from error
