"""Firing, following and looking read what they name, by index, however long the history is."""

import re
from datetime import timedelta

import time_machine

from models import now
from services import schedules
from tests.services import kit
from tests.services.test_plans import long_history, plans

__all__ = ["long_history"]  # a fixture

WHOLE = re.compile(r"Seq Scan on (tasks|fires|events)|SCAN (tasks|fires|events)\b(?! USING (COVERING )?INDEX)")
FIRES = """
    WITH RECURSIVE counter (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counter WHERE n < 80000)
    INSERT INTO fires (schedule_id, slot, at, fired_at, late_s, cause, outcome, task_id, ended_at)
    SELECT 1 + n % 20, 'slot ' || n, :at, :at, 0, 'automatic', 'ran', 1000000 + n, :at FROM counter
"""
TASKS = "UPDATE tasks SET schedule_id = 1 + id % 20 WHERE id % 7 = 0 AND finished_at IS NOT NULL"


def by_index(act, *indexes: str) -> None:
    found = plans(act)
    for statement, plan in found.items():
        assert not WHOLE.search(plan), f"{plan}\n\n{statement}"
    everything = "\n".join(found.values())
    for index in indexes:
        assert index in everything, f"{index} is not used:\n{everything}"


def test_nothing_reads_the_history(long_history):
    with time_machine.travel(now() - timedelta(seconds=61)):
        made = [schedules.create(f"s{n}", "greet", cron="* * * * *", priority=99) for n in range(20)]
    kit.execute(TASKS)
    kit.execute(FIRES, at=(now() - timedelta(days=1)).replace(tzinfo=None))
    kit.execute("ANALYZE")
    by_index(schedules.fire, "ix_tasks_schedule_live")
    kit.finish(kit.take(20))
    by_index(schedules.follow, "ix_fires_followed")
    by_index(lambda: schedules.history(made[0].id))
    by_index(lambda: schedules.history(limit=50), "ix_fires_at")
    by_index(lambda: schedules.history(made[0].id, outcomes=["missed"], limit=50), "ix_fires_history")
    by_index(lambda: schedules.latest([one.id for one in made], 10), "ix_fires_history")
    by_index(lambda: schedules.outputs([1, 2, 3]), "ix_tasks_parent")
    by_index(lambda: (schedules.attention(20), schedules.counts(), schedules.page(words="s1", state="attention")))
    by_index(lambda: (schedules.run_now(made[0].id), schedules.get(made[0].id), schedules.upcoming(10)))
