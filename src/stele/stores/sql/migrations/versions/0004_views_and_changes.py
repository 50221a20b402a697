"""Saved views, and stamps of the changes of runs."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0004"
down_revision = "0003"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BLOB = sa.LargeBinary().with_variant(mysql.LONGBLOB(), "mysql", "mariadb")
LONG_TEXT = (
    sa.Text()
    .with_variant(sa.Text(collation="C"), "postgresql")
    .with_variant(mysql.LONGTEXT(collation="utf8mb4_bin"), "mysql", "mariadb")
)
INNODB: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mariadb_engine": "InnoDB",
    "mariadb_charset": "utf8mb4",
}


def word(length: int) -> sa.String:
    """Short text, compared byte by byte."""
    return (
        sa.String(length)
        .with_variant(sa.String(length, collation="C"), "postgresql")
        .with_variant(mysql.VARCHAR(length, collation="utf8mb4_bin"), "mysql", "mariadb")
    )


def upgrade() -> None:
    """Let the page keep views, and see which runs have changed."""
    op.create_table(
        "views",
        sa.Column("view_id", word(32), nullable=False),
        sa.Column("experiment_id", ID, nullable=False),
        sa.Column("name", word(250), nullable=False),
        sa.Column("state", LONG_TEXT, nullable=False),
        sa.Column("principal", word(256), nullable=False),
        sa.Column("creation_time", sa.BigInteger(), nullable=False),
        sa.Column("last_update_time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("view_id", name="pk_views"),
        sa.UniqueConstraint("experiment_id", "name", name="uq_views_experiment_id"),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiments.experiment_id"], name="fk_views_experiment_id"),
        **INNODB,
        sqlite_with_rowid=False,
    )
    if op.get_bind().dialect.name == "sqlite":
        _make_runs_anew()
    else:
        for name in ("change_stamp", "record_stamp"):
            op.add_column("runs", sa.Column(name, sa.BigInteger(), server_default="0", nullable=False))
        _widen_list()
    op.create_index("ix_runs_change_stamp", "runs", ["experiment_id", "change_stamp"])
    op.create_index("ix_runs_record_stamp", "runs", ["experiment_id", "record_stamp"])


_LIST: list[Any] = ["experiment_id", "stage", sa.literal_column("start_time DESC"), "run_id", "status", "end_time"]


def _widen_list() -> None:
    """Let the index of a listing hold all that a table needs of each run."""
    # The new one first: MariaDB keeps an index that a foreign key needs.
    op.create_index("ix_runs_list_new", "runs", _LIST)
    op.drop_index("ix_runs_list", "runs")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER INDEX ix_runs_list_new RENAME TO ix_runs_list")
    else:
        op.execute("ALTER TABLE runs RENAME INDEX ix_runs_list_new TO ix_runs_list")


def _make_runs_anew() -> None:
    """SQLite would write a new column behind the constraints, other than in a database that begins with it."""
    for index in ("ix_runs_deleted", "ix_runs_list"):
        op.drop_index(index, "runs")
    op.rename_table("runs", "old_runs")
    op.create_table(
        "runs",
        sa.Column("run", ID, autoincrement=True, nullable=False),
        sa.Column("run_id", word(256), nullable=False),
        sa.Column("experiment_id", ID, nullable=False),
        sa.Column("stage", sa.SmallInteger(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("start_time", sa.BigInteger(), nullable=False),
        sa.Column("end_time", sa.BigInteger(), nullable=True),
        sa.Column("deleted_time", sa.BigInteger(), nullable=True),
        sa.Column("name", word(500), nullable=False),
        sa.Column("user_id", word(256), nullable=False),
        sa.Column("artifact_uri", LONG_TEXT, nullable=False),
        sa.Column("document", BLOB, nullable=False),
        sa.Column("latest", BLOB, nullable=True),
        sa.Column("applied_id", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("change_stamp", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("record_stamp", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("run", name="pk_runs"),
        sa.UniqueConstraint("run_id", name="uq_runs_run_id"),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiments.experiment_id"], name="fk_runs_experiment_id"),
        **INNODB,
    )
    op.execute("INSERT INTO runs SELECT *, 0, 0 FROM old_runs")
    op.drop_table("old_runs")
    op.create_index("ix_runs_deleted", "runs", ["stage", "deleted_time"], unique=False)
    op.create_index("ix_runs_list", "runs", _LIST, unique=False)
