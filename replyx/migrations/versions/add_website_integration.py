"""add website integration

Revision ID: add_website_integration
Revises: add_assistants_table
Create Date: 2025-08-08 10:10:10.000000

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = "add_website_integration"
down_revision = "merge_heads_2"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "integration_tokens",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("user_id", sa.Integer(), sa.ForeignKey("users.id"), nullable=False),
        sa.Column("assistant_id", sa.Integer(), sa.ForeignKey("assistants.id"), nullable=True),
        sa.Column("token", sa.String(), nullable=False, unique=True),
        sa.Column("integration_type", sa.String(), server_default="website", nullable=True),
        sa.Column("is_active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("created_at", sa.DateTime(), server_default=sa.text("now()"), nullable=True),
    )
    op.add_column("assistants", sa.Column("website_integration_enabled", sa.Boolean(), nullable=True))
    op.execute("UPDATE assistants SET website_integration_enabled = false")
    op.alter_column("assistants", "website_integration_enabled", nullable=False, server_default=sa.text("false"))
    op.add_column("dialogs", sa.Column("guest_id", sa.String(), nullable=True))
    op.execute("CREATE INDEX idx_dialogs_guest ON dialogs (guest_id) WHERE guest_id IS NOT NULL")


def downgrade():
    pass
