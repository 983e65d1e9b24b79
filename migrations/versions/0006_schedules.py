"""Recurring work: schedules, and what became of each of their slots."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"

number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
json = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
when = sqlmodel.sql.sqltypes.UTCDateTime()
words = sqlmodel.sql.sqltypes.AutoString


def upgrade() -> None:
    """Go to this schema."""
    op.create_table(
        "fires",
        sa.Column("schedule_id", number, autoincrement=False, nullable=False),
        sa.Column("slot", words(length=40), nullable=False),
        sa.Column("at", when, nullable=False),
        sa.Column("fired_at", when, nullable=False),
        sa.Column("late_s", sa.Float(), nullable=False),
        sa.Column(
            "cause",
            sa.Enum("automatic", "manual", "backfill", name="cause", native_enum=False, length=20),
            nullable=False,
        ),
        sa.Column(
            "outcome",
            sa.Enum(
                "ran", "skipped", "missed", "deduplicated", "failed", name="fireoutcome", native_enum=False, length=20
            ),
            nullable=False,
        ),
        sa.Column("why", words(length=500), nullable=True),
        sa.Column("task_id", number, nullable=True),
        sa.Column("task_status", words(length=20), nullable=True),
        sa.Column("ended_at", when, nullable=True),
        sa.Column("run_s", sa.Float(), nullable=True),
        sa.CheckConstraint("(outcome IN ('ran', 'deduplicated')) = (task_id IS NOT NULL)", name=op.f("ck_fires_task")),
        sa.CheckConstraint("cause IN ('automatic', 'manual', 'backfill')", name=op.f("ck_fires_cause")),
        sa.CheckConstraint(
            "outcome IN ('ran', 'skipped', 'missed', 'deduplicated', 'failed')", name=op.f("ck_fires_outcome")
        ),
        sa.PrimaryKeyConstraint("schedule_id", "slot", name=op.f("pk_fires")),
    )
    op.create_index("ix_fires_at", "fires", ["at", "schedule_id", "slot"], unique=False)
    op.create_index(
        "ix_fires_followed",
        "fires",
        ["task_id"],
        unique=False,
        sqlite_where=sa.text("task_id IS NOT NULL AND ended_at IS NULL"),
        postgresql_where=sa.text("task_id IS NOT NULL AND ended_at IS NULL"),
    )
    op.create_index("ix_fires_history", "fires", ["schedule_id", "at", "slot"], unique=False)
    op.create_index(
        "ix_fires_task",
        "fires",
        ["task_id"],
        unique=False,
        sqlite_where=sa.text("task_id IS NOT NULL"),
        postgresql_where=sa.text("task_id IS NOT NULL"),
    )
    op.create_table(
        "schedules",
        sa.Column("id", number, nullable=False),
        sa.Column("name", words(length=200), nullable=False),
        sa.Column("description", words(length=1000), nullable=False),
        sa.Column("project", words(length=100), nullable=True),
        sa.Column("owner", number, nullable=True),
        sa.Column("type", words(length=100), nullable=False),
        sa.Column("payload", json, nullable=False),
        sa.Column("queue", words(length=64), nullable=True),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("retries", sa.Integer(), nullable=False),
        sa.Column("timeout_s", sa.Float(), nullable=False),
        sa.Column("tags", json, nullable=False),
        sa.Column("unique_key", words(length=200), nullable=True),
        sa.Column("cron", words(length=200), nullable=True),
        sa.Column("every_s", sa.Integer(), nullable=True),
        sa.Column("anchor_at", when, nullable=True),
        sa.Column("zone", words(length=64), nullable=False),
        sa.Column("start_at", when, nullable=True),
        sa.Column("end_at", when, nullable=True),
        sa.Column("jitter_s", sa.Integer(), nullable=False),
        sa.Column(
            "overlap",
            sa.Enum("skip", "queue_one", "cancel_previous", "allow", name="overlap", native_enum=False, length=20),
            nullable=False,
        ),
        sa.Column(
            "missed", sa.Enum("skip", "once", "all", name="missed", native_enum=False, length=20), nullable=False
        ),
        sa.Column("missed_window_s", sa.Integer(), nullable=False),
        sa.Column("pause_after", sa.Integer(), nullable=True),
        sa.Column("keep_runs", sa.Integer(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("disabled_at", when, nullable=True),
        sa.Column("disabled_by", words(length=120), nullable=True),
        sa.Column("disabled_reason", words(length=500), nullable=True),
        sa.Column("next_slot", words(length=40), nullable=True),
        sa.Column("next_at", when, nullable=True),
        sa.Column("due_at", when, nullable=True),
        sa.Column("last_slot", words(length=40), nullable=True),
        sa.Column("last_at", when, nullable=True),
        sa.Column(
            "last_outcome",
            sa.Enum(
                "ran", "skipped", "missed", "deduplicated", "failed", name="fireoutcome", native_enum=False, length=20
            ),
            nullable=True,
        ),
        sa.Column("completed", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("run_s", sa.Float(), nullable=False),
        sa.Column("failures_in_row", sa.Integer(), nullable=False),
        sa.Column("last_completed_at", when, nullable=True),
        sa.Column("last_status", words(length=20), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("declared", json, nullable=True),
        sa.Column("created_at", when, nullable=False),
        sa.Column("created_by", words(length=120), nullable=False),
        sa.Column("updated_at", when, nullable=False),
        sa.Column("updated_by", words(length=120), nullable=False),
        sa.Column("deleted_at", when, nullable=True),
        sa.CheckConstraint("missed IN ('skip', 'once', 'all')", name=op.f("ck_schedules_missed")),
        sa.CheckConstraint(
            "overlap IN ('skip', 'queue_one', 'cancel_previous', 'allow')", name=op.f("ck_schedules_overlap")
        ),
        sa.CheckConstraint(
            "(cron IS NOT NULL AND every_s IS NULL AND anchor_at IS NULL)"
            " OR (cron IS NULL AND every_s >= 60 AND anchor_at IS NOT NULL)",
            name=op.f("ck_schedules_rule"),
        ),
        sa.CheckConstraint(
            "(due_at IS NULL) = (next_slot IS NULL) AND (due_at IS NULL) = (next_at IS NULL)",
            name=op.f("ck_schedules_next"),
        ),
        sa.CheckConstraint("due_at IS NULL OR (enabled AND deleted_at IS NULL)", name=op.f("ck_schedules_due")),
        sa.CheckConstraint(
            "end_at IS NULL OR start_at IS NULL OR end_at > start_at", name=op.f("ck_schedules_start_and_end")
        ),
        sa.CheckConstraint("priority BETWEEN 1 AND 100", name=op.f("ck_schedules_priority")),
        sa.CheckConstraint(
            "retries >= 0 AND timeout_s > 0 AND jitter_s >= 0 AND missed_window_s >= 0 AND keep_runs >= 1"
            " AND (pause_after IS NULL OR pause_after >= 1) AND version >= 1",
            name=op.f("ck_schedules_numbers"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedules")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_schedules_due",
        "schedules",
        ["due_at", "id"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(
        "ux_schedules_name",
        "schedules",
        ["name"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_tasks_schedule_live",
        "tasks",
        ["schedule_id", "id"],
        unique=False,
        sqlite_where=sa.text("schedule_id IS NOT NULL AND finished_at IS NULL"),
        postgresql_where=sa.text("schedule_id IS NOT NULL AND finished_at IS NULL"),
    )


def downgrade() -> None:
    """Go back."""
    op.drop_index("ix_tasks_schedule_live", "tasks")
    op.drop_table("fires")
    op.drop_table("schedules")
