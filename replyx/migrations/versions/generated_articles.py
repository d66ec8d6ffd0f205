"""generated articles

Revision ID: c6f1d28a904b
Revises: merge_heads_1
Create Date: 2025-08-03 13:05:29.660481

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = 'c6f1d28a904b'
down_revision = 'merge_heads_1'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        'generated_articles',
        sa.Column('id', sa.Integer(), primary_key=True),
        sa.Column('user_id', sa.Integer(), sa.ForeignKey('users.id'), nullable=False),
        sa.Column('title', sa.Text(), nullable=False),
        sa.Column('body', sa.Text(), nullable=False),
        sa.Column('words', sa.Integer(), nullable=True),
        sa.Column('created_at', sa.DateTime(), server_default=sa.text('now()'), nullable=True),
    )


def downgrade():
    op.drop_table('generated_articles')
