"""system settings

Revision ID: add_system_settings
Revises: restore_yandex_id
Create Date: 2025-08-22 06:06:06.000000

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = 'add_system_settings'
down_revision = 'restore_yandex_id'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        'system_settings',
        sa.Column('id', sa.Integer(), primary_key=True),
        sa.Column('category', sa.String(), nullable=False),
        sa.Column('key', sa.String(), nullable=False),
        sa.Column('value', sa.Text(), nullable=True),
        sa.Column('data_type', sa.String(), server_default='string', nullable=False),
        sa.Column('is_sensitive', sa.Boolean(), server_default=sa.text('false'), nullable=False),
        sa.Column('description', sa.Text(), nullable=True),
        sa.Column('updated_by', sa.Integer(), sa.ForeignKey('users.id'), nullable=True),
        sa.Column('created_at', sa.DateTime(), server_default=sa.text('now()'), nullable=False),
        sa.Column('updated_at', sa.DateTime(), server_default=sa.text('now()'), nullable=False),
        sa.UniqueConstraint('category', 'key', name='uq_system_settings_category_key'),
    )
    op.create_table(
        'organization_features',
        sa.Column('id', sa.Integer(), primary_key=True),
        sa.Column('user_id', sa.Integer(), sa.ForeignKey('users.id'), nullable=False),
        sa.Column('feature', sa.String(), nullable=False),
        sa.Column('is_enabled', sa.Boolean(), server_default=sa.text('false'), nullable=False),
        sa.Column('created_at', sa.DateTime(), server_default=sa.text('now()'), nullable=False),
        sa.UniqueConstraint('user_id', 'feature', name='uq_organization_features_user_feature'),
    )
    settings = [
        ('system', 'site_name', 'ReplyX', 'string', 'Название сайта'),
        ('system', 'maintenance_mode', 'false', 'boolean', 'Режим обслуживания'),
        ('ai', 'default_model', 'gpt-4o-mini', 'string', 'Модель по умолчанию'),
        ('ai', 'max_tokens', '4096', 'integer', 'Предел токенов ответа'),
        ('billing', 'welcome_bonus', '100', 'float', 'Приветственный бонус 🎁'),
        ('billing', 'low_balance_notice', '20', 'float', 'Порог предупреждения'),
    ]
    for category, key, value, data_type, description in settings:
        op.execute(
            "INSERT INTO system_settings (category, key, value, data_type, description) "
            f"VALUES ('{category}', '{key}', '{value}', '{data_type}', '{description}')"
        )
    op.execute("""
        INSERT INTO system_settings (category, key, value, data_type, is_sensitive, description)
        VALUES ('telegram', 'webhook_secret', NULL, 'string', true, 'Секрет вебхука')
        ON CONFLICT (category, key) DO NOTHING
    """)


def downgrade():
    op.drop_table('organization_features')
    op.drop_table('system_settings')
