"""restore yandex id

Revision ID: restore_yandex_id
Revises: d4f60b82e7a9
Create Date: 2025-08-21 13:37:00.000000

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = "restore_yandex_id"
down_revision = "d4f60b82e7a9"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column('users', sa.Column('yandex_id', sa.String(), nullable=True))
    op.create_unique_constraint('users_yandex_id_key', 'users', ['yandex_id'])


def downgrade():
    pass
