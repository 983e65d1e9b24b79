"""Text files as people save them, made into clean UTF-8 CSV: encodings, delimiters, line ends, broken lines.

DuckDB's own reader loses the rest of a file in one unclosed quotation mark and refuses mixed line ends. Here a
broken line costs that line alone, with its number, and what is written is certain to be read as it was counted.
"""

import codecs
import csv
import io
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from analytics.deals.model import Rejected, shorten
from analytics.errors import BadData

DELIMITERS = (",", ";", "\t", "|")
MAX_LINE_CHARS = 250_000  # a record is at most two such, so at most 2 MB
MOST_COLUMNS = 2_000
MOST_BROKEN = 10_000  # rows; beyond it a file that is broken more often than not is refused
MAX_RECORD_LINES = 100  # how many lines a cell may span, and an unclosed quotation mark looks ahead
_BLOCK = 1 << 20
_SHEETS = {
    b"PK\x03\x04": "an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"%PDF": "a PDF",
    b"\x1f\x8b": "a gzip archive",
}

csv.field_size_limit(MAX_LINE_CHARS * 2)


@dataclass(frozen=True)
class Sieved:
    """A clean file (no header; its first column is the line number in the source), and what was held back."""

    columns: list[str]
    rows: int
    rejected: list[Rejected]
    encoding: str
    delimiter: str


def sieve(source: Path, clean: Path) -> Sieved:
    """Write the well-formed rows of `source` to `clean`, in UTF-8. Raises BadData where it is no table at all."""
    encoding = encoding_of(source)
    with (
        source.open(encoding=encoding, newline=None) as text,
        clean.open("w", encoding="utf-8", newline="") as out,
    ):
        lines = _Lines(text)
        delimiter, columns = _header(lines)
        rows, rejected = _sift(lines, out, delimiter, len(columns))
    return Sieved(columns, rows, rejected, encoding, delimiter)


def encoding_of(source: Path) -> str:
    """utf-8-sig, utf-16 (by its mark) or cp1252: what the whole file decodes as. Raises BadData if it is not text."""
    with source.open("rb") as raw:
        head = raw.read(4096)
        for magic, name in _SHEETS.items():
            if head.startswith(magic):
                raise BadData(f"The file is {name}, not CSV or Parquet. Save the deals as “CSV UTF-8” and give that.")
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        if head.count(0) * 20 > len(head):
            raise BadData("The file is binary, not CSV or Parquet. Save the deals as “CSV UTF-8” and give that.")
        for encoding in ("utf-8-sig", "cp1252"):
            raw.seek(0)
            if _decodes(raw, encoding):
                return encoding
    raise BadData("The file's text is neither UTF-8 nor Windows-1252. Save it as “CSV UTF-8” and give that.")


def _decodes(raw: io.BufferedReader, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for block in iter(partial(raw.read, _BLOCK), b""):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


class _Lines:
    """The lines of a text with their numbers, some of which may be looked at and put back."""

    def __init__(self, text: io.TextIOBase) -> None:
        self._text = text
        self._read = 0
        self._waiting: deque[tuple[int, str]] = deque()

    def __iter__(self) -> Iterator[tuple[int, str]]:
        while (line := self.next()) is not None:
            yield line

    def next(self) -> tuple[int, str] | None:
        if self._waiting:
            return self._waiting.popleft()
        line = self._text.readline(MAX_LINE_CHARS)
        if not line:
            return None
        self._read += 1
        return self._read, line.rstrip("\n")

    def put_back(self, lines: list[tuple[int, str]]) -> None:
        self._waiting.extendleft(reversed(lines))


def _header(lines: _Lines) -> tuple[str, list[str]]:
    for number, line in lines:
        if number == 1 and line.lower().startswith("sep=") and len(line) == 5:
            continue  # Excel's own note on the delimiter; the header says the same
        if line.strip():
            break
    else:
        raise BadData("The file is empty. Give a CSV file whose first line names the columns.")
    ahead = [pair for pair in (lines.next() for _ in range(20)) if pair is not None]
    lines.put_back(ahead)
    delimiter = _delimiter(line, [text for _, text in ahead])
    names = _cells(line, delimiter) or line.split(delimiter)
    if len(names) > MOST_COLUMNS:
        raise BadData(
            f"The first line has {len(names):,} columns, more than {MOST_COLUMNS:,}. Leave out what is not needed."
        )
    return delimiter, [name.strip() or f"column {place}" for place, name in enumerate(names, start=1)]


def _delimiter(header: str, ahead: list[str]) -> str:
    """The delimiter that cuts the header into several cells and most of the lines after it into as many."""

    def merit(delimiter: str) -> tuple[bool, int, int]:
        width = len(_cells(header, delimiter) or [])
        agreeing = sum(len(_cells(line, delimiter) or []) == width for line in ahead)
        return width > 1, agreeing, width

    return max(DELIMITERS, key=merit)


def _sift(lines: _Lines, out: io.TextIOBase, delimiter: str, width: int) -> tuple[int, list[Rejected]]:
    rows = 0
    rejected: list[Rejected] = []
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    blanks = delimiter + " \t"
    for number, line in lines:
        if not line:
            continue
        if '"' not in line and line.count(delimiter) == width - 1 and line.strip(blanks):
            out.write(f"{number}{delimiter}{line}\n")
            rows += 1
            continue
        cells = _quoted(line, lines, delimiter, width) if '"' in line else line.split(delimiter)
        if why := _fault(cells, width):
            rejected.append(Rejected(number, why, shorten(line)))
            if len(rejected) > MOST_BROKEN and len(rejected) > rows:
                raise BadData(_hopeless(rejected, rows, delimiter))
        else:
            writer.writerow([number, *(cells or ())])
            rows += 1
    return rows, rejected


def _quoted(line: str, lines: _Lines, delimiter: str, width: int) -> list[str] | None:
    """The cells of a record that begins on this line and may go on below; None where its quotes never close."""
    cells = _cells(line, delimiter)
    if cells is not None:
        return cells
    text = line
    taken: list[tuple[int, str]] = []
    while len(taken) < MAX_RECORD_LINES and len(text) < MAX_LINE_CHARS and (pair := lines.next()) is not None:
        taken.append(pair)
        text += "\n" + pair[1]
        if '"' in pair[1] and (cells := _cells(text, delimiter)) is not None:
            if len(cells) == width:
                return cells
            break
    lines.put_back(taken)
    return None


def _cells(text: str, delimiter: str) -> list[str] | None:
    """The cells of one record, or None where a quotation mark is not closed or stands in the wrong place."""
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return None


def _hopeless(rejected: list[Rejected], rows: int, delimiter: str) -> str:
    read, first = rows + len(rejected), rejected[0]
    return (
        f"{len(rejected):,} of the first {read:,} rows are broken; the first, line {first.line}: {first.reason} "
        f"(cells are taken to be parted by {delimiter!r}). Export the deals again as “CSV UTF-8”."
    )


def _fault(cells: list[str] | None, width: int) -> str | None:
    if cells is None:
        return "a quotation mark is misplaced or never closed"
    if len(cells) != width:
        return f"{len(cells)} {'cell' if len(cells) == 1 else 'cells'} where the header has {width}"
    return None if any(cell.strip() for cell in cells) else "every cell is empty"
