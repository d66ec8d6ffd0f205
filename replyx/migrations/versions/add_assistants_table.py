"""add assistants table

Revision ID: add_assistants_table
Revises: c81b7e02d9f4
Create Date: 2025-06-02 08:30:00.000000

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = 'add_assistants_table'
down_revision = 'c81b7e02d9f4'
branch_labels = None
depends_on = None


def upgrade():
    # the table already exists in every environment
    pass


def downgrade():
    pass
