# shellcheck shell=bash
# For cases of several commands:  . "$CASE/../../lib.sh"

# Runs a command and shows it, what it said (results and talk together) and how it ended.
run() {
    local status=0

    printf '$ %s\n' "$*"
    "$@" 2>&1 || status=$?
    printf '(exit status %d)\n\n' "$status"
    case $status in
    99 | 13[1-9]) exit 99 ;; # a crash is never what is expected
    esac
}

# The same without a word, for what has to work on the way to what is tested.
quietly() {
    "$@" >quiet.txt 2>&1 || {
        echo "could not: $*"
        cat quiet.txt
        exit 99
    }
}

# Goes on in spite of red gates.
# shellcheck disable=SC2034
readonly FORCE=(--override all --reason "a golden test")
