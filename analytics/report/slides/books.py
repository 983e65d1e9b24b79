"""The workbooks behind native charts: texts stay texts, and no clock is written into them.

python-pptx lets XlsxWriter turn a category that begins with `=` into a formula and one that looks like an address into
a link. Names come from other people's data, so both are switched off.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from pptx.chart.data import CategoryChartData, XyChartData
from pptx.chart.xlsx import CategoryWorkbookWriter, XyWorkbookWriter
from xlsxwriter import Workbook

_OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
_A_DAY = datetime(2000, 1, 1)  # noqa: DTZ001  # XlsxWriter wants it naive; any fixed day does


class _PlainSheet:
    @contextmanager
    def _open_worksheet(self, xlsx_file: Any) -> Iterator[tuple[Any, Any]]:
        workbook = Workbook(xlsx_file, dict(_OPTIONS))
        workbook.set_properties({"created": _A_DAY, "author": "Callboard"})
        yield workbook, workbook.add_worksheet()
        workbook.close()


class _CategoryBook(_PlainSheet, CategoryWorkbookWriter):
    pass


class _XyBook(_PlainSheet, XyWorkbookWriter):
    pass


class SafeCategories(CategoryChartData):
    """python-pptx's category data over a workbook without formulas and links."""

    @property
    def _workbook_writer(self) -> CategoryWorkbookWriter:
        return _CategoryBook(self)


class SafePoints(XyChartData):
    """python-pptx's point data over a workbook without formulas and links."""

    @property
    def _workbook_writer(self) -> XyWorkbookWriter:
        return _XyBook(self)
