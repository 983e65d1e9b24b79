"""What must not be written down in plain: values whose key names a secret, and passwords inside text."""

import re
from typing import Any

HIDDEN = "***"
DEEPEST = 5

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SECRET = frozenset(
    {
        "pass", "passwd", "password", "passwords", "passphrase", "pwd", "pin", "secret", "secrets", "token", "tokens",
        "authorization", "auth", "cookie", "cookies", "credential", "credentials", "apikey",
    }
)  # fmt: skip
# A key opens something, unless it is one of these
_HARMLESS_KEYS = frozenset(
    {"unique", "concurrency", "primary", "foreign", "sort", "partition", "dedupe", "idempotency", "cache", "object"}
)
_COUNTED = frozenset({"token", "tokens", "key", "keys"})  # a number under these names counts them

_USERINFO = re.compile(r"(?P<scheme>\b[a-z][a-z0-9+.\-]*://)[^\s/?#@]*@", re.IGNORECASE)
_BEARER = re.compile(r"\b(?P<kind>bearer|basic)\s+[\w.~+/=\-]{6,}", re.IGNORECASE)
_ASSIGNED = re.compile(
    r"(?P<name>\b[\w\-]*(?:passwd|password|secret|token|api[_-]?key))(?P<sign>\s*[=:]\s*)(?P<quote>[\"']?)[^\s\"'&,;]+",
    re.IGNORECASE,
)


def is_secret(name: str) -> bool:
    """Whether a value of this name is to be hidden: `api_key` is, `concurrency_key` is not."""
    words = [word.lower() for word in _WORD.findall(name)]
    if _SECRET.intersection(words):
        return True
    return any(
        word in ("key", "keys") and not (at and words[at - 1] in _HARMLESS_KEYS) for at, word in enumerate(words)
    )


def hidden(value: Any, name: str = "", depth: int = 0) -> Any:
    """The value as it may be written down: secrets replaced by `***`, at any depth."""
    if name and is_secret(name) and not _is_count(name, value):
        return HIDDEN
    if isinstance(value, str):
        return text(value)
    if depth >= DEEPEST or not isinstance(value, dict | list | tuple | set | frozenset):
        return value
    if isinstance(value, dict):
        return {key: hidden(item, str(key), depth + 1) for key, item in value.items()}
    return [hidden(item, "", depth + 1) for item in value]


def text(value: str) -> str:
    """Text without the passwords of URLs, bearer tokens and `password=…` in it."""
    value = _USERINFO.sub(rf"\g<scheme>{HIDDEN}@", value)
    value = _BEARER.sub(rf"\g<kind> {HIDDEN}", value)
    return _ASSIGNED.sub(rf"\g<name>\g<sign>\g<quote>{HIDDEN}", value)


def _is_count(name: str, value: Any) -> bool:
    words = {word.lower() for word in _WORD.findall(name)}
    return (value is None or isinstance(value, int | float)) and not (words & _SECRET - _COUNTED)
