"""What charts draw of attempts, summed as they draw it; of what is known so far, from the sums by minute and hour."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0008"
down_revision = "0007"

OUTCOMES = "measure NOT IN ('pending', 'queued', 'running', 'run', 'wait')"
# span, minutes of a slot for outcomes and for durations, minutes back, its sums so far, minutes since 1970 in them
SPANS = [
    ("1h", 1, 5, 120, "rollup_minutes", "minute"),
    ("6h", 5, 15, 420, "rollup_minutes", "minute"),
    ("24h", 60, 60, 1_500, "rollups", "hour * 60"),
    ("7d", 180, 360, 10_440, "rollups", "hour * 60"),
]
NOW = {"sqlite": "unixepoch() / 60", "postgresql": "(floor(extract(epoch FROM now()) / 60))::integer"}
FILL = """
    INSERT INTO rollup_spans (span, measure, type, bucket, slot, n)
    SELECT '{span}', measure, {type}, bucket, {slot}, sum(n) FROM {sums}
    WHERE type <> '' AND {measures} AND {since} GROUP BY 2, 3, 4, 5
"""


def upgrade() -> None:
    """Go to this schema."""
    op.create_table(
        "rollup_spans",
        sa.Column("span", sqlmodel.sql.sqltypes.AutoString(length=10), nullable=False),
        sa.Column("measure", sqlmodel.sql.sqltypes.AutoString(length=20), nullable=False),
        sa.Column("type", sqlmodel.sql.sqltypes.AutoString(length=100), nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("n", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("span", "measure", "type", "bucket", "slot", name=op.f("pk_rollup_spans")),
        sqlite_with_rowid=False,
    )
    for filled in _filled(NOW[op.get_bind().dialect.name]):
        op.execute(FILL.format(**filled))


def downgrade() -> None:
    """Go back: charts of the last hours begin anew."""
    op.drop_table("rollup_spans")


def _filled(now: str) -> list[dict[str, str]]:
    found = []
    for span, step, slow, minutes, sums, at in SPANS:
        shared = {"span": span, "sums": sums}
        shared["since"] = f"minute >= {now} - {minutes}" if at == "minute" else f"hour >= ({now} - {minutes}) / 60"
        for measures, type_, width in (
            (OUTCOMES, "type", step), ("measure = 'run'", "type", slow), ("measure IN ('run', 'wait')", "''", slow),
        ):  # fmt: skip
            found.append(shared | {"measures": measures, "type": type_, "slot": f"{at} - ({at}) % {width}"})
    ever = {"span": "ever", "sums": "rollups", "type": "type", "slot": "0", "since": "hour > 0"}
    return [*found, ever | {"measures": "measure NOT IN ('pending', 'queued', 'running')"}]
