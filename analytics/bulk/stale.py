"""Open deals that are older than nearly all deals of their product were when they closed."""

from typing import Any

from analytics.bulk.study import Study

QUANTILE = 0.9
FEWEST = 20  # closed deals that a product needs to be judged by its own cycle times
MOST_ROWS = 200

_STALE = f"""
    WITH cycles AS (
        SELECT product, cycle_days FROM deals WHERE cycle_days IS NOT NULL
    ), overall AS (
        SELECT quantile_cont(cycle_days, {QUANTILE}) AS after_days, median(cycle_days) AS typical_days FROM cycles
        HAVING count(*) >= {FEWEST}
    ), by_product AS (
        SELECT product, quantile_cont(cycle_days, {QUANTILE}) AS after_days, median(cycle_days) AS typical_days
        FROM cycles WHERE product IS NOT NULL GROUP BY product HAVING count(*) >= {FEWEST}
    )
    SELECT deal, client, owner, stage, $as_of::DATE - opened_on AS age_days,
           coalesce(by_product.typical_days, overall.typical_days) AS typical_days,
           coalesce(by_product.after_days, overall.after_days) AS stale_after_days, amount
    FROM deals CROSS JOIN overall LEFT JOIN by_product USING (product)
    WHERE outcome = 'open' AND age_days > stale_after_days
"""  # noqa: S608 - constants


def stale(study: Study) -> dict[str, Any]:
    """Open deals older than nine in ten closed deals of their product lasted (of all, where it has fewer than 20).

    `stale`: the 200 with the largest amounts, `typical_days` the median of those closed deals. `stale_total`: how many
    there are, and their amount.
    """
    if not study.has("opened_on", "closed_on"):
        return {"stale": [], "stale_total": {"deals": 0, "amount": 0.0}}
    as_of = {"as_of": study.as_of}
    sql = f"SELECT * FROM ({_STALE}) ORDER BY amount DESC NULLS LAST, age_days DESC, deal LIMIT {MOST_ROWS}"  # noqa: S608
    counted = f"SELECT count(*) AS deals, coalesce(sum(amount), 0) AS amount FROM ({_STALE})"  # noqa: S608
    study.warnings.extend(_too_few(study))
    total = study.row(counted, as_of)
    if total["deals"] > MOST_ROWS:
        study.warnings.append(f"The {MOST_ROWS} largest of {total['deals']:,} stale deals are shown.")
    return {"stale": study.rows(sql, as_of), "stale_total": total}


def _too_few(study: Study) -> list[str]:
    counts = study.row("SELECT count(cycle_days) AS closed, count(*) FILTER (outcome = 'open') AS open FROM deals")
    if not counts["open"] or counts["closed"] >= FEWEST:
        return []
    return [
        f"Only {counts['closed']} closed deals have both dates (at least {FEWEST} are needed), "
        "so there is no telling which open deals are stale."
    ]
