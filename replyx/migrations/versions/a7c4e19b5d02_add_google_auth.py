"""add google auth

Revision ID: a7c4e19b5d02
Revises: 3d1f0a6c2b90
Create Date: 2025-07-02 09:15:44.902113

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = 'a7c4e19b5d02'
down_revision = '3d1f0a6c2b90'
branch_labels = None
depends_on = None


def upgrade():
    op.add_column('users', sa.Column('google_id', sa.String(length=64), nullable=True))
    op.create_index('ix_users_google_id', 'users', ['google_id'], unique=True)


def downgrade():
    op.drop_index('ix_users_google_id', table_name='users')
    op.drop_column('users', 'google_id')
