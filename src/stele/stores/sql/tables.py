"""The tables, one text for SQLite, PostgreSQL and MySQL/MariaDB.

Three ideas carry the layout. A run's params, tags and latest metrics are packed into two documents on its row, so
that a page of runs is one fetch; narrow tables with covering indexes (``latest_metrics``, ``run_texts``) only find
runs. Metric points are columns: ``ingest_log`` takes one row of packed records per run and commit, ``segments``
holds compressed blocks. ``entity_keys`` numbers the names per experiment, so an index on ``key_id`` is one on
(experiment, name).
"""

from __future__ import annotations

from sqlalchemy import (
    DDL,
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    UniqueConstraint,
    event,
    literal_column,
)

from stele.stores.sql import model_tables  # noqa: F401 - its tables belong to the same metadata
from stele.stores.sql.change_stamps import next_stamp
from stele.stores.sql.table_types import BLOB, CLUSTERED, ID, LONG_TEXT, TABLE, metadata, word

__all__ = [
    "CLAIMED",
    "KIND_METRIC",
    "KIND_PARAM",
    "KIND_TAG",
    "MAX_DOUBLE",
    "TEXT_PREFIX",
    "metadata",
]

KIND_METRIC, KIND_PARAM, KIND_TAG = 0, 1, 2
"""``entity_keys.kind``"""

STAGE_ACTIVE, STAGE_DELETED = 0, 1
"""``stage`` of experiments and runs"""

CLAIMED = 0
"""``runs.deleted_time`` of a run whose removal has begun, and ``experiments.last_update_time`` of such an experiment:
files or rows may be gone, so it cannot be restored."""

TEXT_PREFIX = 256
"""Characters of a param or tag value that stand in the index; the remainder is in ``run_texts.rest``."""

MAX_DOUBLE = 1.7976931348623157e308
"""Stands for infinity in ordered columns, because MySQL's DOUBLE refuses it; ``special`` tells the two apart."""

FINITE, NAN, POSITIVE_INFINITY, NEGATIVE_INFINITY = 0, 1, 2, 3
"""``latest_metrics.special``"""

experiments = Table(
    "experiments",
    metadata,
    Column("experiment_id", ID, primary_key=True, autoincrement=True),
    Column("name", word(500), nullable=False, unique=True),
    Column("artifact_location", LONG_TEXT, nullable=False),
    Column("stage", SmallInteger, nullable=False),
    Column("creation_time", BigInteger, nullable=False),
    Column("last_update_time", BigInteger, nullable=False),
    Index("ix_experiments_list", "stage", "creation_time", "experiment_id"),
    **TABLE,
    sqlite_autoincrement=True,  # an id is never used twice
)

experiment_tags = Table(
    "experiment_tags",
    metadata,
    Column("experiment_id", ID, ForeignKey("experiments.experiment_id"), nullable=False),
    Column("key", word(250), nullable=False),
    Column("value", LONG_TEXT, nullable=False),
    PrimaryKeyConstraint("experiment_id", "key"),
    **CLUSTERED,
)

entity_keys = Table(
    "entity_keys",
    metadata,
    Column("key_id", ID, primary_key=True, autoincrement=True),
    Column("experiment_id", ID, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("name", word(250), nullable=False),
    UniqueConstraint("experiment_id", "kind", "name"),
    # The same name in any experiment, for searches over many of them.
    Index("ix_entity_keys_name", "kind", "name", "experiment_id", "key_id"),
    **TABLE,
    sqlite_autoincrement=True,  # every process remembers numbers, so none is used twice
)

runs = Table(
    "runs",
    metadata,
    Column("run", ID, primary_key=True, autoincrement=True),
    Column("run_id", word(256), nullable=False, unique=True),
    Column("experiment_id", ID, ForeignKey("experiments.experiment_id"), nullable=False),
    Column("stage", SmallInteger, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("start_time", BigInteger, nullable=False),
    Column("end_time", BigInteger),
    Column("deleted_time", BigInteger),
    Column("name", word(500), nullable=False),
    Column("user_id", word(256), nullable=False),
    Column("artifact_uri", LONG_TEXT, nullable=False),
    # msgpack, see documents.py: params, tags, dataset inputs and model links, whole.
    Column("document", BLOB, nullable=False),
    # msgpack [[key, value, timestamp, step], ...]: follows the ingest log, see series.py.
    Column("latest", BLOB),
    # Records of the ingest log up to this id are in latest_metrics and ``latest``.
    Column("applied_id", BigInteger, nullable=False, server_default="0"),
    # Grows with every change of the row; no statement needs to name it, see change_stamps.py.
    Column(
        "change_stamp",
        BigInteger,
        nullable=False,
        server_default="0",
        default=next_stamp(),
        onupdate=next_stamp(literal_column("change_stamp")),
    ),
    # The same for everything but metrics: what writes these alone names it, and leaves it as it is.
    Column(
        "record_stamp",
        BigInteger,
        nullable=False,
        server_default="0",
        default=next_stamp(),
        onupdate=next_stamp(literal_column("record_stamp")),
    ),
    Index("ix_runs_deleted", "stage", "deleted_time"),
    # What has changed lately in an experiment.
    Index("ix_runs_change_stamp", "experiment_id", "change_stamp"),
    Index("ix_runs_record_stamp", "experiment_id", "record_stamp"),
    **TABLE,
)
# The default order of a listing, newest first, with its tie-break; and what a table of all runs is made of.
Index(
    "ix_runs_list",
    runs.c.experiment_id,
    runs.c.stage,
    runs.c.start_time.desc(),
    runs.c.run_id,
    runs.c.status,
    runs.c.end_time,
)

latest_metrics = Table(
    "latest_metrics",
    metadata,
    Column("run", ID, nullable=False),
    Column("key_id", ID, nullable=False),
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
    **CLUSTERED,
)

run_texts = Table(
    "run_texts",
    metadata,
    Column("run", ID, nullable=False),
    Column("key_id", ID, nullable=False),
    Column("value", word(TEXT_PREFIX), nullable=False),
    Column("rest", LONG_TEXT),
    # A param that reads as a finite number, so that ``params.lr < 0.01`` is one index range. NULL for tags.
    Column("number", Double),
    PrimaryKeyConstraint("run", "key_id"),
    Index("ix_run_texts_value", "key_id", "value", "run"),
    **CLUSTERED,
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
    Column("dataset", ID, primary_key=True, autoincrement=True),
    Column("experiment_id", ID, ForeignKey("experiments.experiment_id"), nullable=False),
    Column("name", word(500), nullable=False),
    Column("digest", word(36), nullable=False),
    Column("source_type", LONG_TEXT, nullable=False),
    Column("source", LONG_TEXT, nullable=False),
    Column("schema", LONG_TEXT),
    Column("profile", LONG_TEXT),
    UniqueConstraint("experiment_id", "name", "digest"),
    Index("ix_datasets_digest", "experiment_id", "digest"),
    **TABLE,
)

dataset_inputs = Table(
    "dataset_inputs",
    metadata,
    Column("run", ID, nullable=False),
    Column("dataset", ID, ForeignKey("datasets.dataset"), nullable=False),
    # The input tag mlflow.data.context, for searches; "" when there is none.
    Column("context", word(500), nullable=False),
    PrimaryKeyConstraint("run", "dataset"),
    Index("ix_dataset_inputs_dataset", "dataset", "run"),
    **CLUSTERED,
)

model_links = Table(
    "model_links",
    metadata,
    Column("run", ID, nullable=False),
    Column("direction", SmallInteger, nullable=False),  # 0 input, 1 output
    Column("model_id", word(64), nullable=False),
    Column("step", BigInteger, nullable=False),
    PrimaryKeyConstraint("run", "direction", "model_id"),
    Index("ix_model_links_model", "model_id"),
    **CLUSTERED,
)

views = Table(
    "views",
    metadata,
    Column("view_id", word(32), primary_key=True),
    Column("experiment_id", ID, ForeignKey("experiments.experiment_id"), nullable=False),
    Column("name", word(250), nullable=False),
    # JSON of the page: columns, filters, order, groups, charts. Nobody else reads it.
    Column("state", LONG_TEXT, nullable=False),
    Column("principal", word(256), nullable=False),
    Column("creation_time", BigInteger, nullable=False),
    Column("last_update_time", BigInteger, nullable=False),
    UniqueConstraint("experiment_id", "name"),
    **CLUSTERED,
)

access_tokens = Table(
    "access_tokens",
    metadata,
    Column("digest", word(64), primary_key=True),  # SHA-256 of the token, hexadecimal; the token itself is not kept
    Column("principal", word(256), nullable=False),
    Column("creation_time", BigInteger, nullable=False),
    **CLUSTERED,
)

ingest_log = Table(
    "ingest_log",
    metadata,
    Column("id", ID, primary_key=True, autoincrement=True),
    Column("run", ID, nullable=False),
    Column("points", Integer, nullable=False),
    Column("records", BLOB, nullable=False),  # see segments.py
    Index("ix_ingest_log_run", "run", "id", "points"),
    **TABLE,
    sqlite_autoincrement=True,  # ``applied_id`` relies on ids that only grow
)

dirty_runs = Table(
    "dirty_runs",
    metadata,
    Column("run", ID, primary_key=True, autoincrement=False),
    **TABLE,
)

segments = Table(
    "segments",
    metadata,
    Column("id", ID, primary_key=True, autoincrement=True),
    Column("run", ID, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("first_key", ID, nullable=False),
    Column("last_key", ID, nullable=False),
    Column("first_step", BigInteger, nullable=False),
    Column("last_step", BigInteger, nullable=False),
    Column("points", Integer, nullable=False),
    Column("sealed", SmallInteger, nullable=False),
    # Which rewinds of the run came before these points, and which one hid them; 0 is none, see rewinds below.
    Column("epoch", Integer, nullable=False, server_default="0"),
    Column("hidden_epoch", Integer, nullable=False, server_default="0"),
    # Before ``data``: reading it must not touch the pages of the points.
    Column("summary", BLOB),
    Column("data", BLOB, nullable=False),
    Index("ix_segments_find", "run", "first_key", "last_key", "first_step", "points"),
    **TABLE,
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
    Column("run", ID, nullable=False),
    # 1 for the first rewind of a run, then 2, ...: points logged after it belong to this epoch.
    Column("epoch", Integer, nullable=False),
    # Points of earlier epochs with a greater step are hidden, unless the rewind was undone.
    Column("step", BigInteger, nullable=False),
    Column("principal", word(256), nullable=False),
    Column("creation_time", BigInteger, nullable=False),
    Column("undone_time", BigInteger),
    PrimaryKeyConstraint("run", "epoch"),
    **CLUSTERED,
)

run_forks = Table(
    "run_forks",
    metadata,
    Column("run", ID, nullable=False),
    # A run whose points up to ``step``, as they stood in ``parent_epoch``, belong to this one's series: the one it was
    # forked from, and those that that one was.
    Column("parent", ID, nullable=False),
    Column("parent_epoch", Integer, nullable=False),
    Column("step", BigInteger, nullable=False),
    # As in ``segments``, of this run: a rewind behind ``step`` puts a row with its own step in the place of this one.
    Column("epoch", Integer, nullable=False),
    Column("hidden_epoch", Integer, nullable=False),
    PrimaryKeyConstraint("run", "parent", "epoch"),
    Index("ix_run_forks_parent", "parent"),
    **CLUSTERED,
)

ingest_clients = Table(
    "ingest_clients",
    metadata,
    Column("client_id", word(64), primary_key=True),
    # The last batch of this client that is stored: one with this number or a lower one is not applied again.
    Column("sequence", BigInteger, nullable=False),
    Column("update_time", BigInteger, nullable=False),
    Index("ix_ingest_clients_update_time", "update_time"),
    **CLUSTERED,
)
