"""The chapter of a `simulation_batch` result: what may come in, how sure that is, and what decides it."""

from typing import Any, Final

from analytics.report import figures
from analytics.report.charts import Bars, Chart, Histogram, Interval, Ranges, Series
from analytics.report.model import Block, Bullets, Column, Figure, KeyFigures, Prose, Section, Source, Table
from analytics.report.read import mapping, number, rows, sentences, word

TITLE = "Outlook"
MOST_SCENARIOS = 15
NUMBER: Final = "number"


def summary(source: Source) -> list[Block]:
    """What the first scenario says, in five figures."""
    base, result = _base(source.result), source.result
    wanted = [
        Figure(figures.amount(number(base, "p50")), "median outcome", "half of the runs end above"),
        Figure(figures.amount(number(base, "p10")), "P10", "nine runs in ten end above"),
        Figure(figures.amount(number(base, "p90")), "P90", "one run in ten ends above"),
        Figure(
            figures.percent(number(base, "p_target")), "chance of the target", figures.amount(number(result, "target"))
        ),
        Figure(figures.count(number(base, "deals_won_mean")), "deals won", "mean of the runs"),
    ]
    wanted = [figure for figure in wanted if figure.value != figures.MISSING]
    blocks: list[Block] = [Prose(_basis(result))]
    if wanted:
        blocks.append(KeyFigures(wanted))
    found = sentences(result, "findings") or _findings(result)
    return [*blocks, Bullets(found, title="Findings")] if found else blocks


def chapter(source: Source) -> list[Section]:
    """Distribution, scenarios and drivers; what the result does not have is left out."""
    result = source.result
    parts = {
        "What may come in": _distribution(result),
        "Scenarios side by side": _scenarios(result),
        "What drives the outcome": _drivers(result),
    }
    sections = [Section(title, blocks, level=2) for title, blocks in parts.items() if blocks]
    return sections or [Section("Not in this result", [Prose("The result holds no scenario.")], level=2)]


def _base(result: Any) -> dict[str, Any]:
    """The first scenario: the one that the others are compared with."""
    return (rows(result, "rows") or [{}])[0]


def _basis(result: Any) -> str:
    iterations, horizon = number(result, "iterations"), number(result, "horizon_days")
    said = [f"{figures.count(iterations)} runs a scenario" if iterations else "Simulated"]
    if horizon:
        said.append(f"over {figures.days(horizon)} days")
    if word(result, "as_of", ""):
        said.append(f"from {figures.day(word(result, 'as_of'))}")
    basis = f", based on the {word(result, 'basis')}" if word(result, "basis", "") else ""
    detail = [f"{figures.count(number(result, 'deals_simulated'))} deals"] if number(result, "deals_simulated") else []
    if number(result, "correlation") is not None:
        detail.append(f"correlation {number(result, 'correlation'):g}")
    if number(result, "seed") is not None:
        detail.append(f"seed {figures.anything(number(result, 'seed'), 'seed')}")
    return f"{' '.join(said)}{basis}{' (' + ', '.join(detail) + ')' if detail else ''}."


def _findings(result: Any) -> list[str]:
    """The charts' messages, which the result's figures bear out."""
    found = [block.message for block in _distribution(result) if isinstance(block, Chart)]
    chance, target = number(_base(result), "p_target"), number(result, "target")
    if chance is not None and target is not None:
        often = f"in {figures.percent(chance)} of the runs" if chance else "in none of the runs"
        found.append(f"The target of {figures.amount(target)} is met {often}.")
    charts = [*_scenarios(result), *_drivers(result)]
    return found + [block.message for block in charts if isinstance(block, Chart)]


def _distribution(result: Any) -> list[Block]:
    base, histogram = _base(result), mapping(result, "histogram")
    edges = [edge for edge in map(figures.real, histogram.get("edges") or []) if edge is not None]
    counts = mapping(histogram, "counts").get(str(base.get("name")))
    heights = [int(figures.real(height) or 0) for height in counts] if isinstance(counts, list) else []
    if len(edges) != len(heights) + 1 or not any(heights):
        return []
    marks = [(name.upper(), number(base, name)) for name in ("p10", "p50", "p90")]
    marks.append(("Target", number(result, "target")))
    low, middle, high = (figures.amount(number(base, name)) for name in ("p10", "p50", "p90"))
    return [
        Histogram(
            f"What may come in: {word(base, 'name')}",
            f"Half of the runs end above {middle}, eight in ten between {low} and {high}.",
            "Number of runs by won amount. Below P10, P50 and P90 end 10, 50 and 90% of the runs.",
            edges,
            heights,
            [(name, value) for name, value in marks if value is not None],
        )
    ]


def _scenarios(result: Any) -> list[Block]:
    found = rows(result, "rows")
    drawn = [row for row in found if None not in [number(row, key) for key in ("p10", "p50", "p90")]]
    blocks: list[Block] = []
    if len(drawn) > 1:
        target = number(result, "target")
        caption = "Bars reach from P10 to P90, the line in them is P50."
        if len(drawn) > MOST_SCENARIOS:
            caption += f" The first {MOST_SCENARIOS} of {len(drawn):,} scenarios."
        blocks.append(
            Ranges(
                "Scenarios side by side",
                _clear_change(drawn, _base(result)),
                caption,
                [_interval(row) for row in drawn[:MOST_SCENARIOS]],
                target,
                f"target {figures.amount(target)}",
            )
        )
    return [*blocks, _outcomes(found), _assumptions(found)] if found else blocks


def _interval(row: dict[str, Any]) -> Interval:
    low, middle, high = (number(row, key) or 0.0 for key in ("p10", "p50", "p90"))
    return Interval(word(row, "name"), low, middle, high)


def _clear_change(found: list[dict[str, Any]], base: dict[str, Any]) -> str:
    """The largest change against the base, if it is larger than twice its own standard error."""
    changed = [row for row in found if row is not base and number(row, "delta_vs_base") is not None]
    clear = [row for row in changed if abs(row["delta_vs_base"]) > 2 * (number(row, "delta_se") or 0)]
    if not clear:
        return "No scenario differs from the base by more than chance."
    most = max(clear, key=lambda row: abs(row["delta_vs_base"]))
    return f"“{word(most, 'name')}” changes the mean most: {figures.signed(most['delta_vs_base'])} against the base."


def _outcomes(found: list[dict[str, Any]]) -> Table:
    titles = ("Mean", "± se", "P10", "P50", "P90", "Target met", "Against base", "Deals won")
    written = [
        [
            word(row, "name"),
            *(figures.amount(number(row, key)) for key in ("mean", "se", "p10", "p50", "p90")),
            figures.percent(number(row, "p_target")),
            figures.signed(number(row, "delta_vs_base")),
            figures.count(number(row, "deals_won_mean")),
        ]
        for row in found[:50]
    ]
    columns = [Column("Scenario"), *(Column(title, NUMBER) for title in titles)]
    return Table("Outcomes", columns, written, "± se: standard error of the mean, from the finite number of runs.")


def _assumptions(found: list[dict[str, Any]]) -> Table:
    keys = ("win_rate_mult", "cycle_mult", "amount_mult")
    columns = [Column("Scenario"), *(Column(title, NUMBER) for title in ("Win rate", "Time to close", "Amount"))]
    written = [[word(row, "name"), *(figures.factor(number(row, key)) for key in keys)] for row in found[:50]]
    return Table("Assumptions", columns, written, "Multipliers on what the history shows.", on_slides=False)


def _drivers(result: Any) -> list[Block]:
    found = [row for row in rows(result, "drivers") if number(row, "share_of_mean") is not None]
    found = sorted(found, key=lambda row: number(row, "share_of_mean") or 0, reverse=True)[:MOST_SCENARIOS]
    if not found:
        return []
    first = found[0]
    mean, variance = figures.percent(number(first, "share_of_mean")), number(first, "share_of_variance")
    risk = f" and {figures.percent(variance)} of its variance" if variance is not None else ""
    return [
        Bars(
            "What drives the outcome",
            f"{word(first, 'segment')} carries {mean} of the expected amount{risk}.",
            "Share of the mean and of the variance of the won amount, by segment.",
            [word(row, "segment") for row in found],
            [
                Series("Share of the mean", [number(row, "share_of_mean") or 0.0 for row in found]),
                Series("Share of the variance", [number(row, "share_of_variance") or 0.0 for row in found]),
            ],
            "share",
        )
    ]
