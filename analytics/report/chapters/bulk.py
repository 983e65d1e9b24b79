"""The chapter of a `bulk_analysis` result: what was won, by whom, with whom, and what needs a look."""

from typing import Any

from analytics.report import figures
from analytics.report.chapters import bulk_charts, bulk_tables
from analytics.report.model import Block, Bullets, Figure, KeyFigures, Notice, Prose, Section, Source
from analytics.report.read import mapping, number, sentences, word
from analytics.report.text import several

TITLE = "Sales performance"
MOST_FINDINGS = 12
AMOUNTS = "Amounts are in the currency of the data."


def summary(source: Source) -> list[Block]:
    """The key figures and the findings, for the first page that is read."""
    found = sentences(source.result, "findings")
    figures_of = _key_figures(source.result)
    blocks: list[Block] = [Prose(_basis(source.result)), *_unknown(source.result)]
    if figures_of:
        blocks.append(KeyFigures(figures_of))
    if found:
        blocks.append(Bullets(found[:MOST_FINDINGS], title="Findings"))
    return blocks


def chapter(source: Source) -> list[Section]:
    """The sections below the chapter's heading; a part that the result does not have is named, not drawn."""
    result = source.result
    parts = {
        "won amount by month": bulk_charts.months(result),
        "win rate by segment": bulk_charts.segments(result),
        "won amount by owner": bulk_charts.owners(result),
        "concentration on clients": bulk_charts.concentration(result),
        "open deals that have grown old": bulk_tables.stale(result),
        "unusual values": bulk_tables.anomalies(result),
        "clients by won amount": bulk_tables.clients(result),
    }
    sections = [Section(name[:1].upper() + name[1:], blocks, level=2) for name, blocks in parts.items() if blocks]
    absent = [name for name, blocks in parts.items() if not blocks]
    if absent:
        said = f"Nothing to show in this result for: {', '.join(absent)}."
        sections.append(Section("Not in this result", [Prose(said)], level=2, on_slides=False))
    return sections


def _basis(result: Any) -> str:
    source = mapping(result, "source")
    analysed = number(result, "analysed_count")
    said = ["Deals" if analysed is None else several(int(analysed), "deal"), "analysed"]
    if word(source, "name", ""):
        said.append(f"from {word(source, 'name')}")
    if number(source, "rows_read") is not None:
        rejected = figures.count(number(result, "rejected_rows") or 0)
        others = number(source, "rows_of_other_clients")
        left_out = f", {figures.count(others)} of other clients" if others else ""
        said.append(f"({figures.count(number(source, 'rows_read'))} rows read, {rejected} rejected{left_out})")
    as_of = f", as of {figures.day(word(result, 'as_of'))}" if word(result, "as_of", "") else ""
    return f"{' '.join(said)}{as_of}. {AMOUNTS}"


def _unknown(result: Any) -> list[Block]:
    found = sentences(result, "unknown_clients")
    if not found:
        return []
    more = f" and {len(found) - 10:,} more" if len(found) > 10 else ""
    return [Notice(f"Not in the data: {several(len(found), 'client')}", ", ".join(found[:10]) + more, "warning")]


def _key_figures(result: Any) -> list[Figure]:
    totals, velocity = mapping(result, "totals"), mapping(result, "velocity")
    rate_range = figures.interval(number(totals, "win_rate_low"), number(totals, "win_rate_high"))
    outcome = f"{figures.count(number(totals, 'won'))} won, {figures.count(number(totals, 'lost'))} lost"
    wanted = [
        Figure(figures.amount(number(totals, "won_amount")), "won amount", f"from {_deals(totals, 'won')}"),
        Figure(figures.percent(number(totals, "win_rate")), "win rate", f"95% interval {rate_range}"),
        Figure(figures.count(number(totals, "deals")), "deals", outcome),
        Figure(figures.amount(number(totals, "open_amount")), "open amount", f"in {_deals(totals, 'open')}"),
        Figure(figures.amount(number(totals, "average_won_amount")), "average won deal", "amount a deal"),
        Figure(figures.days(number(totals, "median_cycle_days")), "days to close", "median"),
        Figure(figures.amount(number(velocity, "amount_per_day")), "won amount a day", "sales velocity"),
        Figure(figures.count(number(velocity, "won_per_month")), "deals won a month", "on average"),
    ]
    if not number(totals, "open"):
        wanted = [figure for figure in wanted if figure.label != "open amount"]
    return [figure for figure in wanted if figure.value != figures.MISSING]


def _deals(totals: dict[str, Any], outcome: str) -> str:
    return several(int(number(totals, outcome) or 0), f"{outcome} deal")
