"""A readable chapter for a result of any shape: texts, name and value pairs, lists and tables, nested ones below."""

import json
from typing import Any

from analytics.report import figures
from analytics.report.model import Block, Bullets, Column, Prose, Section, Source, Table
from analytics.report.read import sentences
from analytics.report.text import clean, sentence_case, shorten

SHOWN_ELSEWHERE = {"engine", "engine_kind", "warnings", "limits", "artifacts", "usage"}
MOST_ROWS = 25
MOST_COLUMNS = 7
MOST_BLOCKS = 60  # of one result; a result of thousands of nested objects is data, not a report
DEEPEST = 3
A_LONG_TEXT = 160  # characters; longer ones become a paragraph of their own


def summary(source: Source) -> list[Block]:
    """The result's own summary and findings, where it has them."""
    result = source.result if isinstance(source.result, dict) else {}
    said = result.get("summary")
    blocks: list[Block] = [Prose(clean(said))] if isinstance(said, str) and said.strip() else []
    found = sentences(result, "findings")[:12]
    return [*blocks, Bullets(found, title="Findings")] if found else blocks


def chapter(source: Source) -> list[Section]:
    """One section with everything the result holds, as far as a reader can take it in."""
    result = source.result
    if isinstance(result, dict):
        result = {key: value for key, value in result.items() if key not in SHOWN_ELSEWHERE}
    blocks = _blocks("", result, 0)
    if len(blocks) > MOST_BLOCKS:
        blocks = [*blocks[:MOST_BLOCKS], Prose(f"{len(blocks) - MOST_BLOCKS:,} more parts are in the task's result.")]
    return [Section("Result", blocks or [Prose("The result is empty.")], level=2)]


def _blocks(name: str, value: Any, depth: int) -> list[Block]:
    if isinstance(value, dict):
        return _of_mapping(name, value, depth)
    if isinstance(value, list):
        return _of_list(name, value)
    return [Prose(_labelled(name, _scalar(value, name)))]


def _labelled(name: str, text: str) -> str:
    return f"{name}: {text}" if name else text


def _of_mapping(name: str, value: dict[str, Any], depth: int) -> list[Block]:
    if depth >= DEEPEST:
        return [Bullets([_json(value, 400)], title=name or "Value")] if value else []
    pairs, blocks = [], []
    for key, item in value.items():
        label = sentence_case(str(key))
        path = f"{name} / {label}" if name else label
        if isinstance(item, dict | list):
            blocks += _blocks(path, item, depth + 1)
        elif isinstance(item, str) and len(item) > A_LONG_TEXT:
            blocks.append(Prose(_labelled(label, item)))
        else:
            pairs.append([label, _scalar(item, str(key))])
    columns = [Column("Name", "wrap"), Column("Value", "wrap", 2)]
    tables: list[Block] = [Table(name or "Values", columns, pairs[:MOST_ROWS], _more(len(pairs)))] if pairs else []
    return tables + blocks


def _of_list(name: str, items: list[Any]) -> list[Block]:
    if not items:
        return []
    if all(isinstance(item, dict) and item for item in items):
        return [_table(name, items)]
    said = [_scalar(item, name) for item in items[:MOST_ROWS]]
    if len(items) > MOST_ROWS:
        said.append(f"and {len(items) - MOST_ROWS:,} more")
    return [Bullets(said, title=name or "Items")]


def _table(name: str, items: list[dict[str, Any]]) -> Table:
    shown = items[:MOST_ROWS]
    keys = list(dict.fromkeys(key for item in shown for key in item))
    kept, left = keys[:MOST_COLUMNS], keys[MOST_COLUMNS:]
    columns = [
        Column(sentence_case(str(key)), "number" if _is_number(shown, key) else "wrap", _share(shown, key))
        for key in kept
    ]
    rows = [[_scalar(item.get(key), str(key)) for key in kept] for item in shown]
    notes = [_more(len(items))]
    if left:
        notes.append(f"Columns left out: {shorten(', '.join(map(str, left)), 200)}.")
    return Table(name or "Items", columns, rows, " ".join(filter(None, notes)))


def _is_number(items: list[dict[str, Any]], key: str) -> bool:
    values = [item.get(key) for item in items if item.get(key) is not None]
    return bool(values) and all(figures.real(value) is not None for value in values)


def _share(items: list[dict[str, Any]], key: str) -> float:
    """Wide texts get up to four times the width of short ones."""
    longest = max(len(_scalar(item.get(key), key)) for item in items)
    return min(4.0, max(1.0, longest / 20))


def _scalar(value: Any, key: str) -> str:
    if isinstance(value, dict | list):
        return _json(value, 120) if value else figures.MISSING
    return clean(figures.anything(value, key), 600)


def _json(value: Any, longest: int) -> str:
    return clean(json.dumps(value, ensure_ascii=False, default=str), longest)


def _more(of: int) -> str:
    return f"The first {MOST_ROWS} of {of:,}; the rest is in the task's result." if of > MOST_ROWS else ""
