"""merge ratings, index them

Revision ID: d4f60b82e7a9
Revises: drop_broadcasts, 0c9d2e4f6a81
Create Date: 2025-08-20 11:02:18.225590

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = 'd4f60b82e7a9'
down_revision = ('drop_broadcasts', '0c9d2e4f6a81')
branch_labels = None
depends_on = None


def upgrade():
    op.create_index('idx_dialog_ratings_dialog_type', 'dialog_ratings', ['dialog_id', 'rating_type'])


def downgrade():
    op.drop_index('idx_dialog_ratings_dialog_type', table_name='dialog_ratings')
