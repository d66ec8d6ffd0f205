"""Runs the revisions in one transaction each."""
from alembic import context
from sqlalchemy import pool

from database import make_engine
from models import Base

with make_engine(poolclass=pool.NullPool).connect() as connection:
    context.configure(connection=connection, target_metadata=Base.metadata, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
