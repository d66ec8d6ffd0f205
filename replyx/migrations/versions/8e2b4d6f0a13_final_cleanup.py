"""final cleanup

Revision ID: 8e2b4d6f0a13
Revises: merge_heads_final
Create Date: 2025-08-10 02:22:49.867531

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = '8e2b4d6f0a13'
down_revision = 'merge_heads_final'
branch_labels = None
depends_on = None


def upgrade():
    op.add_column('users', sa.Column('last_activity', sa.DateTime(), server_default=sa.text('now()'), nullable=False))
    op.execute("UPDATE users SET last_activity = created_at")
    op.drop_column('dialogs', 'channel')
    op.drop_column('documents', 'path')
    op.add_column('conversation_patterns', sa.Column('response', sa.Text(), nullable=True))


def downgrade():
    op.add_column('documents', sa.Column('path', sa.String(), nullable=True))
    op.add_column('dialogs', sa.Column('channel', sa.String(length=32), server_default='telegram', nullable=True))
    op.drop_column('users', 'last_activity')
