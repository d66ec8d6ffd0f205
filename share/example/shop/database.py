"""Where the database is, for the application and for Alembic alike."""
import os
import re

import psycopg2
from sqlalchemy import create_engine


def connect():
    """DATABASE_URL, else libpq's own variables; all that libpq understands works."""
    url = os.environ.get("DATABASE_URL", "")
    return psycopg2.connect(re.sub(r"^(postgres(?:ql)?)\+\w+://", r"\1://", url))


def make_engine(**options):
    return create_engine("postgresql+psycopg2://", creator=connect, **options)
