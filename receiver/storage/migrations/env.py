"""Alembic's entry: runs the steps on the connection that `migrate.py` hands over."""

from __future__ import annotations

from alembic import context

from receiver.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transaction_per_migration=True,
    render_as_batch=True,
)
context.run_migrations()
