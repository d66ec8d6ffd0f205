"""knowledge versions and hashes

Revision ID: knowledge_versions
Revises: f13a5c7e9b20
Create Date: 2025-08-24 19:28:00.000000

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = 'knowledge_versions'
down_revision = 'f13a5c7e9b20'
branch_labels = None
depends_on = None


def upgrade():
    bind = op.get_bind()
    inspector = sa.inspect(bind)
    have = {table: {c['name'] for c in inspector.get_columns(table)}
            for table in ('assistants', 'documents')}

    if 'knowledge_version' not in have['assistants']:
        op.add_column('assistants', sa.Column('knowledge_version', sa.Integer(), server_default=sa.text('1'), nullable=False))
    if 'widget_version' not in have['assistants']:
        op.add_column('assistants', sa.Column('widget_version', sa.Integer(), server_default=sa.text('1'), nullable=False))
    if 'doc_hash' not in have['documents']:
        op.add_column('documents', sa.Column('doc_hash', sa.String(length=64), nullable=True))
    op.add_column('knowledge_embeddings', sa.Column('chunk_hash', sa.String(length=64), nullable=True))
    op.add_column('knowledge_embeddings', sa.Column('source', sa.String(), nullable=True))
    op.execute("UPDATE knowledge_embeddings SET chunk_hash = md5(chunk_text), source = 'document' WHERE chunk_hash IS NULL")
    op.execute("CREATE INDEX idx_embeddings_chunk_hash ON knowledge_embeddings (chunk_hash) WHERE chunk_hash IS NOT NULL")


def downgrade():
    pass
