"""merge bots and auth

Revision ID: 91c2d4e6f8a0
Revises: remove_plan_column, e40c6d95b1f8
Create Date: 2025-07-22 08:00:01.551207

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = '91c2d4e6f8a0'
down_revision = ('remove_plan_column', 'e40c6d95b1f8')
branch_labels = None
depends_on = None


def upgrade():
    pass


def downgrade():
    pass
