"""remove plan again

Revision ID: b5e7f1029c3d
Revises: add_onboarding_fields
Create Date: 2025-08-19 22:17:36.518840

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = 'b5e7f1029c3d'
down_revision = 'add_onboarding_fields'
branch_labels = None
depends_on = None


def upgrade():
    op.drop_column('users', 'plan')
    op.drop_column('users', 'google_id')


def downgrade():
    op.add_column('users', sa.Column('google_id', sa.String(), nullable=True))
    op.add_column('users', sa.Column('plan', sa.String(length=20), server_default='trial', nullable=False))
