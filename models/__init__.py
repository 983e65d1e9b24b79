"""What is remembered: the tables, the statuses and moves, the session."""

from models.artifact import Artifact
from models.attempt import Attempt
from models.base import now
from models.db import after_commit, reading, transaction
from models.error_group import ErrorCount, ErrorGroup, GroupState
from models.event import Event
from models.log import TaskLog
from models.operator import InboxItem, Operator, OperatorSession, Role
from models.queue import KeyLimit, Queue
from models.rollup import Rollup, RollupDelta, RollupMinute, RollupSpan
from models.schedule import Cause, Fire, FireOutcome, Missed, Overlap, Schedule
from models.schema import SchemaFloor
from models.search import SearchMark
from models.status import FINISHED, LIVE, Move, OnParentFailure, Outcome, Status
from models.task import Task, TaskBody, TaskNeed, TaskSearch, Unsettled
from models.type import TypeRow
from models.view import SavedView
from models.worker import Worker

__all__ = [
    "FINISHED",
    "LIVE",
    "Artifact",
    "Attempt",
    "Cause",
    "ErrorCount",
    "ErrorGroup",
    "Event",
    "Fire",
    "FireOutcome",
    "GroupState",
    "InboxItem",
    "KeyLimit",
    "Missed",
    "Move",
    "OnParentFailure",
    "Operator",
    "OperatorSession",
    "Outcome",
    "Overlap",
    "Queue",
    "Role",
    "Rollup",
    "RollupDelta",
    "RollupMinute",
    "RollupSpan",
    "SavedView",
    "Schedule",
    "SchemaFloor",
    "SearchMark",
    "Status",
    "Task",
    "TaskBody",
    "TaskLog",
    "TaskNeed",
    "TaskSearch",
    "TypeRow",
    "Unsettled",
    "Worker",
    "after_commit",
    "now",
    "reading",
    "transaction",
]
