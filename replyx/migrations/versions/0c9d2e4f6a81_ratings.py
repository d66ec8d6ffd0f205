"""dialog and message ratings

Revision ID: 0c9d2e4f6a81
Revises: merge_heads_4
Create Date: 2025-06-25 16:16:27.991048

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = '0c9d2e4f6a81'
down_revision = 'merge_heads_4'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        'dialog_ratings',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('dialog_id', sa.Integer(), nullable=False),
        sa.Column('rating', sa.Integer(), nullable=False),
        sa.Column('rating_type', sa.String(), nullable=False),
        sa.Column('comment', sa.Text(), nullable=True),
        sa.Column('rated_by', sa.String(), nullable=False),
        sa.Column('created_at', sa.DateTime(), server_default=sa.text('now()'), nullable=False),
        sa.ForeignKeyConstraint(['dialog_id'], ['dialogs.id']),
        sa.PrimaryKeyConstraint('id'),
    )
    op.create_table(
        'message_ratings',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('dialog_id', sa.Integer(), nullable=False),
        sa.Column('message_id', sa.Integer(), nullable=False),
        sa.Column('rating', sa.Integer(), nullable=False),
        sa.Column('rating_type', sa.String(), nullable=False),
        sa.Column('comment', sa.Text(), nullable=True),
        sa.Column('telegram_callback_data', sa.String(), nullable=True),
        sa.Column('created_at', sa.DateTime(), server_default=sa.text('now()'), nullable=False),
        sa.ForeignKeyConstraint(['dialog_id'], ['dialogs.id']),
        sa.ForeignKeyConstraint(['message_id'], ['dialog_messages.id']),
        sa.PrimaryKeyConstraint('id'),
    )


def downgrade():
    op.drop_table('message_ratings')
    op.drop_table('dialog_ratings')
