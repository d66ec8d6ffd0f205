"""password reset, yandex off

Revision ID: c81b7e02d9f4
Revises: merge_heads_2
Create Date: 2025-07-11 14:48:37.200915

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = 'c81b7e02d9f4'
down_revision = 'merge_heads_2'
branch_labels = None
depends_on = None


def upgrade():
    op.add_column('users', sa.Column('password_reset_token', sa.String(), nullable=True))
    op.add_column('users', sa.Column('password_reset_expires', sa.DateTime(), nullable=True))
    op.drop_column('users', 'yandex_id')


def downgrade():
    op.add_column('users', sa.Column('yandex_id', sa.String(length=64), nullable=True))
    op.create_unique_constraint('uq_users_yandex_id', 'users', ['yandex_id'])
    op.drop_column('users', 'password_reset_expires')
    op.drop_column('users', 'password_reset_token')
