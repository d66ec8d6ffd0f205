#!/usr/bin/env bash
# kill -9 at every point of a table's exchange for a partitioned one and of the way back; the same command is run again
# and ends where an undisturbed run ends. Prints TAP.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

plan=$work/partition.plan

schema() {
    pg_dump -s -N pgmend -d "$db" | grep -v '^--\|^\\\(un\)\?restrict'
}

rows() {
    sql "SELECT count(*) || ' ' || sum(hashtext(id || body || at)::bigint) FROM message"
}

open_entries() {
    sql "SELECT count(*) FROM pgmend.journal WHERE state NOT IN ('done', 'undone', 'failed')"
}

create_database
script "$db" <<'SQL'
CREATE TABLE dialog (id int PRIMARY KEY);
INSERT INTO dialog SELECT generate_series(1, 10);
CREATE TABLE message (id serial PRIMARY KEY, dialog_id int NOT NULL REFERENCES dialog, body text NOT NULL,
                      at timestamp NOT NULL);
CREATE INDEX message_dialog ON message (dialog_id);
CREATE TABLE rating (message_id int CONSTRAINT rating_message REFERENCES message);
INSERT INTO message (dialog_id, body, at) SELECT 1 + i % 10, 'row ' || i, now() - i * interval '1 minute'
  FROM generate_series(1, 2000) AS i;
SQL
before=$(schema)
run partition advise message --give-up-foreign-key rating_message -o "$plan"
is "$rc" 0 'the plan is made'

killed=1
for ((point = 1; point <= 20 && ${#killed}; point++)); do
    PGMEND_FAULT=partition:$point run apply "$plan" "${LAX[@]}"
    [ "$rc" = 137 ] || killed=
    content=$(rows)
    run apply "$plan" "${LAX[@]}"
    is "$rc|$(open_entries)" '0|0' "apply killed at point $point (${killed:+it was}): the next run ends it"
    is "$(sql "SELECT relkind::text FROM pg_class WHERE oid = 'message'::regclass")|$(rows)" "p|$content" \
        'it is partitioned, with all rows'
    run rollback --all
    is "$rc" 0 'undone'
    [ "$(schema)" = "$before" ] && same=same || same=other
    is "$same|$(rows)" "same|$content" 'the schema is what it was, the rows too'
done
is "$([ "$point" -gt 6 ] && echo several)" several "there are several points ($point)"

killed=1
for ((point = 1; point <= 30 && ${#killed}; point++)); do
    run apply "$plan" "${LAX[@]}"
    sql "INSERT INTO message (dialog_id, body, at) SELECT 1, 'new', now() + interval '40 days'
           FROM generate_series(1, 50)" >/dev/null
    content=$(rows)
    PGMEND_FAULT=partition:$point run rollback --all
    [ "$rc" = 137 ] || killed=
    is "$(rows)" "$content" "rollback killed at point $point (${killed:+it was}): all rows are seen"
    run rollback --all
    [ "$(schema)" = "$before" ] && same=same || same=other
    is "$same|$(rows)|$(open_entries)" "same|$content|0" 'the next run ends it, no row is lost'
    # Rows of the next months would be beyond the bound of the next round.
    sql "UPDATE message SET at = now() WHERE at > now()" >/dev/null
done
is "$([ "$point" -gt 4 ] && echo several)" several "there are several points ($point)"
done_testing
