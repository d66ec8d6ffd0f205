"""add yandex auth

Revision ID: add_yandex_auth
Revises: a7c4e19b5d02
Create Date: 2025-07-01 18:02:10.000000

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = "add_yandex_auth"
down_revision = "a7c4e19b5d02"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("users", sa.Column("yandex_id", sa.String(length=64), nullable=True))
    op.create_unique_constraint("uq_users_yandex_id", "users", ["yandex_id"])
