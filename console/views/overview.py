"""What needs attention, what runs, what waits and why."""

import streamlit as st

from console import figures, pages, reads, who
from console.ui import asking, attention, charts, first_run, living, parts, queue_dialog, rows, say, standing, tell
from console.ui.cards import Answer, Board
from models import Role, Task
from services.trends import Trend

span = parts.title_with_span("Overview", "24h")


@living.every(4)
def board() -> None:
    """The part that lives."""
    tell.show()
    cards = Board()
    stand, trend = cards.ask(figures.stand), cards.ask(figures.trend, span)
    depths, deploys = cards.ask(figures.depths, span), cards.ask(figures.deploys, span)
    if stand.value is not None and not stand.value.queues and stand.reference is None:
        first_run.show()
        return
    alarms(stand, trend)
    if not cards.away:
        before(stand, trend, depths)
    standing.counters(depths.value, trend.value, span)
    marks = deploys.value or []
    left, right = st.columns(2, gap="medium")
    with left:
        cards.card("throughput", "Endings", trend, lambda found: throughput(found, marks), 290)
    with right:
        cards.card("durations", "Time to run and to wait", trend, lambda found: durations(found, marks), 290)
    left, right = st.columns(2, gap="medium")
    with left:
        cards.card("types", f"Types in the last {span}", trend, standing.types)
    with right:
        cards.card("queues", "Queues", stand, lambda found: standing.queues(found.queues, depths.value))
    cards.card("latest", "Latest tasks", cards.ask(reads.latest, 10, say.zone().key), latest)
    cards.close()


def alarms(stand: Answer, trend: Answer) -> None:
    """What is not as it should be, each with the way to its cure."""
    with st.container(key="alarms", gap=None):
        if stand.value is None:
            st.markdown(":orange[:material/error: What needs attention cannot be read now.]")
            return
        found = attention.alarms(stand.value, trend.value.types if trend.value else (), span)
        if not found:
            st.markdown(":green[:material/check_circle:] Nothing needs attention.", width="content")
        for n, alarm in enumerate(found[: attention.MOST]):
            notice(n, alarm)
        if len(found) > attention.MOST:
            st.caption(f"And {len(found) - attention.MOST} more.")


def before(*answers: Answer) -> None:
    """Says so where what stands above the cards, or their counters, is from before."""
    old = [one.at for one in answers if one.reference is not None and one.at is not None]
    if old:
        st.markdown(f":orange[:material/error: Some of these lines and counts are of {say.plain(say.at(min(old)))}.]")


def notice(n: int, alarm: attention.Alarm) -> None:
    """One line that leads to its cure."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"alarm_{n}"):
        colour = "red" if alarm.grave else "orange"
        st.markdown(f":{colour}[:material/warning:] {say.plain(say.short(alarm.sentence, 300))}", width="content")
        if alarm.resume is not None and who.may(Role.operator):
            st.button(
                alarm.label, key=f"alarm_act_{n}", type="tertiary", icon=":material/play_arrow:",
                on_click=queue_dialog.ask, args=("Resume", alarm.resume),
            )  # fmt: skip
        else:
            label = "Show" if alarm.resume else alarm.label
            st.page_link(
                pages.page(alarm.page), label=label, icon=":material/arrow_forward:", query_params=alarm.params
            )


def throughput(found: Trend, deploys: charts.Marks) -> None:
    """What attempts came to."""
    st.echarts_chart(
        charts.throughput(found.columns, found.outcomes, deploys, say.zone()), height=225, key="throughput_chart",
        alt="How attempts ended over time",
    )  # fmt: skip


def durations(found: Trend, deploys: charts.Marks) -> None:
    """How long attempts ran and waited."""
    if not any(found.run):
        st.caption("Nothing ran in this span.")
        return
    st.echarts_chart(
        charts.durations(found.slow_columns, found.run, found.wait, deploys, say.zone()), height=225,
        key="durations_chart", alt="Percentiles of the time attempts ran and waited",
    )  # fmt: skip


def latest(found: list[tuple[Task, str | None]]) -> None:
    """The newest tasks."""
    ids = [task.id or 0 for task, _ in found]
    opener = st.column_config.ButtonColumn(
        "Task", width=75, pinned=True, type="tertiary", key="latest_open", on_click=_open_task, args=(ids,),
        alignment="left",
    )  # fmt: skip
    shown = ["Task", "Status", "Type", "Title", "Now", "Progress", "Ran", "Created"]
    st.dataframe(
        rows.frame([task for task, _ in found], [why for _, why in found]), column_config=rows.columns(Task=opener),
        hide_index=True, row_height=30, column_order=shown, placeholder="–", height=parts.height(len(found)),
        alt="Latest tasks", key="latest",
    )  # fmt: skip


def _open_task(ids: list[int]) -> None:
    if (task_id := standing.clicked("latest_open", ids)) is not None:
        pages.open_task(task_id)


board()
asking.show_if_asked()
