"""Rewinds, forks, and the batches that were stored."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0002"
down_revision = "0001"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BLOB = sa.LargeBinary().with_variant(mysql.LONGBLOB(), "mysql", "mariadb")
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
    """Let a segment say which rewinds it lies between; number the batches of each client."""
    # Nothing wrote segments under the first schema. Made anew, the wide columns stay behind the narrow ones.
    op.drop_table("segments")
    op.create_table(
        "segments",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("run", ID, nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("first_key", ID, nullable=False),
        sa.Column("last_key", ID, nullable=False),
        sa.Column("first_step", sa.BigInteger(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.SmallInteger(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("hidden_epoch", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("summary", BLOB, nullable=True),
        sa.Column("data", BLOB, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_segments"),
        **INNODB,
        sqlite_autoincrement=True,
    )
    op.create_index("ix_segments_find", "segments", ["run", "first_key", "last_key", "first_step", "points"])
    if op.get_bind().dialect.name == "postgresql":
        vacuum = ", ".join(
            f"{prefix}autovacuum_{option}"
            for prefix in ("", "toast.")
            for option in ("vacuum_scale_factor = 0.01", "vacuum_threshold = 500", "vacuum_cost_delay = 0")
        )
        op.execute(
            "ALTER TABLE segments ALTER COLUMN data SET STORAGE EXTERNAL, ALTER COLUMN summary SET STORAGE EXTERNAL"
        )
        op.execute("ALTER TABLE ingest_log ALTER COLUMN records SET STORAGE EXTERNAL")
        op.execute(f"ALTER TABLE segments SET ({vacuum})")
        op.execute(f"ALTER TABLE ingest_log SET ({vacuum})")
    op.create_table(
        "rewinds",
        sa.Column("run", ID, nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("principal", word(256), nullable=False),
        sa.Column("creation_time", sa.BigInteger(), nullable=False),
        sa.Column("undone_time", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("run", "epoch", name="pk_rewinds"),
        **INNODB,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "run_forks",
        sa.Column("run", ID, nullable=False),
        sa.Column("parent", ID, nullable=False),
        sa.Column("parent_epoch", sa.Integer(), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("hidden_epoch", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("run", "parent", "epoch", name="pk_run_forks"),
        **INNODB,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_run_forks_parent", "run_forks", ["parent"])
    op.create_table(
        "ingest_clients",
        sa.Column("client_id", word(64), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("update_time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("client_id", name="pk_ingest_clients"),
        **INNODB,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_ingest_clients_update_time", "ingest_clients", ["update_time"])
