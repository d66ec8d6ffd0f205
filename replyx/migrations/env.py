"""Runs the revisions beside this file without the application.

Where the database comes from, first that is set:

  alembic -x url=postgresql://...    a URL or a libpq "key=value" string
  DATABASE_URL                       the same, from the environment
  PGHOST, PGPORT, PGDATABASE, ...    libpq's own variables (PGHOST may be a socket folder)

The string goes to libpq as it stands, so everything libpq understands works (sockets in ?host=, service files,
sslmode). Only SQLAlchemy's driver suffix (postgresql+psycopg2://) is taken off, for libpq does not know it.

Every revision runs in a transaction of its own.
"""
import os
import re
from logging.config import fileConfig

import psycopg2
from alembic import context
from sqlalchemy import create_engine, pool

config = context.config
if config.config_file_name is not None:
    fileConfig(config.config_file_name, disable_existing_loggers=False)


def conninfo():
    url = context.get_x_argument(as_dictionary=True).get("url") or os.environ.get("DATABASE_URL") or ""
    return re.sub(r"^(postgres(?:ql)?)\+[A-Za-z0-9_]+://", r"\1://", url)


def run_offline():
    context.configure(dialect_name="postgresql", literal_binds=True, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()


def run_online():
    dsn = conninfo()
    engine = create_engine(
        "postgresql+psycopg2://",
        creator=lambda: psycopg2.connect(dsn),
        poolclass=pool.NullPool,
    )
    with engine.connect() as connection:
        context.configure(connection=connection, transaction_per_migration=True)
        with context.begin_transaction():
            context.run_migrations()


if context.is_offline_mode():
    run_offline()
else:
    run_online()
