"""From results to a document: summary, a chapter a result, data quality, limits and warnings, sources."""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Any

from analytics.report import figures
from analytics.report.chapters import bulk, generic, simulation
from analytics.report.model import Block, Bullets, Column, Document, Heading, Notice, Prose, Section, Source, Table
from analytics.report.read import mapping, rows, sentences, word
from analytics.report.text import ELLIPSIS, clean, sentence_case, several, shorten

DESIGNED: dict[str, Any] = {"bulk_analysis": bulk, "simulation_batch": simulation}
MOST_SOURCES = 40  # tasks with a chapter; hundreds of them are an archive, not a report
KINDS = {"local": "local engine", "provider": "provider"}


def compose(
    title: str, sources: Sequence[Source], *, printed_on: date, subtitle: str = "", zone: str = "UTC"
) -> Document:
    """The report's document. `printed_on` is the date as it is in `zone`; both are printed on the cover."""
    told = sources[:MOST_SOURCES]
    with_result = [source for source in told if source.result is not None]
    chapters = _titles(told)
    sections = [Section("Summary", _summary(told, chapters))]
    for source, name in zip(told, chapters, strict=True):
        sections += _chapter(source, name) if source.result is not None else []
    for closing in (_quality(with_result), _limits(told), _sources(sources)):
        if closing is not None:
            sections.append(closing)
    zoned = "" if zone == "UTC" else f" ({zone})"
    facts = [
        ("Data", _data(with_result)),
        ("Made from", _made_from(sources)),
        ("Engines", _some([_engine(source) for source in with_result]) or "none"),
    ]
    warnings = [_without_result(source) for source in told if source.result is None]
    if len(sources) > len(told):
        warnings.append(f"The first {len(told)} of {len(sources):,} tasks are told; the others are listed as sources.")
    return Document(
        clean(title) or "Report", subtitle, f"{figures.long_date(printed_on)}{zoned}", facts, sections, warnings
    )


def _titles(sources: Sequence[Source]) -> list[str]:
    """A chapter's title: the type's own where it stands alone, with the task's title where several would look alike."""
    plain = [getattr(DESIGNED.get(source.type), "TITLE", "") or shorten(source.name, 80) for source in sources]
    named = [
        f"{title}: {shorten(source.name, 60)}" if plain.count(title) > 1 and title != source.name else title
        for title, source in zip(plain, sources, strict=True)
    ]
    times = Counter(named)
    return [
        f"{title} (task {source.task_id})" if times[title] > 1 else title
        for title, source in zip(named, sources, strict=True)
    ]


def _without_result(source: Source) -> str:
    return f"“{shorten(source.name, 80)}” (task {source.task_id}) gave no result: {source.status or 'unknown'}."


def _notice(source: Source) -> Notice:
    named = f" “{shorten(source.title, 120)}”" if source.title else ""
    said = f"Task {source.task_id} ({source.type}){named} gave no result. Nothing of it is in this report."
    return Notice(f"No result: {source.status or 'unknown'}", said, "warning")


def _summary(sources: Sequence[Source], titles: list[str]) -> list[Block]:
    blocks: list[Block] = []
    silent = []
    for source, title in zip(sources, titles, strict=True):
        if source.result is None:
            blocks.append(_notice(source))
            continue
        said = DESIGNED.get(source.type, generic).summary(source)
        if said:
            blocks += [Heading(title)] if len(sources) > 1 else []
            blocks += said
        else:
            silent.append(title)
    if silent:
        blocks.append(Bullets(silent, title="Also in this report"))
    return blocks


def _chapter(source: Source, title: str) -> list[Section]:
    parts = DESIGNED.get(source.type, generic).chapter(source)
    if len(parts) == 1 and parts[0].title == "Result":
        return [Section(title, parts[0].blocks)]
    return [Section(title, []), *parts]


def _quality(sources: list[Source]) -> Section | None:
    blocks: list[Block] = []
    for source in sources:
        issues = rows(mapping(source.result, "quality"), "issues")
        if not issues:
            if mapping(source.result, "quality"):
                blocks.append(Prose(f"{shorten(source.name, 80)}: no issue was found in the data."))
            continue
        by_action = Counter[str]()
        for issue in issues:
            by_action[word(issue, "action", "reported")] += int(figures.real(issue.get("count")) or 0)
        said = ", ".join(f"{several(n, 'value')} {action}" for action, n in sorted(by_action.items()))
        columns = [Column("Check", "wrap", 1.1), Column("Severity", share=0.55), Column("Count", "number")]
        columns += [Column("What was done", share=0.75), Column("What was found", "wrap", 3.2)]
        blocks += [Prose(f"{shorten(source.name, 80)}: {said}."), Table("Issues", columns, [_issue(i) for i in issues])]
    return Section("Data quality", blocks) if blocks else None


def _issue(issue: dict[str, Any]) -> list[str]:
    said = word(issue, "sentence", "")
    examples = [example for example in sentences(issue, "examples") if example not in said][:3]
    shown = "; ".join(shorten(example, 60) for example in examples)
    such = f" For example: {shown}{'' if shown.endswith(('.', ELLIPSIS)) else '.'}" if shown else ""
    return [
        sentence_case(word(issue, "check")),
        word(issue, "severity"),
        figures.count(figures.real(issue.get("count"))),
        word(issue, "action"),
        said + such or figures.MISSING,
    ]


def _limits(sources: Sequence[Source]) -> Section:
    blocks: list[Block] = [_notice(source) for source in sources if source.result is None]
    for source in sources:
        for key, title in (("warnings", "Warnings"), ("limits", "Limits")):
            said = sentences(source.result, key)
            if said:
                blocks.append(Bullets(said, title=f"{title}: {shorten(source.name, 80)}"))
    return Section("Limits and warnings", blocks or [Prose("The results name no limits and no warnings.")])


def _sources(sources: Sequence[Source]) -> Section:
    columns = [Column("Task", "number"), Column("Type"), Column("Title", "wrap", 1.4), Column("Status", share=0.7)]
    columns += [Column("Engine", "wrap", 1.9), Column("Files", "wrap", 1.2)]
    written = [
        [
            str(source.task_id),
            source.type,
            shorten(source.name, 120),
            source.status,
            _engine(source),
            ", ".join(word(file, "name") for file in rows(source.result, "artifacts")[:5]) or figures.MISSING,
        ]
        for source in sources
    ]
    how = "Every figure is taken from these tasks' results; the report adds nothing but sums and shares of them."
    return Section("Sources", [Prose(how), Table("Tasks", columns, written)], on_slides=False)


def _engine(source: Source) -> str:
    if source.result is None:
        return figures.MISSING
    kind = word(source.result, "engine_kind", "")
    named = word(source.result, "engine", "engine not stated")
    return f"{named} ({KINDS.get(kind, kind)})" if kind else named


def _data(sources: list[Source]) -> str:
    named = [_of_data(source.result) for source in sources if mapping(source.result, "source")]
    return _some(named) or "as given to the tasks"


def _of_data(result: Any) -> str:
    source = mapping(result, "source")
    read = figures.real(source.get("rows_read"))
    named = shorten(word(source, "name", "rows given with the task"), 80)
    return named + (f", {several(int(read), 'row')}" if read is not None else "")


def _made_from(sources: Sequence[Source]) -> str:
    shown = [shorten(source.name, 60) for source in sources[:3]]
    more = f" and {len(sources) - 3:,} more" if len(sources) > 3 else ""
    return f"{several(len(sources), 'task')}: {', '.join(shown)}{more}"


def _some(texts: list[str]) -> str:
    """Each text once, three at most."""
    known = list(dict.fromkeys(filter(None, texts)))
    return "; ".join(known[:3]) + (f" and {len(known) - 3:,} more" if len(known) > 3 else "")
