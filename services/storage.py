"""Refusals in words where the database cannot be written to."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from models.unwritable import why_unwritable
from services.errors import Unwritable

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
