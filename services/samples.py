"""The sample that comes with Callboard: a file of made-up deals, and a chain of three tasks on it."""

from pathlib import Path
from typing import Any

from models import Role, Task, transaction
from services import artifacts, audit, catalog, tasks
from services.errors import NotFound
from settings import ROOT

DEALS = ROOT / "samples" / "deals.csv"
PRODUCTS = ROOT / "samples" / "products.csv"
CHAIN = ("bulk_analysis", "simulation_batch", "report_generation")


def missing() -> str | None:
    """Why the sample cannot be run here, in a sentence; None where it can."""
    unknown = [name for name in CHAIN if name not in catalog.declared()]
    if unknown:
        return f"No worker has declared {', '.join(unknown)}: start one that serves `actors`"
    gone = [file.name for file in (DEALS, PRODUCTS) if not file.is_file()]
    return f"The folder samples/ has no {', '.join(gone)}" if gone else None


def run(context: dict[str, Any] | None = None) -> list[Task]:
    """The chain on the sample. Raises `NotFound` where a worker or a file is missing."""
    audit.require(Role.member)
    if why := missing():
        raise NotFound(why)
    return chain(DEALS, PRODUCTS, tags=["sample"], context=context)


def chain(deals: Path, products: Path | None, title: str = "Pipeline review", **options: Any) -> list[Task]:
    """Analyse the deals, simulate the pipeline, write the report: each needs the ones before. All or none."""
    data = {"artifact": artifacts.save(deals.name, deals).id}
    if products is not None:
        data["lookup"] = artifacts.save(products.name, products).id
    analyse, simulate, report = CHAIN
    options = {"priority": 80, **options}
    with transaction():
        first = tasks.enqueue(analyse, {"data": data}, title="Analyse the deals", **options)
        then = tasks.enqueue(simulate, {"data": data}, title="Simulate the pipeline", needs=[first], **options)
        last = tasks.enqueue(report, {"title": title}, title="Write the report", needs=[first, then], **options)
    return [first, then, last]
