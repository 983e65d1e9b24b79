"""An object as if its row had just been read, where every value is known: it takes no question to the database."""

from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import inspect
from sqlalchemy.orm import configure_mappers
from sqlmodel import SQLModel

Row = TypeVar("Row", bound=SQLModel)


def as_read(model: type[Row], values: dict[str, Any]) -> Row:
    """An object with these values; a column that is not among them has its table's default, or is None.

    The model's own constructor sets attribute by attribute, which takes longer than writing the row.
    """
    defaults = _defaults(model)
    made: Row = inspect(model).class_manager.new_instance()
    made.__dict__.update(defaults | values)
    return made


@lru_cache
def _defaults(model: type[SQLModel]) -> dict[str, Any]:
    configure_mappers()  # which the constructor would do
    columns = inspect(model).columns
    return {c.key: c.default.arg if c.default is not None and c.default.is_scalar else None for c in columns}
