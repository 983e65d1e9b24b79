"""Amounts and cycle times far from what is usual for the product."""

from typing import Any

from analytics.bulk.study import Study

FARTHEST = 3.5  # scores beyond it are anomalies
FEWEST = 20  # values that a product needs for "usual" to mean something
MOST_ROWS = 100

_SCORES = f"""
    WITH measured AS (
        SELECT deal, client, product, 'Amount' AS what, amount::DOUBLE AS value, ln(amount::DOUBLE) AS x
        FROM deals WHERE outcome = 'won' AND amount > 0
        UNION ALL
        SELECT deal, client, product, 'Days to close', cycle_days, cycle_days
        FROM deals WHERE cycle_days IS NOT NULL
    ), usual AS (
        SELECT product, what, median(value) AS typical, median(x) AS middle, mad(x) AS spread
        FROM measured GROUP BY ALL HAVING count(*) >= {FEWEST} AND mad(x) > 0
    )
    SELECT deal, client, measured.product, measured.what, value,
           typical, 0.6745 * (x - middle) / spread AS score
    FROM measured JOIN usual ON measured.what = usual.what AND measured.product IS NOT DISTINCT FROM usual.product
    WHERE abs(score) > {FARTHEST}
"""  # noqa: S608 - constants


def anomalies(study: Study) -> dict[str, Any]:
    """Won amounts and days to close with a modified z-score beyond ±3.5 among those of the same product.

    score = 0.6745·(x − median)/MAD, and the bound 3.5: B. Iglewicz and D. Hoaglin, "How to detect and handle outliers"
    (1993). Amounts are compared by their logarithms, since ten times too little is as odd as ten times too much.
    `anomalies`: the 100 farthest; `typical` is the product's median. `anomalies_total`: how many there are.
    """
    total = study.row(f"SELECT count(*) AS deals FROM ({_SCORES})")["deals"]  # noqa: S608
    sql = f"SELECT * FROM ({_SCORES}) ORDER BY abs(score) DESC, deal, what LIMIT {MOST_ROWS}"  # noqa: S608
    if total > MOST_ROWS:
        study.warnings.append(f"The {MOST_ROWS} farthest of {total:,} unusual values are shown.")
    return {"anomalies": study.rows(sql), "anomalies_total": total}
