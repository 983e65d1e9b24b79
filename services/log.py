"""What Callboard tells about itself: one line an act, for people as text, for machines as JSON. Never a payload."""

import logging
import os
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog
from structlog.types import Processor

from services import secrecy
from settings import settings

Line = MutableMapping[str, Any]

_NEVER = frozenset({"payload", "payloads", "result", "context", "args", "kwargs", "body"})
_OWN = frozenset({"event", "level", "timestamp", "process", "pid", "logger", "exception"})
_LIBRARIES = {
    "dramatiq": logging.INFO,  # below that, it writes down messages with their arguments
    "apscheduler": logging.ERROR,  # it warns of every round that takes longer than its period
    "sqlalchemy": logging.WARNING,
    "alembic": logging.WARNING,
}
_CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}
_CONTROL |= {0x0A: "\\n", 0x0D: "\\r", 0x09: "\\t"} | {code: f"\\u{code:04x}" for code in range(0x2028, 0x202F)}


def configure(process: str | None = None) -> None:
    """Send this process's logs, ours and the libraries', to standard error, as the settings say.

    `process` is shown in each line: `worker`, `scheduler`, … May be called again: the last call counts.
    """
    as_text = settings().log_format == "text" or (settings().log_format == "auto" and sys.stderr.isatty())
    common = _common(process)
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *common, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    last: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    handler = _ToStandardError()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=common, processors=last + (_text() if as_text else [_json()])
        )
    )
    threshold = logging.getLevelNamesMapping()[settings().log_level.upper()]
    handler.addFilter(_Threshold(threshold))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(threshold)
    for name, level in _LIBRARIES.items():
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).setLevel(level)
    logging.captureWarnings(True)


class _ToStandardError(logging.StreamHandler):
    """Writes to what `sys.stderr` is at that moment, as a test or a daemon may have exchanged it."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> Any:
        return getattr(sys.stderr, "uncaptured", sys.stderr)  # a body's log has what it logs already


class _Threshold(logging.Filter):
    """Our own lines from the settings' level on, those of libraries from warnings on; Dramatiq's infos are debug."""

    def __init__(self, least: int) -> None:
        super().__init__()
        self.least = least

    def filter(self, record: logging.LogRecord) -> bool:
        if hasattr(record, "_logger"):  # made by structlog: ours
            return record.levelno >= self.least
        if record.name.partition(".")[0] == "dramatiq" and record.levelno == logging.INFO:
            record.levelno, record.levelname = logging.DEBUG, "DEBUG"
            return self.least <= logging.DEBUG
        return record.levelno >= max(self.least, logging.WARNING)


def _common(process: str | None) -> list[Processor]:
    def say_where(_logger: Any, _method: str, line: Line) -> Line:
        if process:
            line.setdefault("process", process)
            line.setdefault("pid", os.getpid())
        return line

    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.format_exc_info,  # a plain traceback: never the values of variables
        say_where,
        _hide,
    ]


def _hide(_logger: Any, _method: str, line: Line) -> Line:
    """No payloads, no secrets."""
    for name, value in line.items():
        if name in _OWN:
            line[name] = secrecy.text(value) if isinstance(value, str) else value
        elif not name.startswith("_"):
            line[name] = "(not logged)" if name in _NEVER else secrecy.hidden(value, name)
    return line


def _json() -> Processor:
    render = structlog.processors.JSONRenderer(default=str)  # ASCII alone: no sign that a terminal obeys
    return lambda logger, method, line: render(logger, method, {n: line[n] for n in sorted(line, key=_order)})


def _order(name: str) -> int:
    first = ("timestamp", "level", "event")
    return first.index(name) if name in first else len(first)


def _text() -> list[Processor]:
    show = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback, sort_keys=False, pad_event_to=0
    )
    return [_escape, show]


def _escape(_logger: Any, _method: str, line: Line) -> Line:
    """Nobody's text may begin a line of its own or steer the terminal. Tracebacks keep their lines, indented."""
    for name, value in line.items():
        if name == "exception":
            line[name] = "\n".join("    " + part.translate(_CONTROL) for part in str(value).split("\n"))
        elif name.startswith("_") or value is None or isinstance(value, bool | int | float):
            continue
        else:
            line[name] = (value if isinstance(value, str) else repr(value)).translate(_CONTROL)
    return line
