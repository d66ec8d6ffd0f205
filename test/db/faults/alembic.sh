# An Alembic project of a test's own, and the real Alembic on the test's databases.
# shellcheck shell=bash
# The variables are for the tests that source this.
# shellcheck disable=SC2034,SC2154
export PYTHONDONTWRITEBYTECODE=1 PYTHONUTF8=1 PGCLIENTENCODING=UTF8
ALEMBIC=alembic
[ ! -x /usr/bin/alembic ] || ALEMBIC='/usr/bin/python3 /usr/bin/alembic'
$ALEMBIC --help >/dev/null 2>&1 || skip_all 'Alembic is not installed'
project=$work/project

# env.py takes the database from DATABASE_URL, else from libpq's own variables.
project() {
    mkdir -p "$project/migrations/versions"
    printf '[alembic]\nscript_location = %%(here)s/migrations\n' >"$project/alembic.ini"
    cat >"$project/migrations/env.py" <<'PY'
import os
import sqlalchemy as sa
from alembic import context

engine = sa.create_engine(os.environ.get("DATABASE_URL", "postgresql://"))
with engine.connect() as connection:
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
PY
}

revision() { # id, down_revision as Python, body of upgrade()
    printf '"""revision %s"""\nimport sqlalchemy as sa\nfrom alembic import op\n\nrevision = "%s"\ndown_revision = %s\n\n\n' \
        "$1" "$1" "$2" >"$project/migrations/versions/$1.py"
    printf 'def upgrade():\n    %s\n\n\ndef downgrade():\n    %s\n' "$3" "${4:-op.execute(\"DROP TABLE IF EXISTS users\")}" \
        >>"$project/migrations/versions/$1.py"
}

# Sets out and rc.
alembic_on() { # database, arguments
    local database=$1
    shift
    rc=0
    out=$(cd "$project" && PGDATABASE=$database $ALEMBIC "$@" 2>&1) || rc=$?
}

alembic() {
    alembic_on "$db" "$@"
}
