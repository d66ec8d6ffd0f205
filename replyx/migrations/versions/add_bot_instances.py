"""add bot instances

Revision ID: add_bot_instances
Revises: merge_heads_1
Create Date: 2025-07-15 15:15:15.000000

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = 'add_bot_instances'
down_revision = 'merge_heads_1'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        'bot_instances',
        sa.Column('id', sa.Integer(), primary_key=True),
        sa.Column('user_id', sa.Integer(), sa.ForeignKey('users.id'), nullable=False),
        sa.Column('assistant_id', sa.Integer(), sa.ForeignKey('assistants.id'), nullable=False),
        sa.Column('platform', sa.String(), server_default='telegram', nullable=True),
        sa.Column('bot_token', sa.String(), nullable=True),
        sa.Column('is_active', sa.Boolean(), server_default=sa.true(), nullable=True),
        sa.Column('created_at', sa.DateTime(), server_default=sa.func.now(), nullable=False),
    )
    op.add_column('dialogs', sa.Column('assistant_id', sa.Integer(), nullable=True))
    op.create_foreign_key(None, 'dialogs', 'assistants', ['assistant_id'], ['id'])


def downgrade():
    pass
