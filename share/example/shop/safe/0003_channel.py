"""where an order came from, and an index for the list of open orders"""
import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade():
    # A constant default is kept in the catalogue: no row is written, and the rows that are there have a value.
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.add_column("orders", sa.Column("channel", sa.Text, nullable=False, server_default="web"))
    with op.get_context().autocommit_block():
        op.create_index("ix_orders_status", "orders", ["status"], postgresql_concurrently=True)


def downgrade():
    with op.get_context().autocommit_block():
        op.drop_index("ix_orders_status", table_name="orders", postgresql_concurrently=True)
    op.drop_column("orders", "channel")
