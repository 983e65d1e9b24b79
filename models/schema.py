"""Which code may work on this ledger."""

from sqlmodel import Field, SQLModel

HEAD = "0010"  # the newest migration: what a process waits for without loading Alembic
CODE = 1  # of this code; raised with a migration that older workers must not work beside


class SchemaFloor(SQLModel, table=True):
    """The least `CODE` a worker needs. Additive migrations leave it alone."""

    __tablename__ = "schema_floor"

    id: int = Field(default=1, primary_key=True)
    floor: int = CODE
