"""add onboarding fields

Revision ID: add_onboarding_fields
Revises: merge_balance_and_referrals
Create Date: 2025-08-04 04:04:04.000000

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = 'add_onboarding_fields'
down_revision = 'merge_balance_and_referrals'
branch_labels = None
depends_on = None


def upgrade():
    inspector = sa.inspect(op.get_bind())
    columns = [column['name'] for column in inspector.get_columns('users')]

    if 'onboarding_completed' not in columns:
        op.add_column('users', sa.Column('onboarding_completed', sa.Boolean(), server_default=sa.text('false'), nullable=False))
    if 'onboarding_step' not in columns:
        op.add_column('users', sa.Column('onboarding_step', sa.Integer(), server_default=sa.text('0'), nullable=False))
    if 'onboarding_started_at' not in columns:
        op.add_column('users', sa.Column('onboarding_started_at', sa.DateTime(), nullable=True))
    if 'onboarding_completed_at' not in columns:
        op.add_column('users', sa.Column('onboarding_completed_at', sa.DateTime(), nullable=True))
    if 'onboarding_skipped' not in columns:
        op.add_column('users', sa.Column('onboarding_skipped', sa.Boolean(), server_default=sa.text('false'), nullable=False))
    if 'first_bot_created' not in columns:
        op.add_column('users', sa.Column('first_bot_created', sa.Boolean(), server_default=sa.text('false'), nullable=False))
    if 'first_message_sent' not in columns:
        op.add_column('users', sa.Column('first_message_sent', sa.Boolean(), server_default=sa.text('false'), nullable=False))
    if 'tutorial_tips_shown' not in columns:
        op.add_column('users', sa.Column('tutorial_tips_shown', sa.Text(), nullable=True))


def downgrade():
    pass
