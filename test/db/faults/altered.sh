#!/usr/bin/env bash
# What others did with an index since it was built: rollback leaves it alone, and goes on. Prints TAP.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

create_database
sql 'CREATE TABLE one (a int NOT NULL, b int); CREATE TABLE two (a int, b int);
    CREATE TABLE part (a int) PARTITION BY RANGE (a);
    CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (10)'
script=$(script_of 'CREATE UNIQUE INDEX CONCURRENTLY one_a ON one (a);
    CREATE INDEX CONCURRENTLY two_a ON two (a); CREATE INDEX CONCURRENTLY two_b ON two (b);
    CREATE INDEX CONCURRENTLY part_1_a ON part_1 (a);')
run index apply "$script" "${LAX[@]}"
is "$rc" 0 'four indexes are built'

sql 'ALTER TABLE one REPLICA IDENTITY USING INDEX one_a; ALTER INDEX two_a RENAME TO two_other;
    CREATE INDEX part_a ON ONLY part (a); ALTER INDEX part_a ATTACH PARTITION part_1_a'
run rollback
is "$rc" 1 'a rollback that leaves some alone says so by its status'
has "$out" 'public.one_a serves the replica identity of its table since' 'a replica identity is not dropped'
has "$out" 'public.two_a is now public.two_other' 'a renamed index is found, and not dropped'
has "$out" 'public.part_1_a serves the index part_a of the parent table since' 'nor one that a parent needs'
has "$out" 'public.two_b  dropped' 'the others are undone all the same'
is "$(sql "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relkind = 'i'
    AND relname ~ '^(one|two|part)_'")" 'one_a part_1_a two_other' 'what was to stay is there'
run index apply "$(script_of 'CREATE INDEX CONCURRENTLY two_b ON two (b);')" "${LAX[@]}"
is "$rc" 0 'and nothing stands in the way of other work'

run plan "$script" -o "$script"
is "$rc" 2 'plan -o does not overwrite the script'
has "$(cat "$script")" 'CREATE INDEX CONCURRENTLY two_b' 'the script is what it was'

run uninstall --yes
run index apply "$(script_of 'CREATE INDEX CONCURRENTLY two_ab ON two (a, b);')" "${LAX[@]}"
run rollback --all
is "$(sql "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relname ~ '^two_'")" \
    'two_b two_other' 'after uninstall a later rollback leaves the earlier indexes alone'
done_testing
