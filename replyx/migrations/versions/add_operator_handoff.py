"""operator handoff

Revision ID: add_operator_handoff
Revises: merge_balance_and_referrals
Create Date: 2025-08-11 11:45:00.000000

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = 'add_operator_handoff'
down_revision = 'merge_balance_and_referrals'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        'operator_presence',
        sa.Column('id', sa.Integer(), primary_key=True),
        sa.Column('user_id', sa.Integer(), sa.ForeignKey('users.id'), nullable=False, unique=True),
        sa.Column('status', sa.String(), server_default='offline', nullable=False),
        sa.Column('last_heartbeat', sa.DateTime(), nullable=True),
        sa.Column('max_active_chats_web', sa.Integer(), server_default=sa.text('3'), nullable=False),
        sa.Column('max_active_chats_telegram', sa.Integer(), server_default=sa.text('5'), nullable=False),
        sa.Column('active_chats', sa.Integer(), server_default=sa.text('0'), nullable=False),
        sa.Column('created_at', sa.DateTime(), server_default=sa.text('now()'), nullable=False),
        sa.Column('updated_at', sa.DateTime(), server_default=sa.text('now()'), nullable=False),
    )
    op.create_table(
        'handoff_audit',
        sa.Column('id', sa.Integer(), primary_key=True),
        sa.Column('dialog_id', sa.Integer(), sa.ForeignKey('dialogs.id'), nullable=False),
        sa.Column('from_status', sa.String(), nullable=True),
        sa.Column('to_status', sa.String(), nullable=False),
        sa.Column('user_id', sa.Integer(), sa.ForeignKey('users.id'), nullable=True),
        sa.Column('reason', sa.String(), nullable=True),
        sa.Column('request_id', sa.String(length=36), nullable=True),
        sa.Column('seq', sa.Integer(), nullable=False),
        sa.Column('extra_data', sa.JSON(), nullable=True),
        sa.Column('created_at', sa.DateTime(), server_default=sa.text('now()'), nullable=False),
    )
    op.create_index('idx_handoff_audit_dialog_seq', 'handoff_audit', ['dialog_id', 'seq'])

    op.add_column('dialogs', sa.Column('handoff_status', sa.String(), nullable=True))
    op.add_column('dialogs', sa.Column('handoff_requested_at', sa.DateTime(), nullable=True))
    op.add_column('dialogs', sa.Column('handoff_started_at', sa.DateTime(), nullable=True))
    op.add_column('dialogs', sa.Column('handoff_resolved_at', sa.DateTime(), nullable=True))
    op.add_column('dialogs', sa.Column('handoff_reason', sa.String(), nullable=True))
    op.add_column('dialogs', sa.Column('assigned_manager_id', sa.Integer(), sa.ForeignKey('users.id'), nullable=True))
    op.add_column('dialogs', sa.Column('request_id', sa.String(length=36), nullable=True))
    op.execute("UPDATE dialogs SET handoff_status = CASE WHEN is_taken_over = 1 THEN 'active' ELSE 'none' END")
    op.alter_column('dialogs', 'handoff_status', existing_type=sa.String(), nullable=False, server_default='none')
    op.create_check_constraint(
        'ck_dialogs_handoff_status', 'dialogs',
        "handoff_status IN ('none', 'requested', 'active', 'resolved')",
    )
    op.execute("""
        CREATE INDEX idx_dialogs_handoff_waiting
            ON dialogs (handoff_requested_at)
         WHERE handoff_status = 'requested'
    """)
    op.execute("CREATE INDEX idx_dialogs_request_id ON dialogs (request_id) WHERE request_id IS NOT NULL")
