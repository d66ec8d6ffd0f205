"""merge heads 1

Revision ID: merge_heads_1
Revises: add_yandex_auth, 5be20f7713ac
Create Date: 2025-07-09 21:31:40.000000

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = 'merge_heads_1'
down_revision = ('add_yandex_auth', '5be20f7713ac')
branch_labels = None
depends_on = None


def upgrade():
    pass


def downgrade():
    pass
