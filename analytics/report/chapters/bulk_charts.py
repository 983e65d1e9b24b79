"""The charts of a `bulk_analysis` result, each with a sentence that its figures bear out."""

from calendar import monthrange
from datetime import date
from typing import Any

from analytics.report import figures
from analytics.report.chapters import bulk_tables
from analytics.report.charts import Bars, Chart, Columns, Curve, Interval, Series, Whiskers
from analytics.report.model import Block
from analytics.report.read import mapping, number, rows, word

MOST_BARS = 15  # bars in one chart that a reader can still compare


def months(result: Any) -> list[Block]:
    """Columns of what was won, and the last months as a table."""
    found = [row for row in rows(result, "monthly") if number(row, "won_amount") is not None]
    if not any(number(row, "won_amount") for row in found):
        return []
    best = max(found, key=lambda row: number(row, "won_amount") or 0)
    won = figures.amount(number(best, "won_amount"))
    caption = "Won amount by month of closing."
    if _stops_within(word(found[-1], "month", ""), word(result, "as_of", "")):
        caption += f" The last month counts up to {figures.day(word(result, 'as_of'))} only."
    names = [figures.month(word(row, "month")) for row in found]
    amounts = Series("Won amount", [number(row, "won_amount") or 0.0 for row in found])
    message = f"{figures.month(word(best, 'month'))} was the best month: {won} won."
    return [Columns("Won amount by month", message, caption, names, amounts), bulk_tables.months(found)]


def _stops_within(month: str, as_of: str) -> bool:
    try:
        day = date.fromisoformat(as_of)
    except ValueError:
        return False
    return month == as_of[:7] and day.day < monthrange(day.year, day.month)[1]


def segments(result: Any) -> list[Block]:
    """Win rates with their intervals, and the segments as a table."""
    found = rows(result, "segments")
    rated = [row for row in found if None not in [number(row, key) for key in _RATE]]
    rated = sorted(rated, key=_closed, reverse=True)[:MOST_BARS]
    blocks: list[Block] = []
    if rated:
        blocks.append(_win_rates(rated, len(found), number(mapping(result, "totals"), "win_rate")))
    if found:
        blocks.append(bulk_tables.groups(found, "segment"))
    return blocks


_RATE = ("win_rate_low", "win_rate", "win_rate_high")


def _closed(row: dict[str, Any]) -> float:
    return (number(row, "won") or 0) + (number(row, "lost") or 0)


def _win_rates(drawn: list[dict[str, Any]], of: int, overall: float | None) -> Chart:
    caption = "Share of closed deals won, with its 95% interval; one interval in twenty misses the truth by chance."
    if of > len(drawn):
        caption += f" The {len(drawn)} segments with the most closed deals, of {of:,}."
    ordered = sorted(drawn, key=lambda row: number(row, "win_rate") or 0, reverse=True)
    return Whiskers(
        "Win rate by segment",
        _clear_differences(ordered, overall),
        caption,
        [_interval(row) for row in ordered],
        overall,
        f"all deals {figures.percent(overall)}",
    )


def _interval(row: dict[str, Any]) -> Interval:
    low, rate, high = (number(row, key) or 0.0 for key in _RATE)
    return Interval(word(row, "segment"), low, rate, high, f"{figures.percent(rate)} of {figures.count(_closed(row))}")


def _clear_differences(ordered: list[dict[str, Any]], overall: float | None) -> str:
    """Only what the intervals bear out may be called a difference."""
    if overall is None:
        return "Win rates by segment."
    above = [word(row, "segment") for row in ordered if (number(row, "win_rate_low") or 0) > overall]
    below = [word(row, "segment") for row in ordered if (number(row, "win_rate_high") or 0) < overall]
    if not above and not below:
        return f"No segment's win rate differs clearly from {figures.percent(overall)}, the rate of all deals."
    said = [f"{_names(group)} {way}" for group, way in ((above, "above"), (below, "below")) if group]
    return f"Clearly different from the {figures.percent(overall)} of all deals: {'; '.join(said)}."


def _names(names: list[str]) -> str:
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"


def owners(result: Any) -> list[Block]:
    """Bars of what was won, and the owners as a table."""
    found = rows(result, "owners")
    ranked = [row for row in found if number(row, "won_amount")]
    ranked = sorted(ranked, key=lambda row: number(row, "won_amount") or 0, reverse=True)
    blocks: list[Block] = []
    if ranked:
        total = number(mapping(result, "totals"), "won_amount")
        caption = "Won amount by owner."
        if len(ranked) > MOST_BARS:
            caption += f" The first {MOST_BARS} of {len(ranked):,}."
        shown = ranked[:MOST_BARS]
        amounts = Series("Won amount", [number(row, "won_amount") or 0.0 for row in shown])
        names = [word(row, "owner") for row in shown]
        blocks.append(Bars("Won amount by owner", _leaders(ranked[:3], total), caption, names, [amounts]))
    if found:
        blocks.append(bulk_tables.groups(found, "owner"))
    return blocks


def _leaders(top: list[dict[str, Any]], total: float | None) -> str:
    together = sum(number(row, "won_amount") or 0 for row in top)
    who = ("The leading owner", "The two leading owners together", "The three leading owners together")[len(top) - 1]
    part = f", {figures.percent(together / total)} of the total" if total else ""
    return f"{who} won {figures.amount(together)}{part}."


def concentration(result: Any) -> list[Block]:
    """How much of the amount the largest clients hold together."""
    concentration = mapping(result, "concentration")
    found = rows(concentration, "clients")
    shares = [number(row, "cumulative_share") for row in found]
    curve = [share for share in shares if share is not None]
    top10 = number(concentration, "top10_share")
    blocks: list[Block] = []
    if len(curve) >= 2:
        said = f"The ten largest clients stand for {figures.percent(top10)} of the won amount."
        hhi = number(concentration, "hhi")
        index = "" if hhi is None else f" Herfindahl–Hirschman index {hhi:.4f} (1 would be a single client)."
        of = number(concentration, "clients_won")
        shown = f" The first {len(curve):,} of {figures.count(of)} clients." if of and of > len(curve) else ""
        blocks.append(
            Curve(
                "Concentration on clients",
                said if top10 is not None else "Share of the won amount by client.",
                f"Share of the won amount that the largest clients hold together.{index}{shown}",
                curve,
                "clients, largest first",
                [(10, f"ten clients {figures.percent(top10)}")] if top10 is not None and len(curve) > 10 else [],
            )
        )
    if found:
        blocks.append(bulk_tables.shares(found))
    return blocks
