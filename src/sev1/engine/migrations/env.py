"""Alembic's entry point: the connection comes from `run.upgrade`."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], target_metadata=None)
context.run_migrations()
