"""Firing, following and looking read what they name, by index, however long the history is."""

import re
from datetime import timedelta

from models import now
from services import schedules, tasks
from tests.services import kit
from tests.services.test_plans import plans

WHOLE = re.compile(r"Seq Scan on (tasks|fires|events)|SCAN (tasks|fires|events)\b(?! USING (COVERING )?INDEX)")
FIRES = """
    WITH RECURSIVE counter (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counter WHERE n < 80000)
    INSERT INTO fires (schedule_id, slot, at, fired_at, late_s, cause, outcome, task_id, ended_at)
    SELECT 1 + n % 20, 'slot ' || n, :at, :at, 0, 'automatic', 'ran', 1000000 + n, :at FROM counter
"""
TASKS = "UPDATE tasks SET schedule_id = 1 + id % 20"


def by_index(act, *indexes: str) -> None:
    found = plans(act)
    for statement, plan in found.items():
        assert not WHOLE.search(plan), f"{plan}\n\n{statement}"
    everything = "\n".join(found.values())
    for index in indexes:
        assert index in everything, f"{index} is not used:\n{everything}"


def test_nothing_reads_the_history(core, clock):
    for n in range(20):
        schedules.create(f"s{n}", "greet", cron="* * * * *")
    made = schedules.create("made", "greet", cron="* * * * *")
    tasks.enqueue_many("greet", [{}] * 5000)
    kit.execute(TASKS)
    kit.run_all()
    kit.execute(FIRES, at=(now() - timedelta(days=1)).replace(tzinfo=None))
    kit.execute("ANALYZE")
    clock.shift(60)
    by_index(schedules.fire, "ix_tasks_schedule_live")
    kit.run_all()
    by_index(schedules.follow, "ix_fires_followed")
    by_index(lambda: schedules.history(made.id), "ix_fires_history")
    by_index(lambda: schedules.history(limit=50), "ix_fires_at")
    by_index(lambda: (schedules.run_now(made.id), schedules.get(made.id), schedules.upcoming(10)))
