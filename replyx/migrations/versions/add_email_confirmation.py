"""add email confirmation

Revision ID: add_email_confirmation
Revises: merge_heads_1
Create Date: 2025-06-11 10:00:00.000000

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = 'add_email_confirmation'
down_revision = 'merge_heads_1'
branch_labels = None
depends_on = None


def upgrade():
    op.add_column('users', sa.Column('is_email_confirmed', sa.Boolean(), server_default=sa.text('false'), nullable=False))
    op.add_column('users', sa.Column('email_confirmation_code', sa.String(), nullable=True))
    # everybody who is already here has been using the product: do not lock them out
    op.execute("UPDATE users SET is_email_confirmed = true WHERE created_at < now()")


def downgrade():
    op.drop_column('users', 'email_confirmation_code')
    op.drop_column('users', 'is_email_confirmed')
