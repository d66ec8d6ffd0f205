# shellcheck shell=bash
# For the examples of docs/:  . "$CASE/../lib.sh"; example from-the-plan.md
# shellcheck source=../lib.sh
. "$CASE/../../lib.sh"
ln -s "$CASE/../../../../replyx" replyx

# The lines below <!-- example: NAME --> in a page of docs/, NAME being the case's, are run one by one. Each is shown with
# how it ended, and with what it said that fits the extended regular expression SHOWN: times and sizes hang on the machine.
SHOWN='^(pgmend|hint|fail|error|critical)'
example() {
    local line status
    local -a lines

    mapfile -t lines < <(sed -n "/^<!-- example: ${CASE##*/} -->\$/,/^\`\`\`\$/p" "$CASE/../../../../docs/$1" |
        sed -e ':a' -e '/\\$/{N;s/\\\n *//;ba' -e '}' | grep -v '^<!--\|^```\|^#')
    [ "${#lines[@]}" -gt 0 ] || exit 99
    for line in "${lines[@]}"; do
        status=0
        printf '$ %s\n' "$line"
        eval "$line" >said.txt 2>&1 || status=$?
        case $status in
        99 | 127 | 13[1-9]) # not there, or a crash: never what is expected
            cat said.txt
            exit 99
            ;;
        esac
        grep -E "$SHOWN" said.txt || true
        printf '(exit status %d)\n\n' "$status"
    done
}
