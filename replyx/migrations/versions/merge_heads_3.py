"""merge heads 3

Revision ID: merge_heads_3
Revises: add_assistants_table, add_website_integration
Create Date: 2025-08-08 10:30:00.000000

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = 'merge_heads_3'
down_revision = ('add_assistants_table', 'add_website_integration')
branch_labels = None
depends_on = None


def upgrade():
    pass


def downgrade():
    pass
