"""Which slides a document becomes, before any is drawn: every slide says one thing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from analytics.report import charts, model
from analytics.report.slides.text import lines
from analytics.report.widths import cards

MOST_SLIDES = 12  # of one chapter; the PDF and the task's result hold the rest
MOST_IN_ALL = 80
SIZES = (16.0, 14.0, 13.0)  # of points; a smaller one where that saves a slide
POINT_WIDTH = 830.0  # points of text beside the bullet
MOST_LINES = 6  # of one point
LINE, AFTER, HEADING = 1.2, 5.0, 8.0  # a line by its size; points below a paragraph, above a heading
FULL = 378.0  # points of height that a slide has for text
FIGURES, NOTICE = 81.0, 85.0  # what a row of key figures, and what a notice takes of them
SMALL_TABLES = 11.0  # rows of small tables, heads included, that share a slide


@dataclass(frozen=True)
class Point:
    """One line of thought; a `heading` has no bullet."""

    text: str
    heading: bool = False


@dataclass(frozen=True)
class Slide:
    """What stands on one slide. `kicker` is the chapter, `title` the message, `lead` the small print below it."""

    kicker: str
    title: str
    lead: str = ""
    figures: Sequence[model.Figure] = ()
    points: Sequence[Point] = ()
    size: float = SIZES[0]
    notices: Sequence[model.Notice] = ()
    chart: charts.Chart | None = None
    tables: Sequence[model.Table] = ()


def plan(document: model.Document) -> tuple[list[Slide], list[str]]:
    """The slides after the title slide, and a sentence for whatever had to be cut."""
    slides: list[Slide] = []
    warnings: list[str] = []
    chapters: list[tuple[str, list[Slide]]] = []
    for section in document.sections:
        if section.level == 1:
            chapters.append((section.title, []))
        if section.on_slides and chapters:
            name, found = chapters[-1]
            found += _summary(section) if section.title == "Summary" else _together(_slides(name, section))
    for name, found in chapters:
        slides += found[:MOST_SLIDES]
        if len(found) > MOST_SLIDES:
            warnings.append(f"The slides show the first {MOST_SLIDES} parts of “{name}” ({len(found)} in all).")
    if len(slides) > MOST_IN_ALL:
        warnings.append(f"The slides end after {MOST_IN_ALL} of {len(slides)} parts.")
    return slides[:MOST_IN_ALL], warnings


def _together(slides: Iterator[Slide]) -> Iterator[Slide]:
    """Small tables that follow each other share a slide, which then has the chapter's name."""
    waiting: Slide | None = None
    for slide in slides:
        if waiting is not None and waiting.tables and slide.tables:
            both = [*waiting.tables, *slide.tables]
            if sum(len(table.rows) + 2.2 for table in both) <= SMALL_TABLES:
                waiting = Slide(waiting.kicker, waiting.kicker, tables=both)
                continue
        if waiting is not None:
            yield waiting
        waiting = slide
    if waiting is not None:
        yield waiting


def _summary(section: model.Section) -> Iterator[Slide]:
    """A slide for each source with key figures; what the others say is gathered on one."""
    gathered = Slide("Summary", section.title)
    for slide in _by_heading(section):
        if slide.figures:
            yield from _with_points(slide)
            continue
        said = [Point(slide.lead)] if slide.lead else []
        named = [Point(slide.title, heading=True)] if said and slide.title != section.title else []
        gathered = replace(
            gathered,
            points=[*gathered.points, *named, *said, *slide.points],
            notices=[*gathered.notices, *slide.notices],
        )
    yield from _with_points(gathered)


def _by_heading(section: model.Section) -> Iterator[Slide]:
    slide = Slide("Summary", section.title)
    for block in section.blocks:
        match block:
            case model.Heading():
                yield slide
                slide = Slide("Summary", block.text)
            case model.Prose():
                slide = replace(slide, lead=slide.lead or block.text)
            case model.KeyFigures():
                slide = replace(slide, figures=block.figures)
            case model.Bullets():
                slide = replace(slide, points=[*slide.points, *_points(block)])
            case model.Notice():
                slide = replace(slide, notices=[*slide.notices, block])
    yield slide


def _points(block: model.Bullets) -> list[Point]:
    heading = [Point(block.title, heading=True)] if block.title else []
    return heading + [Point(item) for item in block.items]


def _with_points(slide: Slide) -> Iterator[Slide]:
    """The slide, and as many more as its points need."""
    if not (slide.figures or slide.points or slide.notices or slide.lead):
        return
    notices, many = list(slide.notices), len(slide.figures)
    rows = -(-many // cards(many))
    room = FULL - FIGURES * rows - NOTICE * min(2, len(notices))
    size = next((size for size in SIZES if _height(slide.points, size) <= room), SIZES[0])
    taken, rest = _as_many(list(slide.points), size, room)
    yield replace(slide, points=taken, size=size, notices=notices[:2])
    for n in range(2, len(notices), 3):
        yield Slide(slide.kicker, f"{slide.title} (continued)", notices=notices[n : n + 3])
    while rest:
        taken, rest = _as_many(rest, SIZES[0], FULL)
        yield Slide(slide.kicker, f"{slide.title} (continued)", points=taken)


def _height(points: Sequence[Point], size: float) -> float:
    many = (min(MOST_LINES, lines(point.text, size, POINT_WIDTH)) for point in points)
    return sum(n * LINE * size + AFTER + HEADING * point.heading for n, point in zip(many, points, strict=True))


def _as_many(points: list[Point], size: float, room: float) -> tuple[list[Point], list[Point]]:
    """As many points as find `room`, at least one; no heading is left last."""
    for n in range(1, len(points)):
        if _height(points[: n + 1], size) > room:
            end = n - 1 if points[n - 1].heading and n > 1 else n
            return points[:end], points[end:]
    return points, []


def _slides(chapter: str, section: model.Section) -> Iterator[Slide]:
    """A slide a chart or table; texts between them are gathered."""
    texts = Slide(chapter, section.title)
    blocks = list(section.blocks)
    for n, block in enumerate(blocks):
        following = blocks[n + 1] if n + 1 < len(blocks) else None
        match block:
            case charts.Chart():
                yield Slide(chapter, block.message, block.caption, chart=block)
            case model.Table() if block.on_slides and block.rows:
                before = blocks[n - 1] if n else None
                said = before.text if isinstance(before, model.Prose) else ""
                yield Slide(chapter, said if said and len(said) < 120 else block.title, block.note, tables=[block])
            case model.Prose() if not isinstance(following, model.Table):
                texts = replace(texts, points=[*texts.points, Point(block.text)])
            case model.Bullets():
                texts = replace(texts, points=[*texts.points, *_points(block)])
            case model.Notice():
                texts = replace(texts, notices=[*texts.notices, block])
            case model.KeyFigures():
                yield Slide(chapter, section.title, figures=block.figures)
    yield from _with_points(texts)
