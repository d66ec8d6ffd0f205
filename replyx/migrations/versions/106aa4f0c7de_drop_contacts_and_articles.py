"""drop contacts and articles

Revision ID: 106aa4f0c7de
Revises: f13a5c7e9b20
Create Date: 2025-08-18 15:00:33.476120

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = '106aa4f0c7de'
down_revision = 'f13a5c7e9b20'
branch_labels = None
depends_on = None


def upgrade():
    op.drop_table('contacts')
    op.drop_table('generated_articles')


def downgrade():
    pass
