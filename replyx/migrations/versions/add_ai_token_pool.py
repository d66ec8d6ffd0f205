"""AI token pool

Revision ID: add_ai_token_pool
Revises: merge_heads_3
Create Date: 2025-08-14 17:25:00.000000

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = 'add_ai_token_pool'
down_revision = 'merge_heads_3'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        'ai_token_pool',
        sa.Column('id', sa.Integer(), primary_key=True),
        sa.Column('name', sa.String(), nullable=False),
        sa.Column('token', sa.String(), nullable=False, unique=True),
        sa.Column('model_access', sa.String(), nullable=False),
        sa.Column('daily_limit', sa.Integer(), server_default=sa.text('10000'), nullable=False),
        sa.Column('monthly_limit', sa.Integer(), server_default=sa.text('300000'), nullable=False),
        sa.Column('current_daily_usage', sa.Integer(), server_default=sa.text('0'), nullable=False),
        sa.Column('current_monthly_usage', sa.Integer(), server_default=sa.text('0'), nullable=False),
        sa.Column('priority', sa.Integer(), server_default=sa.text('1'), nullable=False),
        sa.Column('is_active', sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column('error_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
        sa.Column('last_reset_daily', sa.DateTime(), server_default=sa.func.now(), nullable=False),
        sa.Column('last_reset_monthly', sa.DateTime(), server_default=sa.func.now(), nullable=False),
        sa.Column('last_used', sa.DateTime(), server_default=sa.func.now(), nullable=False),
        sa.Column('last_error', sa.Text(), nullable=True),
        sa.Column('notes', sa.Text(), nullable=True),
        sa.Column('created_at', sa.DateTime(), server_default=sa.func.now(), nullable=False),
    )
    op.create_table(
        'ai_token_usage',
        sa.Column('id', sa.Integer(), primary_key=True),
        sa.Column('token_id', sa.Integer(), sa.ForeignKey('ai_token_pool.id'), nullable=False),
        sa.Column('user_id', sa.Integer(), sa.ForeignKey('users.id'), nullable=False),
        sa.Column('assistant_id', sa.Integer(), sa.ForeignKey('assistants.id'), nullable=True),
        sa.Column('model_used', sa.String(), nullable=False),
        sa.Column('prompt_tokens', sa.Integer(), server_default=sa.text('0'), nullable=False),
        sa.Column('completion_tokens', sa.Integer(), server_default=sa.text('0'), nullable=False),
        sa.Column('total_tokens', sa.Integer(), server_default=sa.text('0'), nullable=False),
        sa.Column('request_type', sa.String(), server_default='chat', nullable=False),
        sa.Column('response_time', sa.Float(), server_default=sa.text('0'), nullable=False),
        sa.Column('success', sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column('error_message', sa.Text(), nullable=True),
        sa.Column('created_at', sa.DateTime(), server_default=sa.func.now(), nullable=False),
    )
    op.create_index('idx_ai_token_usage_token_created', 'ai_token_usage', ['token_id', 'created_at'])
    op.execute("CREATE INDEX idx_ai_token_pool_ready ON ai_token_pool (priority DESC, error_count) WHERE is_active")


def downgrade():
    op.drop_table('ai_token_usage')
    op.drop_table('ai_token_pool')
