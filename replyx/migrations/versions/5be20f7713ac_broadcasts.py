"""broadcasts

Revision ID: 5be20f7713ac
Revises: 3d1f0a6c2b90
Create Date: 2025-07-09 21:30:55.731902

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = '5be20f7713ac'
down_revision = '3d1f0a6c2b90'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        'broadcasts',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('title', sa.String(length=200), nullable=False),
        sa.Column('body', sa.Text(), nullable=True),
        sa.Column('created_by', sa.Integer(), sa.ForeignKey('users.id'), nullable=True),
        sa.Column('sent_at', sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint('id'),
    )
    op.create_index('ix_broadcasts_sent_at', 'broadcasts', ['sent_at'])
    op.create_table(
        'broadcast_reads',
        sa.Column('id', sa.Integer(), primary_key=True),
        sa.Column('broadcast_id', sa.Integer(), sa.ForeignKey('broadcasts.id', ondelete='CASCADE'), nullable=False),
        sa.Column('user_id', sa.Integer(), sa.ForeignKey('users.id'), nullable=False),
        sa.Column('read_at', sa.DateTime(), nullable=True),
        sa.UniqueConstraint('broadcast_id', 'user_id', name='uq_broadcast_reads_broadcast_user'),
    )


def downgrade():
    op.drop_table('broadcast_reads')
    op.drop_table('broadcasts')
