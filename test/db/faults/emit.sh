#!/usr/bin/env bash
# What was applied becomes a revision: the real Alembic runs it where the index stands, where it does not, and where the
# rest of a failed build is in its place. Prints TAP.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=alembic.sh
. "$(dirname "${BASH_SOURCE[0]}")/alembic.sh"

indexes() { # [database]
    sql "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename = 'users'
        AND indexname NOT LIKE '%pkey' ORDER BY 1" "${1:-$db}"
}

numbers() {
    sql "SELECT oid, relfilenode, relname FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY relname"
}

psql -X -q -d postgres -c "CREATE DATABASE $db" -c "CREATE DATABASE ${db}_slow"
project
revision a1 None "op.create_table('users', sa.Column('id', sa.BigInteger(), primary_key=True),
        sa.Column('email', sa.Text()), sa.Column('doc', sa.Text()))"
alembic upgrade head
alembic_on "${db}_slow" upgrade head

# -- nothing to emit ----------------------------------------------------------------------------

run migrations emit "$project" --write
is "$rc" 0 'without changes there is nothing to emit'
has "$out" 'nothing to emit' 'and it says so'
is "$(ls "$project/migrations/versions")" a1.py 'and writes no file'

# -- what stands --------------------------------------------------------------------------------

run index apply "$(script_of "CREATE INDEX CONCURRENTLY \"users lower:mail\" ON users (lower(email))
    WHERE email <> 'a:b ''x'' \\n 100%'; CREATE UNIQUE INDEX CONCURRENTLY ux_users_doc ON users (doc);")" "${LAX[@]}"
is "$rc" 0 'two indexes are built'
wanted=$(indexes)
before=$(numbers)
run migrations emit "$project"
has "$out" 'down_revision = "a1"' 'the revision that is printed follows the head'
is "$(ls "$project/migrations/versions")" a1.py 'and no file is written'
run migrations emit "$project" --write --message 'Indexes that "pgmend" built \ here'
is "$rc" 0 'it is written into the folder'
file=$(ls "$project"/migrations/versions/*_indexes_that_pgmend_built_here.py)
alembic upgrade head
is "$(numbers)" "$before" 'where the indexes stand, upgrade does nothing to them'
alembic_on "${db}_slow" upgrade head
is "$(indexes "${db}_slow")" "$wanted" 'elsewhere it builds them as they are'
alembic_on "${db}_slow" downgrade a1
is "$(indexes "${db}_slow")" '' 'downgrade drops them'
alembic_on "${db}_slow" downgrade base
is "$(sql "SELECT count(*) FROM pg_class WHERE relname = 'users'" "${db}_slow")" 0 'and base is base'
alembic_on "${db}_slow" upgrade a1

run migrations emit "$project" --write
has "$out" 'nothing to emit' 'what the history makes is not emitted again'
is "$(find "$project/migrations/versions" -name "*.py" | wc -l)" 2 'and no file is written twice'
run migrations analyze "$project" --fail-on warning
is "$rc" 0 'the analysis has nothing against the file'

# -- a broken index in its place ----------------------------------------------------------------

script "${db}_slow" <<'SQL' >/dev/null 2>&1
INSERT INTO users (id, doc) VALUES (1, 'x'), (2, 'x');
CREATE UNIQUE INDEX CONCURRENTLY ux_users_doc ON users (doc);
SQL
is "$(sql "SELECT indisvalid FROM pg_index WHERE indexrelid = 'ux_users_doc'::regclass" "${db}_slow")" f \
    'a failed build leaves an INVALID index'
alembic_on "${db}_slow" upgrade head
has "$out" 'index public.ux_users_doc is INVALID' 'upgrade does not take it for done'
is "$(sql 'SELECT version_num FROM alembic_version' "${db}_slow")" a1 'and the revision is not marked'

# -- heads, and what somebody altered -----------------------------------------------------------

rm "$file"
revision b2 "'a1'" pass
revision c3 "'a1'" pass
run migrations emit "$project"
is "$rc" 1 'several heads are refused'
has "$err" 'b2, c3' 'by their names'
run migrations emit "$project" --head c3
has "$out" 'down_revision = "c3"' '--head names one'
sql 'DROP INDEX "users lower:mail"'
run migrations emit "$project" --head c3
lacks "$out" 'CREATE INDEX' 'an index that is gone is left out'
has "$out" 'CREATE UNIQUE INDEX' 'the other one is not'
has "$err" '"users lower:mail" is gone' 'and it is said'
run migrations emit "$project" --head c3 --output "$work/kept.py"
first=$(cat "$work/kept.py")
run migrations emit "$project" --head c3 --output "$work/kept.py"
is "$rc" 1 'a file that is there is not overwritten'
is "$(cat "$work/kept.py")" "$first" 'and stays as it is'
done_testing
