"""The tables of logged models, the registry and webhooks; see :mod:`~stele.stores.sql.tables` for the others."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
)

from stele.stores.sql.table_types import CLUSTERED, ID, LONG_TEXT, TABLE, metadata, word

__all__ = [
    "ARCHIVED",
    "MODEL_FAILED",
    "MODEL_PENDING",
    "MODEL_READY",
    "NO_STAGE",
    "PRODUCTION",
    "REQUEST_APPROVED",
    "REQUEST_OPEN",
    "REQUEST_REJECTED",
    "REQUEST_WITHDRAWN",
    "STAGING",
    "WEBHOOK_ACTIVE",
    "WEBHOOK_DISABLED",
    "approval_comments",
    "approval_requests",
    "logged_model_metrics",
    "logged_model_params",
    "logged_model_tags",
    "logged_models",
    "model_version_tags",
    "model_versions",
    "registered_model_aliases",
    "registered_model_tags",
    "registered_models",
    "registry_events",
    "registry_protections",
    "webhook_deliveries",
    "webhooks",
]

MODEL_PENDING, MODEL_READY, MODEL_FAILED = 1, 2, 3
"""``logged_models.status``; the numbers are those of the wire."""

logged_models = Table(
    "logged_models",
    metadata,
    Column("model", ID, primary_key=True, autoincrement=True),
    Column("model_id", word(64), nullable=False, unique=True),
    Column("experiment_id", ID, ForeignKey("experiments.experiment_id"), nullable=False),
    Column("stage", SmallInteger, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("creation_time", BigInteger, nullable=False),
    Column("last_update_time", BigInteger, nullable=False),
    Column("deleted_time", BigInteger),
    Column("name", word(500), nullable=False),
    Column("model_type", word(500), nullable=False),
    # The run that made the model, "" when none did. It may be gone already.
    Column("source_run_id", word(256), nullable=False),
    Column("artifact_uri", LONG_TEXT, nullable=False),
    # Of the manifest of the files that were logged; once it is there it never changes.
    Column("digest", word(71)),
    Index("ix_logged_models_name", "experiment_id", "name"),
    Index("ix_logged_models_source_run_id", "source_run_id"),
    Index("ix_logged_models_deleted", "stage", "deleted_time"),
    **TABLE,
)
Index(
    "ix_logged_models_list",
    logged_models.c.experiment_id,
    logged_models.c.stage,
    logged_models.c.creation_time.desc(),
    logged_models.c.model_id,
)

logged_model_params = Table(
    "logged_model_params",
    metadata,
    Column("model", ID, nullable=False),
    Column("key", word(250), nullable=False),
    Column("value", LONG_TEXT, nullable=False),
    # A param that reads as a finite number, as in ``run_texts``.
    Column("number", Double),
    PrimaryKeyConstraint("model", "key"),
    **CLUSTERED,
)

logged_model_tags = Table(
    "logged_model_tags",
    metadata,
    Column("model", ID, nullable=False),
    Column("key", word(250), nullable=False),
    Column("value", LONG_TEXT, nullable=False),
    PrimaryKeyConstraint("model", "key"),
    **CLUSTERED,
)

logged_model_metrics = Table(
    "logged_model_metrics",
    metadata,
    Column("model", ID, nullable=False),
    # A digest of everything else in the row, so that the same point is kept once.
    Column("identity", word(32), nullable=False),
    Column("key", word(250), nullable=False),
    Column("timestamp", BigInteger, nullable=False),
    Column("step", BigInteger, nullable=False),
    # As in ``latest_metrics``.
    Column("value", Double),
    Column("special", SmallInteger, nullable=False),
    # The run that measured it; "" and "" for a dataset that was not named.
    Column("run_id", word(256), nullable=False),
    Column("dataset_name", word(500), nullable=False),
    Column("dataset_digest", word(36), nullable=False),
    PrimaryKeyConstraint("model", "identity"),
    Index("ix_logged_model_metrics_latest", "model", "key", "timestamp", "step"),
    **CLUSTERED,
)

NO_STAGE, STAGING, PRODUCTION, ARCHIVED = 0, 1, 2, 3
"""``model_versions.model_stage``"""

registered_models = Table(
    "registered_models",
    metadata,
    Column("registered", ID, primary_key=True, autoincrement=True),
    Column("name", word(256), nullable=False, unique=True),
    Column("creation_time", BigInteger, nullable=False),
    Column("last_update_time", BigInteger, nullable=False),
    Column("description", LONG_TEXT),
    # The highest number that a version ever had: numbers are not used twice.
    Column("last_version", Integer, nullable=False),
    Index("ix_registered_models_last_update_time", "last_update_time", "name"),
    **TABLE,
    sqlite_autoincrement=True,  # events name models that are gone
)

registered_model_tags = Table(
    "registered_model_tags",
    metadata,
    Column("registered", ID, nullable=False),
    Column("key", word(250), nullable=False),
    Column("value", LONG_TEXT, nullable=False),
    PrimaryKeyConstraint("registered", "key"),
    **CLUSTERED,
)

registered_model_aliases = Table(
    "registered_model_aliases",
    metadata,
    Column("registered", ID, nullable=False),
    Column("alias", word(255), nullable=False),
    Column("version", Integer, nullable=False),
    PrimaryKeyConstraint("registered", "alias"),
    **CLUSTERED,
)

model_versions = Table(
    "model_versions",
    metadata,
    Column("registered", ID, ForeignKey("registered_models.registered"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("model_stage", SmallInteger, nullable=False),
    Column("creation_time", BigInteger, nullable=False),
    Column("last_update_time", BigInteger, nullable=False),
    Column("description", LONG_TEXT),
    Column("user_id", word(256), nullable=False),
    Column("source", LONG_TEXT, nullable=False),
    # Where the files are: what ``source`` stood for when the version was made.
    Column("location", LONG_TEXT, nullable=False),
    Column("run_id", word(256), nullable=False),
    Column("run_link", LONG_TEXT, nullable=False),
    # The logged model that the version is, "" for none.
    Column("model_id", word(64), nullable=False),
    PrimaryKeyConstraint("registered", "version"),
    Index("ix_model_versions_last_update_time", "last_update_time"),
    Index("ix_model_versions_run_id", "run_id"),
    Index("ix_model_versions_model_id", "model_id"),
    **CLUSTERED,
)

model_version_tags = Table(
    "model_version_tags",
    metadata,
    Column("registered", ID, nullable=False),
    Column("version", Integer, nullable=False),
    Column("key", word(250), nullable=False),
    Column("value", LONG_TEXT, nullable=False),
    PrimaryKeyConstraint("registered", "version", "key"),
    **CLUSTERED,
)

registry_events = Table(
    "registry_events",
    metadata,
    Column("event", ID, primary_key=True, autoincrement=True),
    Column("registered", ID, nullable=False),
    # The name that the model had then.
    Column("name", word(256), nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("kind", word(40), nullable=False),
    Column("principal", word(256), nullable=False),
    Column("version", Integer),
    # An alias, a stage or the key of a tag.
    Column("subject", word(255), nullable=False),
    # What it was and what it became: a version, a stage, a name, a text; NULL for nothing.
    Column("before", LONG_TEXT),
    Column("after", LONG_TEXT),
    Column("reason", LONG_TEXT, nullable=False),
    Index("ix_registry_events_registered", "registered", "event"),
    Index("ix_registry_events_name", "name", "event"),
    **TABLE,
    sqlite_autoincrement=True,  # the order of events is that of their numbers
)

registry_protections = Table(
    "registry_protections",
    metadata,
    Column("registered", ID, nullable=False),
    Column("kind", word(10), nullable=False),  # alias or stage
    Column("subject", word(255), nullable=False),
    Column("principal", word(256), nullable=False),
    Column("creation_time", BigInteger, nullable=False),
    PrimaryKeyConstraint("registered", "kind", "subject"),
    **CLUSTERED,
)

REQUEST_OPEN, REQUEST_APPROVED, REQUEST_REJECTED, REQUEST_WITHDRAWN = 0, 1, 2, 3
"""``approval_requests.status``"""

approval_requests = Table(
    "approval_requests",
    metadata,
    Column("request", ID, primary_key=True, autoincrement=True),
    Column("registered", ID, nullable=False),
    Column("action", word(40), nullable=False),
    Column("subject", word(255), nullable=False),
    Column("version", Integer),
    Column("before", word(255)),
    Column("status", SmallInteger, nullable=False),
    Column("requester", word(256), nullable=False),
    Column("creation_time", BigInteger, nullable=False),
    Column("reason", LONG_TEXT, nullable=False),
    Column("decider", word(256), nullable=False),
    Column("decision_time", BigInteger),
    Column("decision_reason", LONG_TEXT, nullable=False),
    Index("ix_approval_requests_registered", "registered", "status", "request"),
    Index("ix_approval_requests_status", "status", "request"),
    **TABLE,
    sqlite_autoincrement=True,  # an id is never used twice
)

approval_comments = Table(
    "approval_comments",
    metadata,
    Column("comment", ID, primary_key=True, autoincrement=True),
    Column("request", ID, nullable=False),
    Column("principal", word(256), nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("text", LONG_TEXT, nullable=False),
    Index("ix_approval_comments_request", "request", "comment"),
    **TABLE,
)

WEBHOOK_ACTIVE, WEBHOOK_DISABLED = 1, 2
"""``webhooks.status``; the numbers are those of the wire."""

webhooks = Table(
    "webhooks",
    metadata,
    Column("webhook", ID, primary_key=True, autoincrement=True),
    Column("webhook_id", word(36), nullable=False, unique=True),
    Column("name", word(63), nullable=False),
    Column("description", LONG_TEXT, nullable=False),
    Column("url", LONG_TEXT, nullable=False),
    # Their names, with blanks between.
    Column("events", LONG_TEXT, nullable=False),
    Column("status", SmallInteger, nullable=False),
    # What deliveries are signed with, see docs/decisions/0011-secrets-of-webhooks.md.
    Column("secret", LONG_TEXT),
    Column("creation_time", BigInteger, nullable=False),
    Column("last_update_time", BigInteger, nullable=False),
    **TABLE,
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("delivery", ID, primary_key=True, autoincrement=True),
    Column("delivery_id", word(36), nullable=False),
    Column("webhook", ID, nullable=False),
    Column("payload", LONG_TEXT, nullable=False),
    Column("attempts", Integer, nullable=False),
    # When it is tried next, milliseconds since 1970; whoever tries it puts this off first.
    Column("due_time", BigInteger, nullable=False),
    Index("ix_webhook_deliveries_due_time", "due_time"),
    Index("ix_webhook_deliveries_webhook", "webhook"),
    **TABLE,
    sqlite_autoincrement=True,
)
