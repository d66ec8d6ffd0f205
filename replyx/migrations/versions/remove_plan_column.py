"""remove plan column

Revision ID: remove_plan_column
Revises: 3d1f0a6c2b90
Create Date: 2025-07-22 07:44:03.119000

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = 'remove_plan_column'
down_revision = 'add_email_confirmation'
branch_labels = None
depends_on = None


def upgrade():
    op.drop_column('users', 'google_id')
    op.drop_column('users', 'plan')


def downgrade():
    pass
