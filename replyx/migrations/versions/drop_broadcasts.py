"""drop broadcasts

Revision ID: drop_broadcasts
Revises: merge_heads_4
Create Date: 2025-08-20 10:31:00.000000

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = 'drop_broadcasts'
down_revision = 'merge_heads_4'
branch_labels = None
depends_on = None


def upgrade():
    op.drop_table('broadcast_reads')
    op.drop_index('ix_broadcasts_sent_at', table_name='broadcasts')
    op.drop_table('broadcasts')


def downgrade():
    pass
