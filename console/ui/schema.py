"""Reading a JSON schema as a form: which field is what. No Streamlit in here."""

from dataclasses import dataclass
from typing import Any

DEEPEST = 3


@dataclass(frozen=True)
class Field:
    """One argument as the form asks for it."""

    name: str
    kind: str  # text, number, whole, switch, choice, date, moment, lines, choices, file, object, json
    schema: dict[str, Any]
    required: bool
    optional: bool  # may be null
    default: Any = None
    choices: tuple[Any, ...] = ()
    parts: tuple["Field", ...] = ()  # of an object

    @property
    def label(self) -> str:
        """`client_ids` as `Client ids`."""
        words = self.name.replace("_", " ").strip()
        return words[:1].upper() + words[1:]

    @property
    def help(self) -> str | None:
        """Its description."""
        return self.schema.get("description")


def fields(schema: dict[str, Any]) -> list[Field]:
    """The arguments of a type's contract, in their order."""
    return list(_fields(schema, schema.get("$defs", {}), 1))


def _fields(schema: dict[str, Any], defs: dict[str, Any], depth: int) -> tuple[Field, ...]:
    required = set(schema.get("required", ()))
    return tuple(
        _field(name, one, name in required, defs, depth)
        for name, one in schema.get("properties", {}).items()
        if isinstance(one, dict)
    )


def _field(name: str, given: dict[str, Any], required: bool, defs: dict[str, Any], depth: int) -> Field:
    schema, optional = _plain(given, defs)
    kind, choices, parts = _kind(name, schema, defs, depth)
    return Field(name, kind, schema, required, optional, schema.get("default"), choices, parts)


def _plain(schema: dict[str, Any], defs: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """Without references, and without the null among its alternatives; whether there was one."""
    outer = {n: v for n, v in schema.items() if n in ("description", "default", "title")}
    for _ in range(10):
        if "$ref" in schema:
            schema = {**defs.get(str(schema["$ref"]).rpartition("/")[2], {}), **outer}
        elif len(schema.get("allOf", ())) == 1:
            schema = {**schema["allOf"][0], **outer}
        else:
            break
    alternatives = schema.get("anyOf")
    if not alternatives:
        return {**schema, **outer}, False
    others = [one for one in alternatives if one.get("type") != "null"]
    null = len(others) < len(alternatives)
    if len(others) != 1:
        return {**outer, "anyOf": others}, null
    inner, deeper = _plain(others[0], defs)
    return {**inner, **outer}, null or deeper


def _kind(
    name: str, schema: dict[str, Any], defs: dict[str, Any], depth: int
) -> tuple[str, tuple[Any, ...], tuple[Field, ...]]:
    if "enum" in schema:
        return "choice", tuple(schema["enum"]), ()
    kind, layout = schema.get("type"), schema.get("format")
    if kind == "object" and schema.get("properties") and depth < DEEPEST:
        return "object", (), _fields(schema, defs, depth + 1)
    if kind == "array":
        items, _ = _plain(schema.get("items", {}), defs)
        if "enum" in items:
            return "choices", tuple(items["enum"]), ()
        return ("lines" if items.get("type") == "string" else "json"), (), ()
    if kind == "integer" and _is_file(name, schema):
        return "file", (), ()
    if kind == "string" and layout in ("date", "date-time"):
        return ("date" if layout == "date" else "moment"), (), ()
    simple = {"string": "text", "integer": "whole", "number": "number", "boolean": "switch"}
    return simple.get(str(kind), "json"), (), ()


def _is_file(name: str, schema: dict[str, Any]) -> bool:
    """Whether a whole number is the number of a stored file: its name or its description says so."""
    words = str(schema.get("description", "")).lower()
    return (
        schema.get("format") == "artifact"
        or name.split("_")[-1] == "artifact"
        or ("stored" in words and "file" in words)
    )
