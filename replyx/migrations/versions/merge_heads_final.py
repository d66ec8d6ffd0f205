"""merge heads final

Revision ID: merge_heads_final
Revises: 106aa4f0c7de, knowledge_versions
Create Date: 2025-08-24 19:30:00.000000

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = 'merge_heads_final'
down_revision = ('106aa4f0c7de', 'knowledge_versions')
branch_labels = None
depends_on = None


def upgrade():
    pass


def downgrade():
    pass
