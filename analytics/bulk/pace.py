"""Deals through time: what each month brought, and how fast deals are won."""

from datetime import timedelta
from typing import Any

from analytics.bulk.funnels import totals
from analytics.bulk.study import Study

MOST_MONTHS = 120
WINDOW_DAYS = 365
DAYS_A_MONTH = 365.25 / 12

_MONTHS = """
    WITH happened AS (
        SELECT date_trunc('month', opened_on) AS month, 1 AS opened, 0 AS won, 0 AS lost, NULL AS won_amount
        FROM deals WHERE opened_on IS NOT NULL
        UNION ALL
        SELECT date_trunc('month', closed_on), 0, (outcome = 'won')::INT, (outcome = 'lost')::INT,
               CASE WHEN outcome = 'won' THEN amount END
        FROM deals WHERE closed_on IS NOT NULL AND outcome <> 'open'
    ), months AS (
        SELECT unnest(generate_series(min(month), max(month), INTERVAL 1 MONTH)) AS month FROM happened
    )
    SELECT strftime(months.month, '%Y-%m') AS month, coalesce(sum(opened), 0)::BIGINT AS opened,
           coalesce(sum(won), 0)::BIGINT AS won, coalesce(sum(lost), 0)::BIGINT AS lost,
           coalesce(sum(won_amount), 0) AS won_amount
    FROM months LEFT JOIN happened USING (month) GROUP BY 1 ORDER BY 1
"""


def monthly(study: Study) -> list[dict[str, Any]]:
    """One row a calendar month, without gaps, the latest 120; amounts by the month of closing."""
    months = study.rows(_MONTHS)
    if len(months) > MOST_MONTHS:
        study.warnings.append(f"The data spans {len(months):,} months; the latest {MOST_MONTHS} are shown.")
    return months[-MOST_MONTHS:]


def velocity(study: Study) -> dict[str, Any]:
    """The pace of the year up to `as_of` (of the time since the first date, where that is shorter).

    `won_per_month` deals of 30.4 days; `amount_per_day` won. `pipeline_amount_per_day` is what the open deals promise:
    open deals × win rate × average won amount / median cycle days.
    """
    [(first,)] = study.con.execute("SELECT least(min(opened_on), min(closed_on)) FROM deals").fetchall()
    start = study.as_of - timedelta(days=WINDOW_DAYS)
    if first is not None and first > start:
        start = min(first, study.as_of)
    days = max((study.as_of - start).days, 1)
    recent = totals(study, f"closed_on > DATE '{start}' AND closed_on <= DATE '{study.as_of}'")
    kept = {name: recent[name] for name in ("win_rate", "average_won_amount", "median_cycle_days")}
    still_open = totals(study, "outcome = 'open'")["open"]
    factors = (still_open, *kept.values())
    promised = factors[0] * factors[1] * factors[2] / factors[3] if all(factors) else None
    return {
        "from": start.isoformat(),
        "days": days,
        "won_per_month": recent["won"] / days * DAYS_A_MONTH,
        **kept,
        "amount_per_day": recent["won_amount"] / days,
        "pipeline_amount_per_day": promised,
    }
