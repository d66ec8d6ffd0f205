"""merge balance and referrals"""
from alembic import op
import sqlalchemy as sa

revision = 'merge_balance_and_referrals'
down_revision = ('add_promo_codes', 'add_referral_system')


def upgrade():
    pass
