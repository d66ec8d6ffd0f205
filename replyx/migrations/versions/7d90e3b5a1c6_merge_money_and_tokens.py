"""merge money and tokens

Revision ID: 7d90e3b5a1c6
Revises: add_welcome_bonus_field, add_ai_token_pool
Create Date: 2025-08-15 12:20:41.703366

"""
from typing import Sequence, Union

from alembic import op
import sqlalchemy as sa

revision: str = '7d90e3b5a1c6'
down_revision: Union[str, Sequence[str], None] = ('add_welcome_bonus_field', 'add_ai_token_pool')
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
