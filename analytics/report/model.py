"""What a report says, before anybody draws it: sections of blocks, the same for the PDF and for the slides.

Every text in a block is clean from the moment the block exists (`text.clean`), and every number that is shown was
written by `figures`; charts (`charts`) also keep the raw values, which the slides' native charts carry on.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from analytics.report.charts import Chart
from analytics.report.cleaning import Clean
from analytics.report.text import clean


@dataclass(frozen=True)
class Source(Clean):
    """A task this report was made from, and its result as it came (`result` is whatever JSON the task returned)."""

    task_id: int
    type: str
    title: str
    status: str
    result: Any = None

    def __post_init__(self) -> None:
        for name in ("type", "title", "status"):
            object.__setattr__(self, name, clean(getattr(self, name) or ""))

    @property
    def name(self) -> str:
        """What a reader calls it: its title, or its type."""
        return self.title or self.type or f"task {self.task_id}"


@dataclass(frozen=True)
class Figure(Clean):
    """One key figure: the number as it is written, what it is, and one more word about it."""

    value: str
    label: str
    note: str = ""


@dataclass(frozen=True)
class KeyFigures(Clean):
    figures: Sequence[Figure]


@dataclass(frozen=True)
class Bullets(Clean):
    items: Sequence[str]
    title: str = ""


@dataclass(frozen=True)
class Heading(Clean):
    """A small heading inside a section; it stays with what follows it."""

    text: str


@dataclass(frozen=True)
class Prose(Clean):
    text: str


@dataclass(frozen=True)
class Notice(Clean):
    """A box that must not be overlooked."""

    title: str
    text: str
    kind: Literal["info", "warning"] = "info"


@dataclass(frozen=True)
class Column(Clean):
    """A column of a table. `number` aligns right and never wraps; `wrap` may take several lines, other text is cut."""

    title: str
    kind: Literal["text", "number", "wrap"] = "text"
    share: float = 1.0  # of the width that the numbers leave to the texts


@dataclass(frozen=True)
class Table(Clean):
    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    note: str = ""
    on_slides: bool = True


Block = Heading | KeyFigures | Bullets | Prose | Notice | Table | Chart


@dataclass(frozen=True)
class Section(Clean):
    """A heading and what stands under it. A chapter (`level` 1) is listed in the contents."""

    title: str
    blocks: Sequence[Block]
    level: Literal[1, 2] = 1
    on_slides: bool = True


@dataclass(frozen=True)
class Document(Clean):
    """A whole report. `facts` are the cover's (name, text) pairs; time changes nothing but `printed_on`."""

    title: str
    subtitle: str
    printed_on: str
    facts: Sequence[tuple[str, str]]
    sections: Sequence[Section]
    warnings: Sequence[str] = ()

    @property
    def chapters(self) -> list[Section]:
        return [section for section in self.sections if section.level == 1]


@dataclass(frozen=True)
class Rendered:
    """A finished file: its bytes, how many pages or slides it has, and what could not be shown as it was."""

    data: bytes
    count: int
    warnings: list[str] = field(default_factory=list)
