"""Alembic history: one file per revision."""
