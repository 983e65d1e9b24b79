"""Make `deals.csv` and `products.csv`: the 2,000 deals of a made-up seller, the same on every run.

    python samples/make_deals.py

Companies and people are invented. The data is as of 31 October 2026: what had not closed by then is open. It is dirty
where real exports are: one product misspelt in forty rows, six won deals without an amount, two broken lines.
"""

import csv
import io
import sys
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random

SEED = 20261031
AS_OF = date(2026, 10, 31)
FIRST_DAY = date(2024, 11, 1)
DEALS = 2_000

HEADER = (
    "deal_id", "sales_agent", "product", "account", "sector", "region",
    "deal_stage", "engage_date", "close_date", "close_value",
)  # fmt: skip

# list price, usual days to close
PRODUCTS = {
    "Lumen Basic": (900, 42),
    "Lumen Pro": (4_800, 70),
    "Lumen Enterprise": (19_500, 120),
    "Harbour Sync": (2_400, 55),
    "Harbour Vault": (7_200, 90),
    "Onboarding Pack": (1_500, 30),
}
# share of deals that are won, size of the deals; the words its companies' names end in
SECTORS = {
    "Healthcare": (0.68, 1.25, ("Clinics", "Care", "Diagnostics")),
    "Manufacturing": (0.58, 1.20, ("Works", "Tooling", "Foundry")),
    "Financial services": (0.43, 1.60, ("Mutual", "Lending", "Assurance")),
    "Retail": (0.61, 0.80, ("Stores", "Outfitters", "Market")),
    "Software": (0.55, 1.00, ("Labs", "Systems", "Cloud")),
    "Logistics": (0.57, 0.95, ("Freight", "Haulage", "Shipping")),
    "Education": (0.52, 0.60, ("Academy", "College", "Press")),
    "Hospitality": (0.49, 0.70, ("Hotels", "Kitchens", "Resorts")),
}
REGIONS = ("North", "South", "East", "West")
# how good each is at winning, against the sector's usual
OWNERS = {
    "Ines Calloway": 1.10, "Tomasz Virtanen": 1.04, "Priya Oakhurst": 1.12, "Jonah Brackenridge": 0.96,
    "Mei Lindqvist": 1.02, "Samuel Okonjo-Reyes": 0.98, "Freya Delacroix": 1.06, "Hamid Thornbury": 0.90,
    "Lucía Pemberton": 1.00, "Oskar Nwachukwu": 0.94, "Zoë Hartigan": 1.03, "Viktor Amsel": 0.86,
}  # fmt: skip
STAGES = ("Prospecting", "Qualification", "Proposal", "Negotiation")
STEMS = (
    "Alder",
    "Bram",
    "Cald",
    "Dun",
    "Elm",
    "Fen",
    "Gor",
    "Hazel",
    "Iver",
    "Kes",
    "Lorn",
    "Mar",
    "Nether",
    "Orr",
    "Pell",
)
ENDS = ("mere", "wick", "holt", "combe", "field", "stead", "by", "garth", "low", "ford")
# new deals a month: quiet in August and December, brisk in spring and autumn
MONTHS = (0.9, 1.0, 1.2, 1.1, 1.1, 1.0, 0.8, 0.6, 1.2, 1.3, 1.1, 0.6)


@dataclass(frozen=True)
class Account:
    """A company that buys."""

    name: str
    sector: str
    region: str
    weight: float


def accounts(random: Random) -> list[Account]:
    """140 companies; a few of them buy most."""
    stems = [stem + end for stem in STEMS for end in ENDS]
    random.shuffle(stems)
    sectors = list(SECTORS)
    found = []
    for place, stem in enumerate(stems[:140]):
        sector = sectors[place % len(sectors)]
        name = f"{stem} {random.choice(SECTORS[sector][2])}"
        found.append(Account(name, sector, random.choice(REGIONS), min(random.paretovariate(1.2), 9)))
    return found


def opening_day(random: Random) -> date:
    """A working day; business grows by half over the two years and follows the seasons."""
    span = (AS_OF - FIRST_DAY).days
    while True:
        day = FIRST_DAY + timedelta(days=random.randrange(span))
        likely = MONTHS[day.month - 1] / max(MONTHS) * (1 + (day - FIRST_DAY).days / span / 2) / 1.5
        if day.weekday() < 5 and random.random() < likely:
            return day


def closing_day(random: Random, opened: date, usual: int) -> date:
    """A working day; some deals stall for a year or more, and some are pushed to the end of the quarter."""
    days = random.gammavariate(2.6, usual / 2.2) + 3
    if random.random() < 0.11:
        days += random.uniform(300, 900)
    day = opened + timedelta(days=round(days))
    if day.month % 3 == 0 and day.day < 24 and random.random() < 0.3:
        day = day.replace(day=random.randint(24, 30))
    while day.weekday() >= 5:
        day -= timedelta(days=1)
    return max(day, opened + timedelta(days=1))


def deal(random: Random, companies: list[Account], opened: date) -> list[str]:
    """One row of the file, without its number."""
    [company] = random.choices(companies, [company.weight for company in companies])
    [product] = random.choices(list(PRODUCTS), (24, 26, 8, 20, 12, 10))
    owner = random.choice(list(OWNERS))
    chance, size, _ = SECTORS[company.sector]
    price, usual = PRODUCTS[product]
    won = random.random() < chance * OWNERS[owner]
    closed = closing_day(random, opened, usual if won else round(usual * 1.2))
    value = round(price * size * random.lognormvariate(0, 0.35), -1)
    if closed <= AS_OF:
        stage, closed_on = ("Won" if won else "Lost"), closed.isoformat()
    else:
        gone = (AS_OF - opened).days / (closed - opened).days
        stage, closed_on = STAGES[min(int(gone * len(STAGES)), len(STAGES) - 1)], ""
    return [
        owner, product, company.name, company.sector, company.region,
        stage, opened.isoformat(), closed_on, f"{value:.0f}",
    ]  # fmt: skip


def soil(random: Random, rows: list[list[str]]) -> None:
    """What real exports suffer from: a product misspelt in forty rows, six won deals without an amount."""
    product, stage, value = HEADER.index("product"), HEADER.index("deal_stage"), HEADER.index("close_value")
    for row in random.sample([row for row in rows if row[product] == "Lumen Pro"], 40):
        row[product] = "LumenPro"
    for row in random.sample([row for row in rows if row[stage] == "Won"], 6):
        row[value] = "0"


def deals_csv() -> str:
    """The file's text: 2,000 rows, of which one is cut short and one has a comma too many."""
    random = Random(SEED)
    companies = accounts(random)
    opened = sorted(opening_day(random) for _ in range(DEALS))
    rows = [[f"D-{number:04d}", *deal(random, companies, day)] for number, day in enumerate(opened, start=1)]
    soil(random, rows)
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([HEADER, *rows])
    lines = out.getvalue().splitlines()
    cut, torn = random.sample(range(200, 1_800), 2)
    lines[cut] = lines[cut][: lines[cut].index(rows[cut - 1][3]) + 4]
    lines[torn] = lines[torn].replace(rows[torn - 1][3], rows[torn - 1][3].replace(" ", ", "))
    return "\n".join(lines) + "\n"


def products_csv() -> str:
    """The price list."""
    lines = [f"{name},{name.split()[0]},{price}" for name, (price, _) in PRODUCTS.items()]
    return "\n".join(["product,series,list_price", *lines]) + "\n"


def main(folder: Path) -> None:
    """Write both files."""
    (folder / "deals.csv").write_text(deals_csv(), encoding="utf-8", newline="\n")
    (folder / "products.csv").write_text(products_csv(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
