"""add plan back (sales needs it)"""
from alembic import op
import sqlalchemy as sa

revision = 'add_plan_back'
down_revision = '91c2d4e6f8a0'


def upgrade():
    op.add_column('users', sa.Column('plan', sa.String(length=20), server_default='trial', nullable=False))
    op.add_column('users', sa.Column('google_id', sa.String(), nullable=True))
