"""What of a stored file can be shown beside its download, and how; told by its own bytes, not by what it is called.

Only what a browser cannot be made to run: pictures of pixels, PDF in the browser's own viewer, tables and plain text.
HTML and SVG are text here.
"""

import csv
import io
import json
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePosixPath
from typing import Any, Literal

from models import Artifact
from services import artifacts

LARGEST_TEXT = 256 * 1024  # bytes that are read for a table or text
LARGEST_SHOWN = 25 * 1024 * 1024  # bytes of a picture or PDF
MOST_ROWS, MOST_COLUMNS = 500, 60

PACKED = (
    "application/vnd.openxmlformats",
    "application/vnd.ms",
    "application/zip",
    "application/gzip",
    "audio/",
    "video/",
)

Kind = Literal["image", "pdf", "table", "json", "text"]

_PICTURES = {
    b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF87a": "image/gif", b"GIF89a": "image/gif",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Preview:
    """What to show: of a picture or a PDF its media type, else its content."""

    kind: Kind
    media_type: str = "text/plain"
    content: Any = None  # rows of a table (the first: its head), a JSON value, or text
    cut: bool = False  # whether there is more than this


def worth_a_look(artifact: Artifact) -> bool:
    """Whether a preview may be tried, by what the file is said to be: what is packed shows nothing."""
    return not artifact.media_type.startswith(PACKED)


def of(artifact: Artifact) -> Preview | None:
    """How it can be shown; None where it cannot. Raises `NotFound` where the file is gone."""
    with artifacts.open_local(artifact.id).open("rb") as file:
        head = file.read(LARGEST_TEXT)
    inline = media_type(head)
    if inline is not None:
        kind: Kind = "pdf" if inline == "application/pdf" else "image"
        return Preview(kind, inline) if artifact.size <= LARGEST_SHOWN else None
    text, cut = _text(head), artifact.size > len(head)
    if text is None:
        return None
    suffix = PurePosixPath(artifact.name.lower()).suffix
    if suffix in (".csv", ".tsv") or artifact.media_type in ("text/csv", "text/tab-separated-values"):
        return _table(text, "\t" if suffix == ".tsv" else None, cut) or Preview("text", content=text, cut=cut)
    if (suffix == ".json" or artifact.media_type == "application/json") and not cut:
        try:
            return Preview("json", content=json.loads(text))
        except (ValueError, RecursionError):
            pass
    return Preview("text", content=text, cut=cut)


def media_type(head: bytes) -> str | None:
    """The type under which a browser may show a file that begins so, in place; None for all that may not."""
    if head.startswith(b"%PDF-"):
        return "application/pdf"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for sign, kind in _PICTURES.items() if head.startswith(sign)), None)


def _text(head: bytes) -> str | None:
    if b"\0" in head:
        return None
    try:
        return head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return head[: error.start].decode("utf-8-sig") if error.start > len(head) - 4 and error.start else None


def _table(text: str, delimiter: str | None, cut: bool) -> Preview | None:
    lines = text.splitlines(keepends=True)
    if cut:
        lines = lines[:-1]
    try:
        dialect: Any = csv.Sniffer().sniff("".join(lines[:20]), ",;\t|") if delimiter is None else csv.excel_tab
        rows = [row[:MOST_COLUMNS] for row in islice(csv.reader(io.StringIO("".join(lines)), dialect), MOST_ROWS + 2)]
    except csv.Error:
        return None
    if len(rows) < 2:
        return None
    return Preview("table", content=rows[: MOST_ROWS + 1], cut=cut or len(rows) > MOST_ROWS + 1)
