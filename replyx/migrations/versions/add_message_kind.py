"""add message kind

Revision ID: add_message_kind
Revises: merge_heads_5
Create Date: 2025-08-13 18:18:18.000000

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = 'add_message_kind'
down_revision = 'merge_heads_5'
branch_labels = None
depends_on = None


def upgrade():
    op.add_column('dialog_messages', sa.Column('message_kind', sa.String(), nullable=True))
    op.add_column('dialog_messages', sa.Column('system_type', sa.String(), nullable=True))
    op.add_column('dialog_messages', sa.Column('delivered', sa.Integer(), server_default=sa.text('0'), nullable=False))
    op.execute("""
        UPDATE dialog_messages
           SET message_kind = CASE sender WHEN 'manager' THEN 'operator' ELSE sender END
         WHERE message_kind IS NULL
    """)
    op.alter_column('dialog_messages', 'message_kind', existing_type=sa.String(), nullable=False, server_default='user')
    op.create_check_constraint(
        'ck_dialog_messages_kind', 'dialog_messages',
        "message_kind IN ('user', 'assistant', 'operator', 'system')",
    )


def downgrade():
    op.drop_column('dialog_messages', 'delivered')
    op.drop_column('dialog_messages', 'system_type')
    op.drop_column('dialog_messages', 'message_kind')
