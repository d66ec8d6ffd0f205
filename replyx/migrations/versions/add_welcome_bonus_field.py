"""add welcome bonus field

Revision ID: add_welcome_bonus_field
Revises: This should be updated
Create Date: 2025-08-15 12:00:00.000000

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = 'add_welcome_bonus_field'
down_revision = 'add_balance_system_tables'
branch_labels = None
depends_on = None


def upgrade():
    op.add_column('users', sa.Column('welcome_bonus_received', sa.Boolean(), server_default=sa.text('false'), nullable=False))


def downgrade():
    op.drop_column('users', 'welcome_bonus_received')
