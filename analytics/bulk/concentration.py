"""How much of the won amount hangs on few clients."""

from typing import Any

from analytics.bulk.study import Study

MOST_ROWS = 300

_SHARES = """
    WITH won AS (
        SELECT client, sum(amount) AS won_amount FROM deals
        WHERE outcome = 'won' AND client IS NOT NULL GROUP BY client HAVING sum(amount) > 0
    )
    SELECT client, won_amount, won_amount::DOUBLE / (sum(won_amount) OVER ())::DOUBLE AS share,
           (sum(won_amount) OVER (ORDER BY won_amount DESC, client))::DOUBLE / (sum(won_amount) OVER ())::DOUBLE
               AS cumulative_share,
           row_number() OVER (ORDER BY won_amount DESC, client) AS place
    FROM won
"""


def concentration(study: Study) -> dict[str, Any]:
    """Shares (0 to 1) of the amount won from clients that are named: the ten largest together, and each of up to 300.

    `hhi` is the Herfindahl–Hirschman index, the sum of squared shares: 1/n for n equal clients, 1 for a single one.
    """
    study.con.execute(f"CREATE OR REPLACE TEMP TABLE shares AS {_SHARES}")
    found = study.row(
        "SELECT sum(share) FILTER (place <= 10) AS top10_share, sum(share * share) AS hhi, "
        "count(*) AS clients_won FROM shares"
    )
    sql = f"SELECT client, won_amount, share, cumulative_share FROM shares ORDER BY place LIMIT {MOST_ROWS}"  # noqa: S608
    return found | {"clients": study.rows(sql)}
