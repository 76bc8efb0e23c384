"""Alembic's environment: runs revisions on the connection that `Database` provides."""

from alembic import context

from migrations.study.schema import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
