"""add balance system tables

Revision ID: add_balance_system_tables
Revises: 2f6ad8c0e517
Create Date: 2025-07-20 19:00:00.000000

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = 'add_balance_system_tables'
down_revision = '2f6ad8c0e517'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        'user_balances',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('user_id', sa.Integer(), nullable=False),
        sa.Column('balance', sa.Float(), server_default=sa.text('0'), nullable=False),
        sa.Column('total_spent', sa.Float(), server_default=sa.text('0'), nullable=False),
        sa.Column('total_topped_up', sa.Float(), server_default=sa.text('0'), nullable=False),
        sa.Column('created_at', sa.DateTime(), server_default=sa.text('now()'), nullable=False),
        sa.Column('updated_at', sa.DateTime(), server_default=sa.text('now()'), nullable=False),
        sa.ForeignKeyConstraint(['user_id'], ['users.id']),
        sa.PrimaryKeyConstraint('id'),
        sa.UniqueConstraint('user_id'),
    )
    op.create_table(
        'balance_transactions',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('user_id', sa.Integer(), nullable=False),
        sa.Column('amount', sa.Float(), nullable=False),
        sa.Column('transaction_type', sa.String(), nullable=False),
        sa.Column('description', sa.String(), nullable=True),
        sa.Column('balance_before', sa.Float(), nullable=False),
        sa.Column('balance_after', sa.Float(), nullable=False),
        sa.Column('related_id', sa.Integer(), nullable=True),
        sa.Column('created_at', sa.DateTime(), server_default=sa.text('now()'), nullable=False),
        sa.ForeignKeyConstraint(['user_id'], ['users.id']),
        sa.PrimaryKeyConstraint('id'),
    )
    op.create_table(
        'service_prices',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('service_type', sa.String(), nullable=False),
        sa.Column('price', sa.Float(), nullable=False),
        sa.Column('description', sa.String(), nullable=True),
        sa.Column('is_active', sa.Boolean(), server_default=sa.text('true'), nullable=False),
        sa.Column('created_at', sa.DateTime(), server_default=sa.text('now()'), nullable=False),
        sa.Column('updated_at', sa.DateTime(), server_default=sa.text('now()'), nullable=False),
        sa.PrimaryKeyConstraint('id'),
        sa.UniqueConstraint('service_type'),
    )
    op.execute("""
        INSERT INTO service_prices (service_type, price, description) VALUES
            ('ai_message', 5.0, 'Ответ ассистента на сайте'),
            ('document_upload', 10.0, 'Загрузка документа'),
            ('bot_message', 5.0, 'Ответ Telegram-бота')
    """)
    op.execute("INSERT INTO user_balances (user_id) SELECT id FROM users")


def downgrade():
    op.drop_table('service_prices')
    op.drop_table('balance_transactions')
    op.drop_table('user_balances')
