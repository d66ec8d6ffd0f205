"""add referral system

Revision ID: add_referral_system
Revises: 7d90e3b5a1c6
Create Date: 2025-08-16 09:09:09.000000

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = 'add_referral_system'
down_revision = '7d90e3b5a1c6'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        'referral_codes',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('user_id', sa.Integer(), nullable=False),
        sa.Column('code', sa.String(), nullable=False),
        sa.Column('referrals_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
        sa.Column('total_earned', sa.Float(), server_default=sa.text('0'), nullable=False),
        sa.ForeignKeyConstraint(['user_id'], ['users.id']),
        sa.PrimaryKeyConstraint('id'),
        sa.UniqueConstraint('user_id'),
        sa.UniqueConstraint('code'),
    )
    op.create_table(
        'referrals',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('referrer_id', sa.Integer(), nullable=False),
        sa.Column('referred_id', sa.Integer(), nullable=False),
        sa.Column('referral_code_id', sa.Integer(), nullable=False),
        sa.Column('bonus_amount', sa.Float(), server_default=sa.text('0'), nullable=False),
        sa.Column('referred_bonus', sa.Float(), server_default=sa.text('0'), nullable=False),
        sa.Column('status', sa.String(), server_default='pending', nullable=False),
        sa.Column('created_at', sa.DateTime(), server_default=sa.text('now()'), nullable=False),
        sa.Column('confirmed_at', sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(['referrer_id'], ['users.id']),
        sa.ForeignKeyConstraint(['referred_id'], ['users.id']),
        sa.ForeignKeyConstraint(['referral_code_id'], ['referral_codes.id']),
        sa.PrimaryKeyConstraint('id'),
    )


def downgrade():
    pass
