"""A PDF and slides from the results of other tasks."""

from datetime import timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, StringConstraints

from models import now
from runtime import GiveUp, Run, actor


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{name!r} is no IANA time zone; give one such as Europe/Zurich or UTC") from None
    return name


Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Subtitle = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)]
Formats = Annotated[list[Literal["pdf", "pptx"]], Field(min_length=1, max_length=2)]
MEDIA_TYPES = {
    "pdf": "application/pdf",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}


@actor(
    queue="analysis",
    retries=2,
    timeout=timedelta(minutes=5),
    isolated=True,
    memory_mb=512,
    preload=("analytics.report",),
)
def report_generation(
    run: Run,
    title: Annotated[Title, Field(description="Stands on the cover and in the file's name.")],
    formats: Annotated[Formats, Field(description="PDF pages, slides, or both.")] = ["pdf", "pptx"],
    subtitle: Annotated[Subtitle, Field(description="Below the title, if any.")] = "",
    tz: Annotated[str, AfterValidator(_zone), Field(description="IANA time zone of the date that is printed.")] = "UTC",
) -> dict[str, Any]:
    """Make a report, as PDF and slides, from the results of the tasks this one waits for."""
    from analytics import report

    run.progress(5, 100, "gathering results", step="gather")
    if not run.needs:
        raise GiveUp(
            "a report is made from the results of other tasks, and this one waits for none: name them with "
            "report_generation.with_options(needs=[task, …]).enqueue(title=…)"
        )
    sources = [report.Source(n.task_id, n.type, n.title, n.status, n.result) for n in run.needs]
    run.progress(15, 100, "drawing charts and tables", step="charts")
    document = report.compose(
        title, sources, printed_on=now().astimezone(ZoneInfo(tz)).date(), subtitle=subtitle, zone=tz
    )
    files = {}
    for wanted, percent, note in (("pdf", 40, "setting the pages"), ("pptx", 70, "setting the slides")):
        if wanted in formats:
            run.progress(percent, 100, note, step=wanted)
            files[wanted] = getattr(report, wanted)(document)
    run.progress(95, 100, "storing the files", step="store")
    stored = {
        kind: run.artifact(f"{report.slug(title)}.{kind}", file.data, MEDIA_TYPES[kind]) for kind, file in files.items()
    }
    counts = {kind: file.count for kind, file in files.items()}
    run.log(f"{counts.get('pdf', 0)} pages and {counts.get('pptx', 0)} slides from {len(sources)} results")
    return {
        "engine": report.ENGINE,
        "engine_kind": "local",
        "warnings": [*document.warnings, *(said for file in files.values() for said in file.warnings)],
        "limits": list(report.LIMITS),
        "report_url": next(iter(stored.values())).url,
        "pages": counts.get("pdf", 0),
        "slides": counts.get("pptx", 0),
        "sections": [chapter.title for chapter in document.chapters],
        "artifacts": [
            {name: getattr(file, name) for name in ("id", "name", "media_type", "size", "sha256", "url")}
            for file in stored.values()
        ],
    }
