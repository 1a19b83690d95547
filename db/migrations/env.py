"""What Alembic runs for each command. The connection comes from the caller, who owns the transaction too."""

from __future__ import annotations

from alembic import context

from db.migrations.frozen import frozen_type
from db.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_item=frozen_type,
    render_as_batch=True,  # SQLite alters a table by copying it; PostgreSQL alters it in place all the same
)
context.run_migrations()
