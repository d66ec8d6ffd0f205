# shellcheck shell=bash
# For cases about migrations:  . "$CASE/../../migrations.sh"

# revision ID DOWN_REVISION: a file versions/ID.py whose upgrade() is standard input. DOWN_REVISION is
# Python: None, "'a1'", "('a1', 'b2')".
revision() {
    mkdir -p versions
    {
        printf '"""revision %s"""\nfrom alembic import op\nimport sqlalchemy as sa\n\n' "$1"
        printf "revision = '%s'\ndown_revision = %s\n\n\ndef upgrade():\n" "$1" "$2"
        sed 's/^\(.\)/    \1/'
        printf "\n\ndef downgrade():\n    pass\n"
    } >"versions/$1.py"
}

# Two tables; a column that nobody added is dropped; an index without CONCURRENTLY; two heads.
sample_history() {
    revision a1 None <<'PY'
op.create_table('users', sa.Column('id', sa.BigInteger(), primary_key=True), sa.Column('email', sa.Text()))
op.create_table('plans', sa.Column('id', sa.BigInteger(), primary_key=True), sa.Column('code', sa.String(20)))
PY
    revision b2 "'a1'" <<'PY'
op.create_index('ix_users_email', 'users', ['email'])
PY
    revision c3 "'b2'" <<'PY'
op.drop_column('users', 'phone')
PY
    revision d4 "'b2'" <<'PY'
op.create_index('ix_plans_code', 'plans', ['code'])  # pgmend: ignore index-not-concurrent -- 40 rows
PY
}
