#!/usr/bin/env bash
# Roles that lack a right: what they are told to be granted is run as it stands, and then the same command works. An apply
# is refused before gates and window, with exit status 8, when it could not be done; a reader with nothing to undo is told so.
# shellcheck source=lib.sh
# shellcheck disable=SC2317
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

reader=rights_reader_$$
writer=rights_writer_$$
owner=rights_owner_$$
as_reader=(--db-url "postgresql://$reader@/$db")
as_writer=(--db-url "postgresql://$writer@/$db")
clean_roles() {
    clean_up
    psql -X -q -d postgres -c "DROP ROLE IF EXISTS $reader, $writer, $owner" >/dev/null 2>&1
}
trap clean_roles EXIT

psql -X -q -d postgres -c "CREATE ROLE $reader LOGIN" -c "CREATE ROLE $writer LOGIN" -c "CREATE ROLE $owner"
create_database
sql "GRANT SELECT ON items, other TO $reader, $writer; CREATE INDEX items_b ON items (b)"
sql "ALTER TABLE items OWNER TO $owner; GRANT CREATE ON SCHEMA public TO $owner"
one=$(script_of 'CREATE INDEX CONCURRENTLY items_a ON items (a);')

# The statements of the hint, run by the administrator, and nothing else.
grant_hint() {
    sql "$(sed -n 's/^hint: //p' "$work/err")"
}

run plan "$one" -o "$work/one.plan"
run gate pass team --note test
is "$rc" 0 'schema pgmend is there, and belongs to somebody else'

# -- who reads ----------------------------------------------------------------------------------

run status "${as_reader[@]}"
is "$rc" 8 'status without rights'
has "$err" "GRANT USAGE ON SCHEMA pgmend TO $reader; GRANT SELECT ON ALL TABLES IN SCHEMA pgmend TO $reader;" \
    'it needs to look up names there, and to read'
lacks "$err" 'INSERT' 'a command that reads asks for no right to write'
has "$err" 'Nothing was changed.' 'it says in which state the database is'
grant_hint
for command in status history gate; do
    run "$command" "${as_reader[@]}"
    is "$rc" 0 "$command works after just that"
done
run rollback "${as_reader[@]}"
is "$rc" 0 'a reader where there is nothing to undo'
has "$out" 'There is nothing to undo.' 'is told so'

# -- who records --------------------------------------------------------------------------------

for command in "gate pass team --note x" "checklist tick team-told --note x" "rehearse $work/one.plan"; do
    # shellcheck disable=SC2086
    run $command "${as_reader[@]}"
    is "$rc" 8 "${command%% /*} by a reader"
    has "$err" 'INSERT' "${command%% /*}: it is told that it has to write"
    has "$err" 'Nothing was changed.' "${command%% /*}: nothing was changed"
done
run gate pass team --note x "${as_writer[@]}"
grant_hint
run gate pass team --note x "${as_writer[@]}"
is "$rc" 0 'gate pass works after just what was hinted'
run checklist tick team-told --note x "${as_writer[@]}"
grant_hint
run checklist tick team-told --note x "${as_writer[@]}"
is "$rc" 0 'so does checklist tick, which makes a table'

# -- who applies --------------------------------------------------------------------------------

runs=$(sql 'SELECT count(*) FROM pgmend.run')
run apply "$work/one.plan" "${LAX[@]}" "${as_writer[@]}"
is "$rc" 8 'who does not own the table is refused'
lacks "$out" 'Gates' 'before the gates are looked at'
has "$err" "GRANT $owner TO $writer;" 'ownership is what is missing, not SELECT'
has "$err" 'Nothing was changed.' 'nothing was changed'
is "$(sql 'SELECT count(*) FROM pgmend.run')" "$runs" 'no run was begun'
grant_hint
run -q apply "$work/one.plan" --override all --reason test --attest-wal-free 100GB --attest-data-free 100GB "${as_writer[@]}"
is "$rc" 0 'as a member of the owner it is applied'
is "$out" '1 of 1 indexes built, 0 were there. Undo any time: pgmend rollback' 'with -q only the result is said'
run rollback "${as_reader[@]}"
is "$rc" 8 'a reader where there is something to undo'
has "$err" 'Nothing was changed.' 'nothing was changed'
sql "REVOKE $owner FROM $writer"
sql 'ALTER TABLE items OWNER TO postgres'
run rollback
run apply "$work/one.plan" "${LAX[@]}" "${as_writer[@]}"
is "$rc" 8 'the owner is a superuser'
lacks "$err" "GRANT postgres" 'nobody is told to become one'

# -- what is needless beside another index ------------------------------------------------------

sql 'CREATE INDEX other_x ON other (x); CREATE INDEX other_x_again ON other (x)'
run index drop public.other_x --now --yes
is "$rc" 4 'a drop whose gates are red'
lacks "$both" 'the same plan or script' 'it is not told to rehearse a plan that is not there'
has "$both" '-o change.plan' 'but how to get one'

# -- a whole plan that is seen in part ----------------------------------------------------------

sql "REVOKE ALL ON ALL TABLES IN SCHEMA pgmend FROM $reader; REVOKE ALL ON SCHEMA pgmend FROM $reader"
run plan "${as_reader[@]}"
is "$rc" 0 'a plan by who may not see all'
has "${out%%Phase*}" "role $reader lacks rights for:" 'it is said above the plan'
has "${out##*Next:}" "pgmend doctor --grants $reader" 'and what to do comes next'

sql "REVOKE ALL ON SCHEMA public FROM $owner" 2>/dev/null
done_testing
