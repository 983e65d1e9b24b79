"""The tables as SQLAlchemy's core sees them: for statements that make or change many rows without objects."""

from sqlalchemy import Table

from models.artifact import Artifact
from models.attempt import Attempt
from models.error_group import ErrorCount, ErrorGroup
from models.event import Event
from models.log import TaskLog
from models.operator import InboxItem, Operator
from models.queue import KeyLimit, Queue
from models.rollup import Rollup, RollupDelta, RollupMinute, RollupSpan
from models.schedule import Fire, Schedule
from models.schema import SchemaFloor
from models.task import Task, TaskBody, TaskNeed, TaskSearch, Unsettled
from models.type import TypeRow
from models.view import SavedView
from models.worker import Worker


def _table(model: type) -> Table:
    return model.__table__  # type: ignore[attr-defined]


tasks = _table(Task)
task_bodies = _table(TaskBody)
task_needs = _table(TaskNeed)
task_search = _table(TaskSearch)
unsettled = _table(Unsettled)
attempts = _table(Attempt)
task_logs = _table(TaskLog)
events = _table(Event)
artifacts = _table(Artifact)
queues = _table(Queue)
key_limits = _table(KeyLimit)
rollups = _table(Rollup)
rollup_deltas = _table(RollupDelta)
rollup_minutes = _table(RollupMinute)
rollup_spans = _table(RollupSpan)
types = _table(TypeRow)
workers = _table(Worker)
operators = _table(Operator)
inbox = _table(InboxItem)
schedules = _table(Schedule)
fires = _table(Fire)
schema_floor = _table(SchemaFloor)
saved_views = _table(SavedView)
error_groups = _table(ErrorGroup)
error_counts = _table(ErrorCount)
