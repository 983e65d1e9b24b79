"""Making reports and reading them back, as a reader's programs do."""

import io
import zipfile
from collections.abc import Sequence
from datetime import date
from typing import Any

from pptx import Presentation
from pypdf import PdfReader

from analytics import report
from analytics.report import Document, Source
from tests.analytics.report import samples

PRINTED_ON = date(2026, 11, 22)


def document(*sources: Source, title: str = "Sales review", subtitle: str = "", zone: str = "UTC") -> Document:
    """A document from these sources, or from the two samples."""
    given = sources or (
        Source(12, "bulk_analysis", "Pipeline 2017", "completed", samples.bulk()),
        Source(13, "simulation_batch", "Next quarter", "completed", samples.simulation()),
    )
    return report.compose(title, given, printed_on=PRINTED_ON, subtitle=subtitle, zone=zone)


def of(kind: str, result: Any, title: str = "A task") -> Source:
    """A completed task with this result."""
    return Source(7, kind, title, "completed", result)


def pages(data: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(data))


def words(data: bytes) -> str:
    """All text of a PDF, its white space made single spaces."""
    return " ".join(" ".join(page.extract_text() for page in pages(data).pages).split())


def deck(data: bytes) -> Any:
    return Presentation(io.BytesIO(data))


def shapes(data: bytes) -> list[Any]:
    return [shape for slide in deck(data).slides for shape in slide.shapes]


def charts(data: bytes) -> list[Any]:
    return [shape.chart for shape in shapes(data) if shape.has_chart]


def said(data: bytes) -> str:
    """All text of the slides: boxes and tables."""
    texts = [shape.text_frame.text for shape in shapes(data) if shape.has_text_frame]
    tables = [shape.table for shape in shapes(data) if shape.has_table]
    texts += [cell.text for table in tables for row in table.rows for cell in row.cells]
    return " ".join(" ".join(texts).split())


def workbooks(data: bytes) -> Sequence[dict[str, str]]:
    """The workbooks behind the native charts: member name -> XML."""
    found = []
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        for name in package.namelist():
            if name.endswith(".xlsx"):
                with zipfile.ZipFile(io.BytesIO(package.read(name))) as book:
                    found.append({member: book.read(member).decode("utf-8", "replace") for member in book.namelist()})
    return found
