"""What the numbers say, in sentences with the numbers in them. Rules, not a model: each sentence is worked out here."""

from calendar import monthrange
from collections.abc import Mapping
from typing import Any

from analytics.bulk.chance import widest_beyond_chance
from analytics.bulk.study import NOT_GIVEN

FEWEST = 30  # closed deals that a group needs to be compared with others
MOST_ISSUES = 5

Row = Mapping[str, Any]


def findings(result: Row, segment: str | None) -> list[str]:
    """Sentences on a result without its findings; `segment` is what its segments are ("segment" or "product")."""
    said = [
        _overall(result["totals"]),
        _spread(result["segments"], "segment", segment or "segment"),
        _spread(result["owners"], "owner", "owner"),
        _trend(result["monthly"], result["as_of"]),
        _concentration(result["concentration"]),
        _stale(result["stale_total"], result["totals"]),
        _anomalies(result["anomalies_total"]),
        *_quality(result["quality"]["issues"]),
    ]
    return [sentence for sentence in said if sentence]


def _overall(totals: Row) -> str:
    closed = totals["won"] + totals["lost"]
    open_deals = f" {totals['open']:,} deals worth {money(totals['open_amount'])} are open." if totals["open"] else ""
    if not closed:
        return f"No deal has been won or lost yet.{open_deals}"
    return (
        f"{totals['won']:,} of {closed:,} closed deals were won, {rate(totals)}, "
        f"for {money(totals['won_amount'])} in all.{open_deals}"
    )


def _spread(groups: list[Row], key: str, name: str) -> str:
    """The largest difference in win rate that is beyond chance, or that there is none."""
    named = [row for row in groups if row[key] != NOT_GIVEN]
    compared = sorted((row for row in named if row["won"] + row["lost"] >= FEWEST), key=lambda row: row["win_rate"])
    if len(compared) < 2:
        return ""
    if pair := widest_beyond_chance(compared):
        best, worst = pair
        return (
            f"Win rates differ between {name}s: {best[key]} wins {rate(best)}, {worst[key]} {rate(worst)}; "
            f"that is more than chance explains among {len(compared)} {name}s."
        )
    worst, best = compared[0], compared[-1]
    return (
        f"Win rates of the {len(compared)} {name}s with at least {FEWEST} closed deals range from "
        f"{worst['win_rate']:.1%} ({worst[key]}) to {best['win_rate']:.1%} ({best[key]}): no more than chance explains."
    )


def _trend(months: list[Row], as_of: str) -> str:
    """The last three full months against the three before."""
    full = [row for row in months if row["month"] < as_of[:7] or (_ends_month(as_of) and row["month"] == as_of[:7])]
    if len(full) < 6:
        return ""
    before, last = full[-6:-3], full[-3:]
    was, now = (sum(row["won_amount"] for row in part) for part in (before, last))
    if was <= 0:
        return ""
    change = now / was - 1
    compared = f"{abs(change):.1%} {'more' if change > 0 else 'less'} than" if round(change, 3) else "as much as"
    return (
        f"The last three full months ({last[0]['month']} to {last[-1]['month']}) brought {money(now)}, "
        f"{compared} the three before ({money(was)})."
    )


def _ends_month(day: str) -> bool:
    year, month, number = map(int, day.split("-"))
    return number == monthrange(year, month)[1]


def _concentration(found: Row) -> str:
    if found["clients_won"] <= 10:
        return ""
    largest = found["clients"][0]
    return (
        f"The ten largest of {found['clients_won']:,} clients bring {percent(found['top10_share'])} of the won amount "
        f"(HHI {found['hhi']:.2g}); the largest, {largest['client']}, brings {percent(largest['share'])}."
    )


def _stale(total: Row, totals: Row) -> str:
    if not total["deals"]:
        return ""
    part = f" ({total['amount'] / totals['open_amount']:.1%} of the open amount)" if totals["open_amount"] > 0 else ""
    return (
        f"{total['deals']:,} of {totals['open']:,} open deals are stale, older than nine in ten closed deals of their "
        f"product lasted: {money(total['amount'])}{part} is at risk."
    )


def _anomalies(total: int) -> str:
    if not total:
        return ""
    values = "1 amount or cycle time is" if total == 1 else f"{total:,} amounts and cycle times are"
    return f"{values} far from what is usual for the product; worth a look before the numbers are passed on."


def _quality(issues: list[Row]) -> list[str]:
    """The issues that change numbers: errors, and what was repaired or rejected."""
    grave = [issue for issue in issues if issue["severity"] == "error" or issue["check"] in ("product_spelling",)]
    return [f"Data quality: {issue['sentence']}" for issue in grave[:MOST_ISSUES]]


def rate(row: Row) -> str:
    """A win rate with its interval."""
    return f"{row['win_rate']:.1%} (95% interval {row['win_rate_low']:.1%} to {row['win_rate_high']:.1%})"


def percent(share: float) -> str:
    """A share above 0 that never reads as none."""
    return "under 0.1%" if 0 < share < 0.0005 else f"{share:.1%}"


def money(amount: float) -> str:
    """An amount without cents."""
    return f"{amount:,.0f}"
