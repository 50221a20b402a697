"""Alembic's scripts: one file per schema in ``versions``. A published file never changes."""
