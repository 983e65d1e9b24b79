"""Looking for tasks: full text, and what filters need.

PostgreSQL: a tsvector of our own words beside the text. It is always there, while pg_trgm is an extension that some
servers lack and that others let only their owner create. SQLite: FTS5. Both hold the words that `services.words`
makes, and find the same.
"""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0002"
down_revision = "0001"

INDEXES = (
    ("ix_tasks_unfinished", ["id"], "finished_at IS NULL"),
    ("ix_tasks_failed", ["finished_at"], "status = 'failed'"),
    ("ix_tasks_error_class", ["error_class", "id"], "error_class IS NOT NULL"),
    ("ix_tasks_root", ["root_id", "id"], "root_id IS NOT NULL"),
    ("ix_tasks_tagged", ["id"], "tags <> '[]'"),
    ("ix_tasks_hidden", ["id"], "deleted_at IS NOT NULL"),
)


def upgrade() -> None:
    """Go to this schema."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "search_mark",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("newest", number, nullable=False),
        sa.Column("settled", number, nullable=False),
        sa.Column("look_until", number, nullable=True),
        sa.Column("look_xid", number, nullable=True),
        sa.Column("failed_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_mark")),
    )
    for name, columns, where in INDEXES:
        op.create_index(name, "tasks", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE task_search ADD COLUMN lexemes tsvector")
        op.execute("CREATE INDEX ix_task_search_lexemes ON task_search USING gin (lexemes)")
    else:  # only the index itself: the text is in task_search, and nobody asks where in it a word stands
        op.execute(
            "CREATE VIRTUAL TABLE task_words USING fts5"
            "(words, content='', contentless_delete=1, detail=none, prefix='1 2 3', tokenize='ascii')"
        )


def downgrade() -> None:
    """Go back."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP INDEX ix_task_search_lexemes")
        op.execute("ALTER TABLE task_search DROP COLUMN lexemes")
    else:
        op.execute("DROP TABLE task_words")
    for name, _, _ in INDEXES:
        op.drop_index(name, "tasks")
    op.drop_table("search_mark")
