"""Logged models and the registry."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0003"
down_revision = "0002"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
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
CLUSTERED: dict[str, Any] = INNODB | {"sqlite_with_rowid": False}


def word(length: int) -> sa.String:
    """Short text, compared byte by byte."""
    return (
        sa.String(length)
        .with_variant(sa.String(length, collation="C"), "postgresql")
        .with_variant(mysql.VARCHAR(length, collation="utf8mb4_bin"), "mysql", "mariadb")
    )


def upgrade() -> None:
    """Keep models as entities of their own, and the registry of those that somebody uses."""
    _logged_models()
    _registered_models()
    _model_versions()
    _registry_events()
    _approvals()
    _webhooks()


def _logged_models() -> None:
    op.create_table(
        "logged_models",
        sa.Column("model", ID, autoincrement=True, nullable=False),
        sa.Column("model_id", word(64), nullable=False),
        sa.Column("experiment_id", ID, nullable=False),
        sa.Column("stage", sa.SmallInteger(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("creation_time", sa.BigInteger(), nullable=False),
        sa.Column("last_update_time", sa.BigInteger(), nullable=False),
        sa.Column("deleted_time", sa.BigInteger(), nullable=True),
        sa.Column("name", word(500), nullable=False),
        sa.Column("model_type", word(500), nullable=False),
        sa.Column("source_run_id", word(256), nullable=False),
        sa.Column("artifact_uri", LONG_TEXT, nullable=False),
        sa.Column("digest", word(71), nullable=True),
        sa.PrimaryKeyConstraint("model", name="pk_logged_models"),
        sa.UniqueConstraint("model_id", name="uq_logged_models_model_id"),
        sa.ForeignKeyConstraint(
            ["experiment_id"], ["experiments.experiment_id"], name="fk_logged_models_experiment_id"
        ),
        **INNODB,
    )
    op.create_index("ix_logged_models_name", "logged_models", ["experiment_id", "name"])
    op.create_index("ix_logged_models_source_run_id", "logged_models", ["source_run_id"])
    op.create_index("ix_logged_models_deleted", "logged_models", ["stage", "deleted_time"])
    op.create_index(
        "ix_logged_models_list", "logged_models", ["experiment_id", "stage", sa.text("creation_time DESC"), "model_id"]
    )
    for table in ("logged_model_params", "logged_model_tags"):
        op.create_table(
            table,
            sa.Column("model", ID, nullable=False),
            sa.Column("key", word(250), nullable=False),
            sa.Column("value", LONG_TEXT, nullable=False),
            sa.PrimaryKeyConstraint("model", "key", name=f"pk_{table}"),
            **CLUSTERED,
        )
    op.create_table(
        "logged_model_metrics",
        sa.Column("model", ID, nullable=False),
        sa.Column("identity", word(32), nullable=False),
        sa.Column("key", word(250), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("special", sa.SmallInteger(), nullable=False),
        sa.Column("run_id", word(256), nullable=False),
        sa.Column("dataset_name", word(500), nullable=False),
        sa.Column("dataset_digest", word(36), nullable=False),
        sa.PrimaryKeyConstraint("model", "identity", name="pk_logged_model_metrics"),
        **CLUSTERED,
    )
    op.create_index("ix_logged_model_metrics_latest", "logged_model_metrics", ["model", "key", "timestamp", "step"])


def _registered_models() -> None:
    op.create_table(
        "registered_models",
        sa.Column("registered", ID, autoincrement=True, nullable=False),
        sa.Column("name", word(256), nullable=False),
        sa.Column("creation_time", sa.BigInteger(), nullable=False),
        sa.Column("last_update_time", sa.BigInteger(), nullable=False),
        sa.Column("description", LONG_TEXT, nullable=True),
        sa.Column("last_version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("registered", name="pk_registered_models"),
        sa.UniqueConstraint("name", name="uq_registered_models_name"),
        **INNODB,
        sqlite_autoincrement=True,
    )
    op.create_index("ix_registered_models_last_update_time", "registered_models", ["last_update_time", "name"])
    op.create_table(
        "registered_model_tags",
        sa.Column("registered", ID, nullable=False),
        sa.Column("key", word(250), nullable=False),
        sa.Column("value", LONG_TEXT, nullable=False),
        sa.PrimaryKeyConstraint("registered", "key", name="pk_registered_model_tags"),
        **CLUSTERED,
    )
    op.create_table(
        "registered_model_aliases",
        sa.Column("registered", ID, nullable=False),
        sa.Column("alias", word(255), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("registered", "alias", name="pk_registered_model_aliases"),
        **CLUSTERED,
    )


def _model_versions() -> None:
    op.create_table(
        "model_versions",
        sa.Column("registered", ID, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("model_stage", sa.SmallInteger(), nullable=False),
        sa.Column("creation_time", sa.BigInteger(), nullable=False),
        sa.Column("last_update_time", sa.BigInteger(), nullable=False),
        sa.Column("description", LONG_TEXT, nullable=True),
        sa.Column("user_id", word(256), nullable=False),
        sa.Column("source", LONG_TEXT, nullable=False),
        sa.Column("location", LONG_TEXT, nullable=False),
        sa.Column("run_id", word(256), nullable=False),
        sa.Column("run_link", LONG_TEXT, nullable=False),
        sa.Column("model_id", word(64), nullable=False),
        sa.PrimaryKeyConstraint("registered", "version", name="pk_model_versions"),
        sa.ForeignKeyConstraint(["registered"], ["registered_models.registered"], name="fk_model_versions_registered"),
        **CLUSTERED,
    )
    for column in ("last_update_time", "run_id", "model_id"):
        op.create_index(f"ix_model_versions_{column}", "model_versions", [column])
    op.create_table(
        "model_version_tags",
        sa.Column("registered", ID, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("key", word(250), nullable=False),
        sa.Column("value", LONG_TEXT, nullable=False),
        sa.PrimaryKeyConstraint("registered", "version", "key", name="pk_model_version_tags"),
        **CLUSTERED,
    )


def _registry_events() -> None:
    op.create_table(
        "registry_events",
        sa.Column("event", ID, autoincrement=True, nullable=False),
        sa.Column("registered", ID, nullable=False),
        sa.Column("name", word(256), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("kind", word(40), nullable=False),
        sa.Column("principal", word(256), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("subject", word(255), nullable=False),
        sa.Column("before", LONG_TEXT, nullable=True),
        sa.Column("after", LONG_TEXT, nullable=True),
        sa.Column("reason", LONG_TEXT, nullable=False),
        sa.PrimaryKeyConstraint("event", name="pk_registry_events"),
        **INNODB,
        sqlite_autoincrement=True,
    )
    op.create_index("ix_registry_events_registered", "registry_events", ["registered", "event"])
    op.create_index("ix_registry_events_name", "registry_events", ["name", "event"])


def _approvals() -> None:
    op.create_table(
        "registry_protections",
        sa.Column("registered", ID, nullable=False),
        sa.Column("kind", word(10), nullable=False),
        sa.Column("subject", word(255), nullable=False),
        sa.Column("principal", word(256), nullable=False),
        sa.Column("creation_time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("registered", "kind", "subject", name="pk_registry_protections"),
        **CLUSTERED,
    )
    op.create_table(
        "approval_requests",
        sa.Column("request", ID, autoincrement=True, nullable=False),
        sa.Column("registered", ID, nullable=False),
        sa.Column("action", word(40), nullable=False),
        sa.Column("subject", word(255), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("before", word(255), nullable=True),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("requester", word(256), nullable=False),
        sa.Column("creation_time", sa.BigInteger(), nullable=False),
        sa.Column("reason", LONG_TEXT, nullable=False),
        sa.Column("decider", word(256), nullable=False),
        sa.Column("decision_time", sa.BigInteger(), nullable=True),
        sa.Column("decision_reason", LONG_TEXT, nullable=False),
        sa.PrimaryKeyConstraint("request", name="pk_approval_requests"),
        **INNODB,
        sqlite_autoincrement=True,
    )
    op.create_index("ix_approval_requests_registered", "approval_requests", ["registered", "status", "request"])
    op.create_index("ix_approval_requests_status", "approval_requests", ["status", "request"])
    op.create_table(
        "approval_comments",
        sa.Column("comment", ID, autoincrement=True, nullable=False),
        sa.Column("request", ID, nullable=False),
        sa.Column("principal", word(256), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("text", LONG_TEXT, nullable=False),
        sa.PrimaryKeyConstraint("comment", name="pk_approval_comments"),
        **INNODB,
    )
    op.create_index("ix_approval_comments_request", "approval_comments", ["request", "comment"])


def _webhooks() -> None:
    op.create_table(
        "webhooks",
        sa.Column("webhook", ID, autoincrement=True, nullable=False),
        sa.Column("webhook_id", word(36), nullable=False),
        sa.Column("name", word(63), nullable=False),
        sa.Column("description", LONG_TEXT, nullable=False),
        sa.Column("url", LONG_TEXT, nullable=False),
        sa.Column("events", LONG_TEXT, nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("secret", LONG_TEXT, nullable=True),
        sa.Column("creation_time", sa.BigInteger(), nullable=False),
        sa.Column("last_update_time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("webhook", name="pk_webhooks"),
        sa.UniqueConstraint("webhook_id", name="uq_webhooks_webhook_id"),
        **INNODB,
    )
    op.create_table(
        "webhook_deliveries",
        sa.Column("delivery", ID, autoincrement=True, nullable=False),
        sa.Column("delivery_id", word(36), nullable=False),
        sa.Column("webhook", ID, nullable=False),
        sa.Column("payload", LONG_TEXT, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("delivery", name="pk_webhook_deliveries"),
        **INNODB,
        sqlite_autoincrement=True,
    )
    op.create_index("ix_webhook_deliveries_due_time", "webhook_deliveries", ["due_time"])
    op.create_index("ix_webhook_deliveries_webhook", "webhook_deliveries", ["webhook"])
