"""What Alembic runs: the migrations, on the connection and in the transaction of the caller."""

from alembic import context

from stele.stores.sql.schema_version import VERSION_TABLE
from stele.stores.sql.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    render_as_batch=False,
)
with context.begin_transaction():
    context.run_migrations()
