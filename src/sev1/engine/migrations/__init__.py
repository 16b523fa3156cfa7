"""The schema, step by step. Each step must work while the previous release still runs: expand, deploy, contract."""

HEAD = "0032"
"""The newest revision. A test compares it with the scripts; the start skips Alembic when the database is there."""
