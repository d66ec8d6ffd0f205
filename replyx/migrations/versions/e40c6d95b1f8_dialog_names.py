"""dialog contact names

Revision ID: e40c6d95b1f8
Revises: add_bot_instances
Create Date: 2025-05-28 23:59:12.403317

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = 'e40c6d95b1f8'
down_revision = 'add_bot_instances'
branch_labels = None
depends_on = None


def upgrade():
    bind = op.get_bind()
    inspector = sa.inspect(bind)
    columns = [c['name'] for c in inspector.get_columns('dialogs')]

    if 'telegram_username' not in columns:
        op.add_column('dialogs', sa.Column('telegram_username', sa.String(), nullable=True))
    if 'first_name' not in columns:
        op.add_column('dialogs', sa.Column('first_name', sa.String(), nullable=True))
    if 'last_name' not in columns:
        op.add_column('dialogs', sa.Column('last_name', sa.String(), nullable=True))


def downgrade():
    op.drop_column('dialogs', 'last_name')
    op.drop_column('dialogs', 'first_name')
