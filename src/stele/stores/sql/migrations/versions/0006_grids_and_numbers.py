"""Rows of the ingest log that are grids, and numbers of names that SQLite does not use again.

Grids change no table, but programs that know records alone would misread them, and this version keeps those away.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Write the names of SQLite anew, since a table begins to count on only when it is made."""
    if op.get_bind().dialect.name != "sqlite":
        return
    op.drop_index("ix_entity_keys_name", "entity_keys")
    op.rename_table("entity_keys", "old_entity_keys")
    op.create_table(
        "entity_keys",
        sa.Column("key_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("name", sa.String(250), nullable=False),
        sa.PrimaryKeyConstraint("key_id", name="pk_entity_keys"),
        sa.UniqueConstraint("experiment_id", "kind", "name", name="uq_entity_keys_experiment_id"),
        sqlite_autoincrement=True,
    )
    op.execute("INSERT INTO entity_keys SELECT key_id, experiment_id, kind, name FROM old_entity_keys")
    op.drop_table("old_entity_keys")
    op.create_index("ix_entity_keys_name", "entity_keys", ["kind", "name", "experiment_id", "key_id"])
