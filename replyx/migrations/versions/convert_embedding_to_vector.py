"""convert embedding to vector

Revision ID: convert_embedding_to_vector
Revises: add_embeddings_system
Create Date: 2025-07-31 23:50:00.000000

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = 'convert_embedding_to_vector'
down_revision = 'add_embeddings_system'
branch_labels = None
depends_on = None


def upgrade():
    op.execute("""
        ALTER TABLE knowledge_embeddings
            ALTER COLUMN embedding TYPE vector(1536) USING embedding::vector(1536)
    """)
    op.execute("ALTER TABLE query_embeddings_cache ALTER COLUMN embedding TYPE vector(1536) USING embedding::vector(1536)")


def downgrade():
    pass
