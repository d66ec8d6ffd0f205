"""merge heads 5

Revision ID: merge_heads_5
Revises: convert_embedding_to_vector, restore_yandex_id
Create Date: 2025-08-21 13:40:00.000000

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = 'merge_heads_5'
down_revision = ('convert_embedding_to_vector', 'restore_yandex_id')
branch_labels = None
depends_on = None


def upgrade():
    pass


def downgrade():
    pass
