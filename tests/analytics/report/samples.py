"""Results of the shapes that `bulk_analysis` and `simulation_batch` return, small enough to check by eye."""

from typing import Any

SEGMENTS = ["Retail", "Technology", "Medical", "Software", "Finance", "Entertainment", "Marketing", "Services"]
OWNERS = ["Darcel Schlecht", "Vicki Laflamme", "Kary Hendrixson", "Cassey Cress", "Zoë Müller-Ångström"]
CLIENTS = ["Kan-code", "Konex", "Condax", "Hottechi", "Singletechno", "Xx-holding", "Isdom", "Treequote", "Rangreen",
           "Fasehatice", "Ron-tech", "Stanredtax", "Gogozoom", "Opentech"]  # fmt: skip


def group(key: str, name: str, place: int) -> dict[str, Any]:
    won, lost = 310 - 19 * place, 170 - 7 * place
    rate = won / (won + lost)
    return {
        key: name,
        "deals": won + lost + 12,
        "won": won,
        "lost": lost,
        "open": 12,
        "win_rate": rate,
        "win_rate_low": rate - 0.044,
        "win_rate_high": rate + 0.042,
        "won_amount": 1_400_000.4 - 91_017 * place,
        "average_won_amount": 2350.25 + 13 * place,
        "median_cycle_days": 45.5 + place,
    }


def bulk() -> dict[str, Any]:
    """A `bulk_analysis` result with every optional part."""
    shares = [0.09, 0.08, 0.075, 0.07, 0.065, 0.06, 0.055, 0.05, 0.045, 0.04, 0.035, 0.03, 0.025, 0.02]
    return {
        "engine": "local:duckdb-deals@1",
        "engine_kind": "local",
        "warnings": ["3 rows have no client."],
        "limits": ["Amounts are not converted between currencies."],
        "analysed_count": 6711,
        "rejected_rows": 4,
        "as_of": "2017-12-31",
        "source": {"name": "sales_pipeline.csv", "rows_read": 6715, "columns": {"deal": "opportunity_id"}},
        "totals": {
            "deals": 6711,
            "won": 4238,
            "lost": 2473,
            "open": 96,
            "win_rate": 0.63150052,
            "win_rate_low": 0.6199,
            "win_rate_high": 0.6430,
            "won_amount": 10_005_534.0,
            "lost_amount": 0.0,
            "open_amount": 240_100.5,
            "average_won_amount": 2360.909,
            "median_cycle_days": 57.0,
        },
        "quality": {
            "issues": [
                {
                    "check": "misspelt_values",
                    "severity": "info",
                    "count": 153,
                    "action": "repaired",
                    "examples": ["technolgy → technology"],
                    "sentence": "153 sectors were misspelt and read as the nearest known one.",
                },
                {
                    "check": "unknown_product",
                    "severity": "warning",
                    "count": 1480,
                    "action": "repaired",
                    "examples": ["GTXPro", '=HYPERLINK("http://x")'],
                    "sentence": "The product name does not join the product list.",
                },
                {
                    "check": "close_before_open",
                    "severity": "error",
                    "count": 4,
                    "action": "rejected",
                    "examples": [],
                    "sentence": "4 deals close before they open.",
                },
            ]
        },
        "segments": [group("segment", name, n) for n, name in enumerate(SEGMENTS)],
        "owners": [group("owner", name, n) for n, name in enumerate(OWNERS)],
        "monthly": [
            {
                "month": f"2017-{n:02d}",
                "opened": 500 + n,
                "won": 380 + n,
                "lost": 210 - n,
                "won_amount": 700_000.0 + 51_003 * (n % 5),
            }
            for n in range(3, 13)
        ],
        "velocity": {
            "won_per_month": 423.8,
            "win_rate": 0.6315,
            "average_won_amount": 2360.9,
            "median_cycle_days": 57.0,
            "amount_per_day": 32_871.4,
        },
        "stale": [
            {
                "deal": f"D{n:04d}",
                "client": CLIENTS[n],
                "owner": OWNERS[n % 5],
                "age_days": 400 - 9 * n,
                "typical_days": 57.0,
                "amount": 5000.0 - 10 * n,
            }
            for n in range(9)
        ],
        "concentration": {
            "top10_share": 0.63,
            "hhi": 0.01542,
            "clients": [
                {
                    "client": name,
                    "won_amount": 10_005_534 * share,
                    "share": share,
                    "cumulative_share": sum(shares[: n + 1]),
                }
                for n, (name, share) in enumerate(zip(CLIENTS, shares, strict=True))
            ],
        },
        "anomalies": [
            {
                "deal": "D9001",
                "client": "Konex",
                "what": "amount far above the product's list price",
                "value": 30_288.0,
                "typical": 26_768.0,
                "score": 6.4,
            }
        ],
        "per_client": [
            {
                "client": name,
                "segment": SEGMENTS[n % 8],
                "deals": 90 - n,
                "won": 60 - n,
                "lost": 28,
                "open": 2,
                "won_amount": 300_000.0 - 9_999 * n,
                "open_amount": 1200.0,
                "win_rate": 0.66,
                "last_activity": "2017-12-30",
            }
            for n, name in enumerate(CLIENTS)
        ],
        "unknown_clients": [],
        "findings": ["4,238 of 6,711 decided deals were won (63.2%).", "December brought the most won deals."],
        "artifacts": [
            {
                "id": 7,
                "name": "clients.csv",
                "media_type": "text/csv",
                "size": 1200,
                "sha256": "0" * 64,
                "url": "/api/artifacts/7",
            }
        ],
    }


def simulation() -> dict[str, Any]:
    """A `simulation_batch` result with four scenarios and a target."""
    scenarios = [
        ("base", 1.0, 1.0, 1.0),
        ("Win rate +10%", 1.1, 1.0, 1.0),
        ("Faster cycles", 1.0, 0.8, 1.0),
        ("Price +5%", 1.0, 1.0, 1.05),
    ]
    rows = []
    for n, (name, win, cycle, amount) in enumerate(scenarios):
        mean = 2_345_678.9 * win * amount * (1.07 if cycle < 1 else 1)
        rows.append({
            "name": name, "win_rate_mult": win, "cycle_mult": cycle, "amount_mult": amount, "mean": mean, "se": 1456.2,
            "sd": 145_620.0, "p10": mean * 0.92, "p50": mean * 0.997, "p90": mean * 1.083, "p_target": 0.31 + 0.12 * n,
            "p_target_se": 0.0046, "delta_vs_base": mean - 2_345_678.9, "delta_se": 610.0, "deals_won_mean": 994.21 + n,
        })  # fmt: skip
    centre = [3, 11, 40, 120, 333, 740, 1302, 1834, 1992, 1641, 1069, 560, 239, 83, 25, 6, 2]
    edges = [1_900_000 + 55_000.0 * n for n in range(len(centre) + 1)]
    return {
        "engine": "local:monte-carlo@1",
        "engine_kind": "local",
        "warnings": [],
        "limits": ["The future is drawn from the history; what never happened cannot happen here."],
        "scenarios_run": 4,
        "seed": 1,
        "iterations": 10_000,
        "horizon_days": 90,
        "as_of": "2017-12-31",
        "target": 2_400_000.0,
        "correlation": 0.15,
        "basis": "next period at the historical arrival rate",
        "deals_simulated": 1580,
        "rows": rows,
        "histogram": {"edges": edges, "counts": {name: centre for name, *_ in scenarios}},
        "drivers": [
            {
                "segment": name,
                "mean": 400_000.0 - 30_000 * n,
                "share_of_mean": 0.2 - 0.018 * n,
                "share_of_variance": 0.26 - 0.03 * n,
            }
            for n, name in enumerate(SEGMENTS)
        ],
    }
