#!/usr/bin/env bash
# doctor as a program: its exit statuses, what monitoring systems read, and its advice as a plan that is applied, taken back,
# and refused when somebody else changed the setting meanwhile. Prints TAP.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# A server of its own: its settings are changed.
start_cluster --set wal_level=replica
export PGDATABASE=$db
create_database
# What a scratch server lacks by design.
base=(--ignore durability --ignore checksums --ignore backup --ignore pg-stat-statements --ignore disk --ignore statistics --wait 0)
sql 'ALTER SYSTEM SET track_io_timing = on' postgres
sql 'SELECT pg_reload_conf()' postgres >/dev/null

run doctor "${base[@]}"
is "$rc" 0 'a server that is well'
has "$out" 'Nothing was changed.' 'it says that nothing was changed'
run doctor "${base[@]}" --format nagios
has "$out" 'PGMEND OK - ' 'the line of a plug-in'
is "$(wc -l <"$work/out")" 1 'one line'
sql 'ALTER TABLE items ADD CONSTRAINT "a|b" CHECK (a >= 0) NOT VALID'
run doctor "${base[@]}" --format nagios
is "$rc" 1 'a warning'
has "$out" 'PGMEND WARNING - unvalidated-constraints: 1 constraint is not validated | critical=0' 'it names the check'
run doctor "${base[@]}"
has "$out" 'mend: ALTER TABLE public.items VALIDATE CONSTRAINT "a|b";' 'what mends it'
sql 'CREATE TABLE full_one (id smallserial)'
sql "SELECT setval('full_one_id_seq', 32000)" >/dev/null
run doctor "${base[@]}" --json
is "$rc" 2 'something is critical'
is "$(jq -r '.health' <"$work/out")" critical 'the verdict as JSON'
is "$(jq -r '.items[] | select(.name == "integer-overflow") | .health' <"$work/out")" critical 'and the item'
run doctor "${base[@]}" --ignore integer-overflow --ignore unvalidated-constraints
is "$rc" 0 'what is ignored does not count'
run doctor --ignore nonsense
is "$rc" 3 'a check that is none'
PGHOST=$work/nowhere run doctor
is "$rc" 3 'a server that does not answer'
has "$err" 'Nothing was changed.' 'and nothing was changed'
PGHOST=$work/nowhere run doctor --format nagios
is "$rc" 3 'the same as a plug-in'
has "$out" 'PGMEND UNKNOWN - ' 'has a line to read'
is "$(wc -l <"$work/out")" 1 'one'
lacks "$out" '|' 'without numbers'
run doctor --format nagios --cpus 0
has "$out" 'PGMEND UNKNOWN - --cpus 0' 'as has what cannot be looked at'
run monitor --single-shot --nonsense
is "$rc" 3 'monitor as a plug-in: 2 would be critical'
run monitor --nonsense --single-shot
is "$rc" 3 'wherever that option stands'
run monitor --nonsense
is "$rc" 2 'monitor that is no plug-in: an option that is none'
run monitor --interval 1ms
is "$rc" 2 'and a time that is none'
run doctor "${base[@]}" --settings --memory 3PB
is "$rc" 3 'a size that is none'
run doctor --memory 0
is "$rc" 3 'no memory at all'
has "$both" '--memory 0' 'and it is quoted'
run doctor --cpus -3
is "$rc" 3 'fewer CPUs than none'
run doctor --cpus 0
is "$rc" 3 'no CPUs'
run doctor --wait 9999h
is "$rc" 3 'a wait of a year'
has "$both" '24h' 'and the most is told'

# -- advice --

run doctor "${base[@]}" --memory 64GB --cpus 8 --plan "$work/settings.plan"
has "$out" "ALTER SYSTEM SET effective_cache_size = '48GB'" 'three quarters of the memory that was told'
has "$out" 'three quarters of the 64 GB of memory as given' 'and why'
is "$(sql 'SHOW effective_cache_size')" 4GB 'nothing was changed'
run apply "$work/settings.plan" "${LAX[@]}"
is "$rc" 0 'the plan is applied'
is "$(sql 'SHOW effective_cache_size')" 48GB 'it is in force'
has "$(journal)" 'effective_cache_size|done' 'and in the journal'
sql 'CREATE ROLE doctor_weak LOGIN' postgres
PGUSER=doctor_weak run doctor "${base[@]}" --plan "$work/weak.plan"
is "$rc" 3 'a role that may not read the journal'
has "$both" 'GRANT USAGE ON SCHEMA pgmend TO doctor_weak; GRANT SELECT ON pgmend.journal TO doctor_weak;' 'what it needs'
lacks "$both" 'DELETE' 'and no more'
sql 'GRANT USAGE ON SCHEMA pgmend TO doctor_weak; GRANT SELECT ON pgmend.journal TO doctor_weak'
PGUSER=doctor_weak run doctor "${base[@]}" --plan "$work/weak.plan"
is "$(test -s "$work/weak.plan" && echo written)" written 'that is enough'
run doctor "${base[@]}" --memory 64GB --cpus 8 --settings
lacks "$out" 'effective_cache_size =' 'what was done is not said again'
sql "ALTER SYSTEM SET effective_cache_size = '50GB'" postgres
run rollback --all --yes
has "$both" 'was set to 50GB since' 'what somebody else set since stays'
is "$(sql "SELECT setting FROM pg_file_settings WHERE name = 'effective_cache_size' ORDER BY seqno DESC LIMIT 1")" 50GB \
    'indeed'
sql "ALTER SYSTEM SET effective_cache_size = '48GB'" postgres
run rollback --all --yes
is "$rc" 0 'it is taken back'
is "$(sql 'SHOW effective_cache_size')" 4GB 'to what it was'
is "$(sql "SELECT count(*) FROM pg_file_settings WHERE name = 'effective_cache_size'
    AND sourcefile LIKE '%auto.conf'")" 0 'and nothing is left in the file'

# -- one of two was altered by hand --

sql 'ALTER SYSTEM SET track_io_timing = off' postgres
sql 'SELECT pg_reload_conf()' postgres >/dev/null
run doctor "${base[@]}" --memory 64GB --cpus 8 --plan "$work/two.plan"
run plan "$work/two.plan"
has "$out" "pgmend apply $work/two.plan" 'a plan that is one is to be applied'
run apply "$work/two.plan" "${LAX[@]}"
is "$rc" 0 'two settings'
sql "ALTER SYSTEM SET effective_cache_size = '50GB'" postgres
run rollback --yes
is "$rc" 1 'one is not undone'
has "$both" '1 not touched: what was altered since stays' 'and it says so'
lacks "$both" 'The catalogue is what it was' 'nothing is claimed of the whole'
sql "ALTER SYSTEM SET effective_cache_size = '48GB'" postgres
run rollback --all --yes
is "$rc" 0 'the other one later'

# -- a plan that was tampered with --

jq '(.changes[] | select(.name == "effective_cache_size") | .name) = "archive_command"' "$work/settings.plan" \
    >"$work/bad.plan" 2>/dev/null || sed 's/effective_cache_size/archive_command/g' "$work/settings.plan" >"$work/bad.plan"
run apply "$work/bad.plan" "${LAX[@]}"
is "$rc" 10 'its hash tells'
is "$(sql 'SHOW archive_command')" '(disabled)' 'and nothing was done'

done_testing
