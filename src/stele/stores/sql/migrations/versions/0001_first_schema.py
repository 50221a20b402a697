"""The first schema."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0001"
down_revision = None

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
    """Make every table."""
    op.create_table(
        "access_tokens",
        sa.Column("digest", word(64), nullable=False),
        sa.Column("principal", word(256), nullable=False),
        sa.Column("creation_time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_access_tokens"),
        **INNODB,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "dirty_runs",
        sa.Column("run", ID, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("run", name="pk_dirty_runs"),
        **INNODB,
    )
    op.create_table(
        "entity_keys",
        sa.Column("key_id", ID, autoincrement=True, nullable=False),
        sa.Column("experiment_id", ID, nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("name", word(250), nullable=False),
        sa.PrimaryKeyConstraint("key_id", name="pk_entity_keys"),
        sa.UniqueConstraint("experiment_id", "kind", "name", name="uq_entity_keys_experiment_id"),
        **INNODB,
    )
    op.create_index("ix_entity_keys_name", "entity_keys", ["kind", "name", "experiment_id", "key_id"], unique=False)
    op.create_table(
        "experiments",
        sa.Column("experiment_id", ID, autoincrement=True, nullable=False),
        sa.Column("name", word(500), nullable=False),
        sa.Column("artifact_location", LONG_TEXT, nullable=False),
        sa.Column("stage", sa.SmallInteger(), nullable=False),
        sa.Column("creation_time", sa.BigInteger(), nullable=False),
        sa.Column("last_update_time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("experiment_id", name="pk_experiments"),
        sa.UniqueConstraint("name", name="uq_experiments_name"),
        **INNODB,
        sqlite_autoincrement=True,
    )
    op.create_index("ix_experiments_list", "experiments", ["stage", "creation_time", "experiment_id"], unique=False)
    op.create_table(
        "ingest_log",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("run", ID, nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("records", BLOB, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ingest_log"),
        **INNODB,
        sqlite_autoincrement=True,
    )
    op.create_index("ix_ingest_log_run", "ingest_log", ["run", "id", "points"], unique=False)
    op.create_table(
        "latest_metrics",
        sa.Column("run", ID, nullable=False),
        sa.Column("key_id", ID, nullable=False),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("special", sa.SmallInteger(), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("nan_points", sa.BigInteger(), nullable=False),
        sa.Column("first_value", sa.Double(), nullable=True),
        sa.Column("first_step", sa.BigInteger(), nullable=False),
        sa.Column("first_timestamp", sa.BigInteger(), nullable=False),
        sa.Column("min_value", sa.Double(), nullable=True),
        sa.Column("max_value", sa.Double(), nullable=True),
        sa.Column("sum_value", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("run", "key_id", name="pk_latest_metrics"),
        **INNODB,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_latest_metrics_value", "latest_metrics", ["key_id", "value", "run"], unique=False)
    op.create_table(
        "model_links",
        sa.Column("run", ID, nullable=False),
        sa.Column("direction", sa.SmallInteger(), nullable=False),
        sa.Column("model_id", word(64), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("run", "direction", "model_id", name="pk_model_links"),
        **INNODB,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_model_links_model", "model_links", ["model_id"], unique=False)
    op.create_table(
        "run_texts",
        sa.Column("run", ID, nullable=False),
        sa.Column("key_id", ID, nullable=False),
        sa.Column("value", word(256), nullable=False),
        sa.Column("rest", LONG_TEXT, nullable=True),
        sa.Column("number", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("run", "key_id", name="pk_run_texts"),
        **INNODB,
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_run_texts_number",
        "run_texts",
        ["key_id", "number", "run"],
        unique=False,
        sqlite_where=sa.text("number IS NOT NULL"),
        postgresql_where=sa.text("number IS NOT NULL"),
    )
    op.create_index("ix_run_texts_value", "run_texts", ["key_id", "value", "run"], unique=False)
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
        sa.Column("summary", BLOB, nullable=True),
        sa.Column("data", BLOB, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_segments"),
        **INNODB,
    )
    op.create_index("ix_segments_find", "segments", ["run", "first_key", "last_key", "first_step"], unique=False)
    op.create_table(
        "datasets",
        sa.Column("dataset", ID, autoincrement=True, nullable=False),
        sa.Column("experiment_id", ID, nullable=False),
        sa.Column("name", word(500), nullable=False),
        sa.Column("digest", word(36), nullable=False),
        sa.Column("source_type", LONG_TEXT, nullable=False),
        sa.Column("source", LONG_TEXT, nullable=False),
        sa.Column("schema", LONG_TEXT, nullable=True),
        sa.Column("profile", LONG_TEXT, nullable=True),
        sa.PrimaryKeyConstraint("dataset", name="pk_datasets"),
        sa.UniqueConstraint("experiment_id", "name", "digest", name="uq_datasets_experiment_id"),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiments.experiment_id"], name="fk_datasets_experiment_id"),
        **INNODB,
    )
    op.create_index("ix_datasets_digest", "datasets", ["experiment_id", "digest"], unique=False)
    op.create_table(
        "experiment_tags",
        sa.Column("experiment_id", ID, nullable=False),
        sa.Column("key", word(250), nullable=False),
        sa.Column("value", LONG_TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["experiment_id"], ["experiments.experiment_id"], name="fk_experiment_tags_experiment_id"
        ),
        sa.PrimaryKeyConstraint("experiment_id", "key", name="pk_experiment_tags"),
        **INNODB,
        sqlite_with_rowid=False,
    )
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
        sa.PrimaryKeyConstraint("run", name="pk_runs"),
        sa.UniqueConstraint("run_id", name="uq_runs_run_id"),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiments.experiment_id"], name="fk_runs_experiment_id"),
        **INNODB,
    )
    op.create_index("ix_runs_deleted", "runs", ["stage", "deleted_time"], unique=False)
    op.create_index(
        "ix_runs_list", "runs", ["experiment_id", "stage", sa.literal_column("start_time DESC"), "run_id"], unique=False
    )
    op.create_table(
        "dataset_inputs",
        sa.Column("run", ID, nullable=False),
        sa.Column("dataset", ID, nullable=False),
        sa.Column("context", word(500), nullable=False),
        sa.ForeignKeyConstraint(["dataset"], ["datasets.dataset"], name="fk_dataset_inputs_dataset"),
        sa.PrimaryKeyConstraint("run", "dataset", name="pk_dataset_inputs"),
        **INNODB,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_dataset_inputs_dataset", "dataset_inputs", ["dataset", "run"], unique=False)
