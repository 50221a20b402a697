"""The tables, one text for SQLite, PostgreSQL and MySQL/MariaDB.

Three ideas carry the layout. A run's params, tags and latest metrics are packed into two documents on its row, so
that a page of runs is one fetch; narrow tables with covering indexes (``latest_metrics``, ``run_texts``) only find
runs. Metric points are columns: ``ingest_log`` takes one row of packed records per run and commit, ``segments``
holds compressed blocks. ``entity_keys`` numbers the names per experiment, so an index on ``key_id`` is one on
(experiment, name).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    DDL,
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    event,
)
from sqlalchemy.dialects import mysql

__all__ = [
    "CLAIMED",
    "KIND_METRIC",
    "KIND_PARAM",
    "KIND_TAG",
    "MAX_DOUBLE",
    "TEXT_PREFIX",
    "metadata",
]

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)

KIND_METRIC, KIND_PARAM, KIND_TAG = 0, 1, 2
"""``entity_keys.kind``"""

STAGE_ACTIVE, STAGE_DELETED = 0, 1
"""``stage`` of experiments and runs"""

CLAIMED = 0
"""``runs.deleted_time`` of a run whose removal has begun: its files may be gone, so it cannot be restored."""

TEXT_PREFIX = 256
"""Characters of a param or tag value that stand in the index; the remainder is in ``run_texts.rest``."""

MAX_DOUBLE = 1.7976931348623157e308
"""Stands for infinity in ordered columns, because MySQL's DOUBLE refuses it; ``special`` tells the two apart."""

FINITE, NAN, POSITIVE_INFINITY, NEGATIVE_INFINITY = 0, 1, 2, 3
"""``latest_metrics.special``"""

# Row numbers: 64 bits everywhere; SQLite needs the word INTEGER to make the column its row id.
_Id = BigInteger().with_variant(Integer, "sqlite")
# Text compared byte by byte on all three databases, so that = and LIKE mean the same.
_Blob = LargeBinary().with_variant(mysql.LONGBLOB(), "mysql", "mariadb")
_LongText = (
    Text()
    .with_variant(Text(collation="C"), "postgresql")
    .with_variant(mysql.LONGTEXT(collation="utf8mb4_bin"), "mysql", "mariadb")
)


def _word(length: int) -> String:
    return (
        String(length)
        .with_variant(String(length, collation="C"), "postgresql")
        .with_variant(mysql.VARCHAR(length, collation="utf8mb4_bin"), "mysql", "mariadb")
    )


_TABLE: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mariadb_engine": "InnoDB",
    "mariadb_charset": "utf8mb4",
}
_CLUSTERED: dict[str, Any] = _TABLE | {"sqlite_with_rowid": False}

experiments = Table(
    "experiments",
    metadata,
    Column("experiment_id", _Id, primary_key=True, autoincrement=True),
    Column("name", _word(500), nullable=False, unique=True),
    Column("artifact_location", _LongText, nullable=False),
    Column("stage", SmallInteger, nullable=False),
    Column("creation_time", BigInteger, nullable=False),
    Column("last_update_time", BigInteger, nullable=False),
    Index("ix_experiments_list", "stage", "creation_time", "experiment_id"),
    **_TABLE,
    sqlite_autoincrement=True,  # an id is never used twice
)

experiment_tags = Table(
    "experiment_tags",
    metadata,
    Column("experiment_id", _Id, ForeignKey("experiments.experiment_id"), nullable=False),
    Column("key", _word(250), nullable=False),
    Column("value", _LongText, nullable=False),
    PrimaryKeyConstraint("experiment_id", "key"),
    **_CLUSTERED,
)

entity_keys = Table(
    "entity_keys",
    metadata,
    Column("key_id", _Id, primary_key=True, autoincrement=True),
    Column("experiment_id", _Id, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("name", _word(250), nullable=False),
    UniqueConstraint("experiment_id", "kind", "name"),
    # The same name in any experiment, for searches over many of them.
    Index("ix_entity_keys_name", "kind", "name", "experiment_id", "key_id"),
    **_TABLE,
)

runs = Table(
    "runs",
    metadata,
    Column("run", _Id, primary_key=True, autoincrement=True),
    Column("run_id", _word(256), nullable=False, unique=True),
    Column("experiment_id", _Id, ForeignKey("experiments.experiment_id"), nullable=False),
    Column("stage", SmallInteger, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("start_time", BigInteger, nullable=False),
    Column("end_time", BigInteger),
    Column("deleted_time", BigInteger),
    Column("name", _word(500), nullable=False),
    Column("user_id", _word(256), nullable=False),
    Column("artifact_uri", _LongText, nullable=False),
    # msgpack, see documents.py: params, tags, dataset inputs and model links, whole.
    Column("document", _Blob, nullable=False),
    # msgpack [[key, value, timestamp, step], ...]: follows the ingest log, see series.py.
    Column("latest", _Blob),
    # Records of the ingest log up to this id are in latest_metrics and ``latest``.
    Column("applied_id", BigInteger, nullable=False, server_default="0"),
    Index("ix_runs_deleted", "stage", "deleted_time"),
    **_TABLE,
)
# The default order of a listing, newest first, with its tie-break.
Index("ix_runs_list", runs.c.experiment_id, runs.c.stage, runs.c.start_time.desc(), runs.c.run_id)

latest_metrics = Table(
    "latest_metrics",
    metadata,
    Column("run", _Id, nullable=False),
    Column("key_id", _Id, nullable=False),
    # The greatest (step, timestamp, value); NULL for NaN, +-MAX_DOUBLE for infinities.
    Column("value", Double),
    Column("special", SmallInteger, nullable=False),
    Column("step", BigInteger, nullable=False),
    Column("timestamp", BigInteger, nullable=False),
    # Over the whole series, exact duplicates counted once. Values by the same rule as ``value``.
    Column("points", BigInteger, nullable=False),
    Column("nan_points", BigInteger, nullable=False),
    Column("first_value", Double),
    Column("first_step", BigInteger, nullable=False),
    Column("first_timestamp", BigInteger, nullable=False),
    Column("min_value", Double),
    Column("max_value", Double),
    Column("sum_value", Double),
    PrimaryKeyConstraint("run", "key_id"),
    Index("ix_latest_metrics_value", "key_id", "value", "run"),
    **_CLUSTERED,
)

run_texts = Table(
    "run_texts",
    metadata,
    Column("run", _Id, nullable=False),
    Column("key_id", _Id, nullable=False),
    Column("value", _word(TEXT_PREFIX), nullable=False),
    Column("rest", _LongText),
    # A param that reads as a finite number, so that ``params.lr < 0.01`` is one index range. NULL for tags.
    Column("number", Double),
    PrimaryKeyConstraint("run", "key_id"),
    Index("ix_run_texts_value", "key_id", "value", "run"),
    **_CLUSTERED,
)
Index(
    "ix_run_texts_number",
    run_texts.c.key_id,
    run_texts.c.number,
    run_texts.c.run,
    sqlite_where=run_texts.c.number.is_not(None),
    postgresql_where=run_texts.c.number.is_not(None),
)

datasets = Table(
    "datasets",
    metadata,
    Column("dataset", _Id, primary_key=True, autoincrement=True),
    Column("experiment_id", _Id, ForeignKey("experiments.experiment_id"), nullable=False),
    Column("name", _word(500), nullable=False),
    Column("digest", _word(36), nullable=False),
    Column("source_type", _LongText, nullable=False),
    Column("source", _LongText, nullable=False),
    Column("schema", _LongText),
    Column("profile", _LongText),
    UniqueConstraint("experiment_id", "name", "digest"),
    Index("ix_datasets_digest", "experiment_id", "digest"),
    **_TABLE,
)

dataset_inputs = Table(
    "dataset_inputs",
    metadata,
    Column("run", _Id, nullable=False),
    Column("dataset", _Id, ForeignKey("datasets.dataset"), nullable=False),
    # The input tag mlflow.data.context, for searches; "" when there is none.
    Column("context", _word(500), nullable=False),
    PrimaryKeyConstraint("run", "dataset"),
    Index("ix_dataset_inputs_dataset", "dataset", "run"),
    **_CLUSTERED,
)

model_links = Table(
    "model_links",
    metadata,
    Column("run", _Id, nullable=False),
    Column("direction", SmallInteger, nullable=False),  # 0 input, 1 output
    Column("model_id", _word(64), nullable=False),
    Column("step", BigInteger, nullable=False),
    PrimaryKeyConstraint("run", "direction", "model_id"),
    Index("ix_model_links_model", "model_id"),
    **_CLUSTERED,
)

access_tokens = Table(
    "access_tokens",
    metadata,
    Column("digest", _word(64), primary_key=True),  # SHA-256 of the token, hexadecimal; the token itself is not kept
    Column("principal", _word(256), nullable=False),
    Column("creation_time", BigInteger, nullable=False),
    **_CLUSTERED,
)

ingest_log = Table(
    "ingest_log",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("run", _Id, nullable=False),
    Column("points", Integer, nullable=False),
    Column("records", _Blob, nullable=False),  # see segments.py
    Index("ix_ingest_log_run", "run", "id", "points"),
    **_TABLE,
    sqlite_autoincrement=True,  # ``applied_id`` relies on ids that only grow
)

dirty_runs = Table(
    "dirty_runs",
    metadata,
    Column("run", _Id, primary_key=True, autoincrement=False),
    **_TABLE,
)

segments = Table(
    "segments",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("run", _Id, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("first_key", _Id, nullable=False),
    Column("last_key", _Id, nullable=False),
    Column("first_step", BigInteger, nullable=False),
    Column("last_step", BigInteger, nullable=False),
    Column("points", Integer, nullable=False),
    Column("sealed", SmallInteger, nullable=False),
    # Which rewinds of the run came before these points, and which one hid them; 0 is none, see rewinds below.
    Column("epoch", Integer, nullable=False, server_default="0"),
    Column("hidden_epoch", Integer, nullable=False, server_default="0"),
    # Before ``data``: reading it must not touch the pages of the points.
    Column("summary", _Blob),
    Column("data", _Blob, nullable=False),
    Index("ix_segments_find", "run", "first_key", "last_key", "first_step", "points"),
    **_TABLE,
    sqlite_autoincrement=True,  # compaction knows what it has read by its id
)

# PostgreSQL: blocks are compressed already; and what compaction removes must be free again soon, or the tables and
# their indexes grow to ten times what they hold.
_VACUUM = ", ".join(
    f"{prefix}autovacuum_{option}"
    for prefix in ("", "toast.")
    for option in ("vacuum_scale_factor = 0.01", "vacuum_threshold = 500", "vacuum_cost_delay = 0")
)
POINTS_ON_POSTGRESQL = (
    "ALTER TABLE segments ALTER COLUMN data SET STORAGE EXTERNAL, ALTER COLUMN summary SET STORAGE EXTERNAL",
    "ALTER TABLE ingest_log ALTER COLUMN records SET STORAGE EXTERNAL",
    f"ALTER TABLE segments SET ({_VACUUM})",
    f"ALTER TABLE ingest_log SET ({_VACUUM})",
)
for _statement in POINTS_ON_POSTGRESQL:
    _change = DDL(_statement)  # type: ignore[no-untyped-call]  # SQLAlchemy's
    event.listen(metadata, "after_create", _change.execute_if(dialect="postgresql"))

rewinds = Table(
    "rewinds",
    metadata,
    Column("run", _Id, nullable=False),
    # 1 for the first rewind of a run, then 2, ...: points logged after it belong to this epoch.
    Column("epoch", Integer, nullable=False),
    # Points of earlier epochs with a greater step are hidden, unless the rewind was undone.
    Column("step", BigInteger, nullable=False),
    Column("principal", _word(256), nullable=False),
    Column("creation_time", BigInteger, nullable=False),
    Column("undone_time", BigInteger),
    PrimaryKeyConstraint("run", "epoch"),
    **_CLUSTERED,
)

run_forks = Table(
    "run_forks",
    metadata,
    Column("run", _Id, nullable=False),
    # A run whose points up to ``step``, as they stood in ``parent_epoch``, belong to this one's series: the one it was
    # forked from, and those that that one was.
    Column("parent", _Id, nullable=False),
    Column("parent_epoch", Integer, nullable=False),
    Column("step", BigInteger, nullable=False),
    # As in ``segments``, of this run: a rewind behind ``step`` puts a row with its own step in the place of this one.
    Column("epoch", Integer, nullable=False),
    Column("hidden_epoch", Integer, nullable=False),
    PrimaryKeyConstraint("run", "parent", "epoch"),
    Index("ix_run_forks_parent", "parent"),
    **_CLUSTERED,
)

ingest_clients = Table(
    "ingest_clients",
    metadata,
    Column("client_id", _word(64), primary_key=True),
    # The last batch of this client that is stored: one with this number or a lower one is not applied again.
    Column("sequence", BigInteger, nullable=False),
    Column("update_time", BigInteger, nullable=False),
    Index("ix_ingest_clients_update_time", "update_time"),
    **_CLUSTERED,
)

MODEL_PENDING, MODEL_READY, MODEL_FAILED = 1, 2, 3
"""``logged_models.status``; the numbers are those of the wire."""

logged_models = Table(
    "logged_models",
    metadata,
    Column("model", _Id, primary_key=True, autoincrement=True),
    Column("model_id", _word(64), nullable=False, unique=True),
    Column("experiment_id", _Id, ForeignKey("experiments.experiment_id"), nullable=False),
    Column("stage", SmallInteger, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("creation_time", BigInteger, nullable=False),
    Column("last_update_time", BigInteger, nullable=False),
    Column("deleted_time", BigInteger),
    Column("name", _word(500), nullable=False),
    Column("model_type", _word(500), nullable=False),
    # The run that made the model, "" when none did. It may be gone already.
    Column("source_run_id", _word(256), nullable=False),
    Column("artifact_uri", _LongText, nullable=False),
    # Of the manifest of the files that were logged; once it is there it never changes.
    Column("digest", _word(71)),
    Index("ix_logged_models_name", "experiment_id", "name"),
    Index("ix_logged_models_source_run_id", "source_run_id"),
    Index("ix_logged_models_deleted", "stage", "deleted_time"),
    **_TABLE,
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
    Column("model", _Id, nullable=False),
    Column("key", _word(250), nullable=False),
    Column("value", _LongText, nullable=False),
    PrimaryKeyConstraint("model", "key"),
    **_CLUSTERED,
)

logged_model_tags = Table(
    "logged_model_tags",
    metadata,
    Column("model", _Id, nullable=False),
    Column("key", _word(250), nullable=False),
    Column("value", _LongText, nullable=False),
    PrimaryKeyConstraint("model", "key"),
    **_CLUSTERED,
)

logged_model_metrics = Table(
    "logged_model_metrics",
    metadata,
    Column("model", _Id, nullable=False),
    # A digest of everything else in the row, so that the same point is kept once.
    Column("identity", _word(32), nullable=False),
    Column("key", _word(250), nullable=False),
    Column("timestamp", BigInteger, nullable=False),
    Column("step", BigInteger, nullable=False),
    # As in ``latest_metrics``.
    Column("value", Double),
    Column("special", SmallInteger, nullable=False),
    # The run that measured it; "" and "" for a dataset that was not named.
    Column("run_id", _word(256), nullable=False),
    Column("dataset_name", _word(500), nullable=False),
    Column("dataset_digest", _word(36), nullable=False),
    PrimaryKeyConstraint("model", "identity"),
    Index("ix_logged_model_metrics_latest", "model", "key", "timestamp", "step"),
    **_CLUSTERED,
)

NO_STAGE, STAGING, PRODUCTION, ARCHIVED = 0, 1, 2, 3
"""``model_versions.model_stage``"""

registered_models = Table(
    "registered_models",
    metadata,
    Column("registered", _Id, primary_key=True, autoincrement=True),
    Column("name", _word(256), nullable=False, unique=True),
    Column("creation_time", BigInteger, nullable=False),
    Column("last_update_time", BigInteger, nullable=False),
    Column("description", _LongText),
    # The highest number that a version ever had: numbers are not used twice.
    Column("last_version", Integer, nullable=False),
    Index("ix_registered_models_last_update_time", "last_update_time", "name"),
    **_TABLE,
    sqlite_autoincrement=True,  # events name models that are gone
)

registered_model_tags = Table(
    "registered_model_tags",
    metadata,
    Column("registered", _Id, nullable=False),
    Column("key", _word(250), nullable=False),
    Column("value", _LongText, nullable=False),
    PrimaryKeyConstraint("registered", "key"),
    **_CLUSTERED,
)

registered_model_aliases = Table(
    "registered_model_aliases",
    metadata,
    Column("registered", _Id, nullable=False),
    Column("alias", _word(255), nullable=False),
    Column("version", Integer, nullable=False),
    PrimaryKeyConstraint("registered", "alias"),
    **_CLUSTERED,
)

model_versions = Table(
    "model_versions",
    metadata,
    Column("registered", _Id, ForeignKey("registered_models.registered"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("model_stage", SmallInteger, nullable=False),
    Column("creation_time", BigInteger, nullable=False),
    Column("last_update_time", BigInteger, nullable=False),
    Column("description", _LongText),
    Column("user_id", _word(256), nullable=False),
    Column("source", _LongText, nullable=False),
    # Where the files are: what ``source`` stood for when the version was made.
    Column("location", _LongText, nullable=False),
    Column("run_id", _word(256), nullable=False),
    Column("run_link", _LongText, nullable=False),
    # The logged model that the version is, "" for none.
    Column("model_id", _word(64), nullable=False),
    PrimaryKeyConstraint("registered", "version"),
    Index("ix_model_versions_last_update_time", "last_update_time"),
    Index("ix_model_versions_run_id", "run_id"),
    Index("ix_model_versions_model_id", "model_id"),
    **_CLUSTERED,
)

model_version_tags = Table(
    "model_version_tags",
    metadata,
    Column("registered", _Id, nullable=False),
    Column("version", Integer, nullable=False),
    Column("key", _word(250), nullable=False),
    Column("value", _LongText, nullable=False),
    PrimaryKeyConstraint("registered", "version", "key"),
    **_CLUSTERED,
)

registry_events = Table(
    "registry_events",
    metadata,
    Column("event", _Id, primary_key=True, autoincrement=True),
    Column("registered", _Id, nullable=False),
    # The name that the model had then.
    Column("name", _word(256), nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("kind", _word(40), nullable=False),
    Column("principal", _word(256), nullable=False),
    Column("version", Integer),
    # An alias, a stage or the key of a tag.
    Column("subject", _word(255), nullable=False),
    # What it was and what it became: a version, a stage, a name, a text; NULL for nothing.
    Column("before", _LongText),
    Column("after", _LongText),
    Column("reason", _LongText, nullable=False),
    Index("ix_registry_events_registered", "registered", "event"),
    Index("ix_registry_events_name", "name", "event"),
    **_TABLE,
    sqlite_autoincrement=True,  # the order of events is that of their numbers
)

registry_protections = Table(
    "registry_protections",
    metadata,
    Column("registered", _Id, nullable=False),
    Column("kind", _word(10), nullable=False),  # alias or stage
    Column("subject", _word(255), nullable=False),
    Column("principal", _word(256), nullable=False),
    Column("creation_time", BigInteger, nullable=False),
    PrimaryKeyConstraint("registered", "kind", "subject"),
    **_CLUSTERED,
)

REQUEST_OPEN, REQUEST_APPROVED, REQUEST_REJECTED = 0, 1, 2
"""``approval_requests.status``"""

approval_requests = Table(
    "approval_requests",
    metadata,
    Column("request", _Id, primary_key=True, autoincrement=True),
    Column("registered", _Id, nullable=False),
    Column("action", _word(40), nullable=False),
    Column("subject", _word(255), nullable=False),
    Column("version", Integer),
    Column("before", _word(255)),
    Column("status", SmallInteger, nullable=False),
    Column("requester", _word(256), nullable=False),
    Column("creation_time", BigInteger, nullable=False),
    Column("reason", _LongText, nullable=False),
    Column("decider", _word(256), nullable=False),
    Column("decision_time", BigInteger),
    Column("decision_reason", _LongText, nullable=False),
    Index("ix_approval_requests_registered", "registered", "status", "request"),
    Index("ix_approval_requests_status", "status", "request"),
    **_TABLE,
    sqlite_autoincrement=True,  # an id is never used twice
)

approval_comments = Table(
    "approval_comments",
    metadata,
    Column("comment", _Id, primary_key=True, autoincrement=True),
    Column("request", _Id, nullable=False),
    Column("principal", _word(256), nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("text", _LongText, nullable=False),
    Index("ix_approval_comments_request", "request", "comment"),
    **_TABLE,
)
