# What the tests of alerts share: what a monitor has said of a rule, and loops that make trouble. Sourced after lib.sh.
# shellcheck shell=bash
# The descriptors and loops are named by eval.
# shellcheck disable=SC2034,SC2154

told=$work/bg.out # what the monitor prints: an alert a line, as JSON

# What the monitor said last of the rule: firing, resolved, or nothing.
# A rule is "name", or "name@server" where several are watched.
lines_of() { # rule
    grep "\"rule\":\"${1%@*}\"" "$told" | if [[ "$1" == *@* ]]; then grep "\"server\":\"${1#*@}\""; else cat; fi
}

says() { # rule state
    lines_of "$1" | tail -n 1 | grep -q "\"state\":\"$2\""
}

is_quiet() { # rule
    ! says "$1" firing
}

# Before a trouble is made: what an earlier one set off on the side is over.
calm() { # rule ...
    local rule

    for rule in "$@"; do
        wait_until "$rule is quiet" is_quiet "$rule"
    done
}

fires() { # rule ...
    local rule

    for rule in "$@"; do
        wait_until "$rule fires" says "$rule" firing
        pass "$rule fires"
    done
}

clears() { # rule ...
    local rule

    for rule in "$@"; do
        wait_until "$rule clears" says "$rule" resolved
        pass "$rule clears"
    done
}

# The last line about the rule in this state.
line_of() { # rule state
    lines_of "$1" | grep "\"state\":\"$2\"" | tail -n 1
}

# The plan's: never before `for` has passed, and a tick or two behind it. The JSON has whole seconds.
in_time() { # rule seconds
    local rc=0

    python3 - "$(line_of "$1" firing)" "$2" <<'PY' || rc=$?
import datetime, json, sys
alert = json.loads(sys.argv[1])
since, fired = (datetime.datetime.strptime(alert[k], "%Y-%m-%dT%H:%M:%SZ") for k in ("since", "fired"))
wait, least = (fired - since).total_seconds(), float(sys.argv[2])
print("#", alert["rule"], "was bad for", wait, "s:", alert["value_text"], alert["cause"])
sys.exit(0 if least - 1 <= wait <= least + 10 else 1)
PY
    is "$rc" 0 "$1 fires after its time, and not before"
}

background() { # name command ...: a loop until "stop NAME"
    local name=$1

    shift
    touch "$work/$name.go"
    while [ -e "$work/$name.go" ]; do "$@" >/dev/null 2>&1; done &
    eval "${name}_loop=$!"
}

stop() { # name
    local loop=$1_loop

    rm -f "$work/$1.go"
    wait "${!loop}" 2>/dev/null
}

# Each alert that fired says its value, its threshold, the likely cause and the next command; and each has cleared.
say_what_to_do() { # servers whose readings tell no cause
    local rc=0

    python3 - "$told" "$@" <<'PY' || rc=$?
import json, sys
last, bad = {}, 0
for line in open(sys.argv[1]):
    alert = json.loads(line)
    last[alert["server"], alert["rule"], alert["labels"]] = alert["state"]
    if alert["state"] != "firing":
        continue
    over = alert["value"] - alert["threshold"]
    below = alert["clear"] > alert["threshold"] or alert["clear"] == alert["threshold"] and over < 0
    wrong = [what for what, good in (
        ("value", over < 0 if below else over > 0), ("since", alert["since"] <= alert["fired"]),
        ("cause", alert["cause"] or alert["server"] in sys.argv[2:]),
        ("next", (alert["next"] or "").startswith("pgmend ")), ("text", "(threshold " in alert["value_text"]),
        ("playbook", alert["playbook"].endswith("#" + alert["rule"]))) if not good]
    if wrong:
        bad += 1
        print("#", alert["rule"], "lacks", wrong, line.strip())
print("#", len(last), "alerts of", len({rule for _, rule, _ in last}), "rules")
for alert, state in last.items():
    if state != "resolved":
        print("#", alert, "is", state)
sys.exit(1 if bad else 0)
PY
    is "$rc" 0 'each says value, threshold, cause and what to do next'
}
