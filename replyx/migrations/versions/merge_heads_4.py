"""merge heads 4

Revision ID: merge_heads_4
Revises: b5e7f1029c3d, add_handoff_indexes
Create Date: 2025-08-19 22:20:00.000000

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = 'merge_heads_4'
down_revision = ('b5e7f1029c3d', 'add_handoff_indexes')
branch_labels = None
depends_on = None


def upgrade():
    pass


def downgrade():
    pass
