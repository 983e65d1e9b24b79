"""How a payload points at its deals: a stored file, or rows given inline. Light: no data library is imported."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

MAX_INLINE_ROWS = 5_000

DateOrder = Literal["auto", "day-first", "month-first", "iso"]
Column = Literal["deal", "client", "owner", "segment", "product", "stage", "amount", "opened_on", "closed_on", "region"]


class Data(BaseModel):
    """Deals to work on: exactly one of `artifact` and `rows`."""

    model_config = ConfigDict(extra="forbid")

    artifact: int | None = Field(None, ge=1, description="Number of a stored CSV or Parquet file.")
    rows: list[dict[str, Any]] | None = Field(
        None, max_length=MAX_INLINE_ROWS, description="The deals themselves, one object each (at most 5,000)."
    )
    columns: dict[Column, Annotated[str, Field(min_length=1, max_length=200)]] = Field(
        {}, description='Which of your columns is which, where the names differ: {"amount": "close_value"}.'
    )
    dates: DateOrder = Field(
        "auto", description="How to read dates such as 3/4/2026; `auto` tells it from the whole column."
    )
    lookup: int | None = Field(
        None, ge=1, description="Number of a stored CSV file listing the products, to check names against."
    )

    @model_validator(mode="after")
    def _exactly_one_source(self) -> "Data":
        if (self.artifact is None) == (self.rows is None):
            given = "both" if self.rows is not None else "neither"
            raise ValueError(f"give exactly one of artifact and rows ({given} given)")
        if self.rows is not None and not self.rows:
            raise ValueError("rows is empty: give at least one deal, or a stored file's number as artifact")
        return self

    @property
    def label(self) -> str:
        """What a result calls this source."""
        return f"stored file {self.artifact}" if self.rows is None else f"{len(self.rows):,} rows given inline"

    def arguments(self, path_of: Callable[[int], Path]) -> dict[str, Any]:
        """The arguments of `analytics.deals.read`; `path_of` finds a stored file (`run.artifact_path`)."""
        return {
            "path_or_rows": self.rows if self.artifact is None else path_of(self.artifact),
            "columns": dict(self.columns),
            "dates": self.dates,
            "lookup_path": None if self.lookup is None else path_of(self.lookup),
        }
