#!/usr/bin/env bash
# "rollback --level code" with a release command, and "--level index": what is taken back, what stays, what is told. Prints TAP.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

create_database

# -- code -------------------------------------------------------------------------------------------
run rollback --level code --release-command "echo going back; echo to \$((40 + 2)) >&2; touch $work/done"
is "$rc" 0 'the release command is run'
has "$out" 'to 42' 'its last lines are shown, errors too'
is "$([ -e "$work/done" ] && echo yes)" yes 'it did what it does'
is "$(sql "SELECT state FROM pgmend.journal WHERE kind = 'release command'")" 'done' 'it stands in the journal'
run rollback --level code --release-command 'echo no such release; exit 7'
is "$rc" 1 'a command that fails is an error'
has "$err" 'status 7' 'its status is told'
has "$err" 'no such release' 'and what it said'
is "$(sql "SELECT state FROM pgmend.journal WHERE kind = 'release command' ORDER BY id DESC LIMIT 1")" failed \
    'and that stands in the journal'
run rollback --level code --release-timeout 1s --release-command "sleep 600 & echo \$! >$work/child; wait"
is "$rc" 1 'one that does not end is ended'
wait_until 'what it started is gone' bash -c "! kill -0 $(cat "$work/child") 2>/dev/null"
has "$err" 'the release command' 'it is said which'
run --json rollback --level code --release-command true
is "$(jq -r '.release.status, .health.is_well' <<<"$out" | tr '\n' ' ')" '0 true ' 'the same as JSON'
run rollback --level code --health-url http://127.0.0.1:9/
is "$rc" 10 'the health address does not answer: status 10'
has "$out" 'is not well: http://127.0.0.1:9/' 'and that is said'

# -- index --------------------------------------------------------------------------------------------
run index apply "$(script_of 'CREATE INDEX CONCURRENTLY items_a ON items (a);')" "${LAX[@]}"
is "$rc" 0 'an index is built'
run rollback --level index
is "$rc" 0 'and taken back'
has "$out" 'the service is well' 'the service is well'
is "$(inventory)" '' 'it is gone'
run rollback --level index
is "$rc" 0 'a second time'
has "$out" 'There is nothing to undo' 'there is nothing to undo, and that is said'
run rollback --confirm x
is "$rc" 2 'an option of another level is refused'
done_testing
