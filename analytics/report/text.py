"""Words of others made safe to print: one line, no hidden controls, an honest length."""

import re
import unicodedata

ELLIPSIS = "…"
LONGEST = 2_000  # characters; longer texts belong into an artifact, not into a report

# Cc: controls, Cf: bidi overrides, zero-width and soft hyphens, Cs: lone surrogates, Co and Cn: nobody's characters.
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn"}
_SLUG = re.compile(r"[^a-z0-9]+")


def clean(value: object, longest: int = LONGEST) -> str:
    """`value` as one line of visible characters in NFC, at most `longest` of them.

    Bidirectional controls are dropped (they can turn a name or a number round), line breaks become spaces,
    and what XML cannot hold is gone, so that every renderer may take the text as it is, escaped.
    """
    text = unicodedata.normalize("NFC", str(value)[: 4 * longest])
    visible = (" " if c.isspace() else c for c in text if c.isspace() or unicodedata.category(c) not in _HIDDEN)
    return shorten(" ".join("".join(visible).split()), longest)


def shorten(text: str, longest: int) -> str:
    """`text`, cut to `longest` characters; an ellipsis shows that something is missing."""
    return text if len(text) <= longest else text[: longest - 1].rstrip() + ELLIPSIS


def sentence_case(key: str) -> str:
    """A result's key as a label: `won_amount` reads `Won amount`."""
    words = clean(re.sub(r"[_\s]+", " ", key), 80)
    return words[:1].upper() + words[1:]


def slug(title: str) -> str:
    """A file name's stem of at most 60 characters from `title`; `report` where nothing is left of it."""
    ascii_only = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    return _SLUG.sub("-", ascii_only.lower()).strip("-")[:60].strip("-") or "report"


def several(number: int, one: str, many: str | None = None) -> str:
    """`1 deal`, `1,234 deals`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
