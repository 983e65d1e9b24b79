"""The words by which tasks are found: the same on both databases, so no database's own idea of a word is used.

A word begins where letters or digits begin, and again inside it at a capital (`ConnectionError`: also `error`), between
letters and digits, and at every sign of a script without spaces. Accents and case do not matter. A question is found
by the beginnings of words.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

LONGEST = 24  # characters of a word that count; longer ones are checked against the text itself
MOST = 300  # words of a task
MOST_TERMS = 10

_RUN = re.compile(r"[^\W_]+")
_NO_SPACES = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_INSIDE = re.compile(
    r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=\d)(?=[^\W\d_])|(?<=[^\W\d_])(?=\d)"
    "|(?=[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af])"
)
_MOST_INSIDE = 6
_MOST_INSIDE_NO_SPACES = 60
_STRING_OR_NUMBER = re.compile(r'"((?:[^"\\]|\\.)*)"?(\s*:)?|-?\d[\d.eE+\-]*|\btrue\b|\bfalse\b')
_ESCAPE = re.compile(r'\\(?:u([0-9a-fA-F]{4})|(["\\/bfnrt]))')


@dataclass(frozen=True, slots=True)
class Term:
    """One part of a question, between spaces."""

    words: tuple[str, ...]  # all must be there, the last at least as a beginning
    literal: str | None  # what the text must hold besides; None where the words say it all


def plain(text: str) -> str:
    """Text without accents; case is kept."""
    if text.isascii():
        return text
    parts = unicodedata.normalize("NFKD", text)
    return unicodedata.normalize("NFC", "".join(c for c in parts if unicodedata.category(c) != "Mn"))


def of(text: str) -> list[str]:
    """The words of a plain text, in their order, each once."""
    found: dict[str, None] = {}
    for match in _RUN.finditer(text):
        run = match[0]
        found[run.casefold()[:LONGEST]] = None
        if not (run.isdigit() or (run.isascii() and run.isalpha() and run.islower())):
            for start in _starts(run):
                found[run[start:].casefold()[:LONGEST]] = None
        if len(found) >= MOST:
            break
    return list(found)[:MOST]


def terms(question: str) -> list[Term]:
    """What a question asks for; nothing for one without letters and digits."""
    return [term for part in plain(question).split()[:MOST_TERMS] if (term := _term(part)).words]


def _term(part: str) -> Term:
    words = tuple(run.casefold()[:LONGEST] for run in _RUN.findall(part))
    folded = part.casefold()
    return Term(words, None if words == (folded,) else folded)


def _starts(run: str) -> list[int]:
    most = _MOST_INSIDE_NO_SPACES if _NO_SPACES.search(run) else _MOST_INSIDE
    return [match.start() for match, _ in zip(_INSIDE.finditer(run), range(most), strict=False) if match.start()]


def of_json(text: str, hide: Callable[[str], bool] = lambda name: False) -> str:
    """Names and values of JSON text, which may be cut off anywhere, without its punctuation.

    The values of names that are to be hidden are left out.
    """
    kept, hidden = [], False
    for match in _STRING_OR_NUMBER.finditer(text):
        word = _unescaped(match[1]) if match[1] is not None else match[0]
        if match[2]:  # a name
            hidden = hide(word)
        elif hidden:
            continue
        kept.append(word)
    return " ".join(kept)


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    whole = _ESCAPE.sub(lambda m: chr(int(m[1], 16)) if m[1] else {"n": "\n", "t": "\t"}.get(m[2], m[2]), text)
    return whole.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
