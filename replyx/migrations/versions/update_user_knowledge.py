"""update user knowledge

Revision ID: update_user_knowledge
Revises: 91c2d4e6f8a0
Create Date: 2025-07-24 11:11:11.000000

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = 'update_user_knowledge'
down_revision = '91c2d4e6f8a0'
branch_labels = None
depends_on = None


def upgrade():
    op.add_column('user_knowledge', sa.Column('assistant_id', sa.Integer(), sa.ForeignKey('assistants.id'), nullable=True))
    op.add_column('user_knowledge', sa.Column('type', sa.String(), nullable=True))
    op.add_column('user_knowledge', sa.Column('doc_type', sa.String(), nullable=True))
    op.add_column('user_knowledge', sa.Column('importance', sa.Integer(), nullable=True))
    op.add_column('user_knowledge', sa.Column('usage_count', sa.Integer(), server_default=sa.text('0'), nullable=False))
    op.add_column('user_knowledge', sa.Column('last_used', sa.DateTime(), nullable=True))
    op.execute("""
        UPDATE user_knowledge
           SET type = 'summary',
               importance = CASE WHEN length(content) > 2000 THEN 8 ELSE 10 END
         WHERE type IS NULL
    """)


def downgrade():
    for name in ('last_used', 'usage_count', 'importance', 'doc_type', 'type', 'assistant_id'):
        op.drop_column('user_knowledge', name)
