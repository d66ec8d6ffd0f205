"""add handoff indexes"""
from alembic import op
import sqlalchemy as sa

revision = 'add_handoff_indexes'
down_revision = 'add_operator_handoff'


def upgrade():
    # moved into add_operator_handoff
    pass


def downgrade():
    pass
