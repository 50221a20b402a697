"""Counts of the changes in each experiment."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
CLUSTERED: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mariadb_engine": "InnoDB",
    "mariadb_charset": "utf8mb4",
    "sqlite_with_rowid": False,
}


def upgrade() -> None:
    """Let a reader know whether what it remembers of an experiment's runs is still so."""
    op.create_table(
        "experiment_changes",
        sa.Column("experiment_id", ID, nullable=False),
        sa.Column("slot", sa.SmallInteger(), nullable=False),
        sa.Column("run_changes", sa.BigInteger(), nullable=False),
        sa.Column("metric_changes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("experiment_id", "slot", name="pk_experiment_changes"),
        **CLUSTERED,
    )
    columns: list[Any] = ["experiment_id", "stage", sa.text("start_time DESC"), "run_id", "status", "end_time"]
    # The new one first: MariaDB keeps an index that a foreign key needs.
    op.create_index("ix_runs_list_new", "runs", columns)
    op.drop_index("ix_runs_list", "runs")
    if op.get_bind().dialect.name in ("mysql", "mariadb"):
        op.execute("ALTER TABLE runs RENAME INDEX ix_runs_list_new TO ix_runs_list")
    elif op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER INDEX ix_runs_list_new RENAME TO ix_runs_list")
    else:
        op.drop_index("ix_runs_list_new", "runs")
        op.create_index("ix_runs_list", "runs", columns)
