"""merge message kind and settings

Revision ID: f13a5c7e9b20
Revises: add_message_kind, add_system_settings
Create Date: 2025-08-22 06:30:47.318866

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = 'f13a5c7e9b20'
down_revision = ('add_message_kind', 'add_system_settings')
branch_labels = None
depends_on = None


def upgrade():
    pass


def downgrade():
    pass
