"""How wide a table's columns become, for the page and for the slide alike."""

from collections.abc import Callable

from analytics.report.model import Table

Measure = Callable[[str, bool], float]  # text, bold -> width


def natural(block: Table, measure: Measure, padding: float) -> list[float]:
    """Width of each column's widest cell; a heading may break between its words."""
    found = []
    for place, column in enumerate(block.columns):
        head = max((measure(word, True) for word in column.title.split()), default=0.0)
        body = max((measure(row[place], False) for row in block.rows), default=0.0)
        found.append(max(head, body) + 2 * padding)
    return found


def numbers_leave(block: Table, wanted: list[float], width: float) -> float:
    """What the number columns leave to each text column, on average."""
    texts = [column for column in block.columns if column.kind != "number"]
    taken = sum(each for each, column in zip(wanted, block.columns, strict=True) if column.kind == "number")
    return (width - taken) / len(texts) if texts else width - taken


def columns(block: Table, wanted: list[float], width: float, narrowest: float, air: float) -> list[float]:
    """The columns' widths, `width` together: numbers get what they need, texts share the rest.

    With room to spare the numbers stand up to `air` apart instead of far right; where even `narrowest` is not left
    to the texts, all columns give way alike.
    """
    texts = [n for n, column in enumerate(block.columns) if column.kind != "number"]
    numbers = [n for n in range(len(wanted)) if n not in texts]
    if not texts or numbers_leave(block, wanted, width) < narrowest:
        return [each * width / sum(wanted) for each in wanted]
    taken = sum(wanted[n] for n in numbers)
    spare = width - taken - sum(max(wanted[n], 2 * narrowest) for n in texts)
    more = min(air, max(0.0, spare) / len(numbers)) if numbers else 0.0
    left = width - taken - more * len(numbers)
    shares = sum(block.columns[n].share for n in texts)
    return [left * block.columns[n].share / shares if n in texts else each + more for n, each in enumerate(wanted)]


def cards(many: int) -> int:
    """How many of `many` key figures stand side by side."""
    return 5 if many == 5 else 3 if many in (3, 6, 9) else 4
