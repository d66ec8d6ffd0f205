"""merge heads 2

Revision ID: merge_heads_2
Revises: update_user_knowledge, add_plan_back, c6f1d28a904b
Create Date: 2025-07-24 12:00:00.000000

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = 'merge_heads_2'
down_revision = ('update_user_knowledge', 'add_plan_back', 'c6f1d28a904b')
branch_labels = None
depends_on = None


def upgrade():
    pass


def downgrade():
    pass
