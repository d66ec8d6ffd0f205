#!/usr/bin/env bash
# What is installed beside the programs works where it is meant to: man pages read by mandoc, completion asked of the three
# shells, units looked at by systemd, the example of pgmend.ini with every setting in force, the bill of materials against
# what the programs load, examples for CI and containers against the commands that there are. Prints TAP.
# shellcheck source=lib.sh disable=SC2119,SC2317
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

replyx_api=${REPLYX_API:-$(dirname "$pgmend")/replyx/replyx-api}
installed=$work/installed
python3 "$root/packaging/install.py" "$root" "$pgmend" "$replyx_api" /usr --destdir "$installed" || {
    echo 'Bail out! packaging/install.py failed'
    exit 1
}
usr=$installed/usr
helper=$here/../../support/package.py

have() { # programs
    command -v "$@" >/dev/null
}

left_out() { # description, reason
    number=$((number + 1))
    echo "ok $number - $1 # SKIP $2"
}

# -- man pages ----------------------------------------------------------------------------------

pages=("$usr"/share/man/man[158]/*)
missing=$(python3 "$helper" commands "$pgmend" | tr ' ' '-' | while read -r name; do
    [ -s "$usr/share/man/man1/pgmend-$name.1" ] || echo "$name"
done)
is "$missing" '' 'every command has a page'
is "$(cd "$usr/share/man" && ls man1/pgmend.1 man5/* man8/*)" 'man1/pgmend.1
man5/pgmend.ini.5
man8/replyx-api.8' 'and so have the program, its file and replyx-api'
if have mandoc; then
    is "$(mandoc -T lint "${pages[@]}" 2>&1)" '' 'mandoc has nothing to say of any'
else
    left_out 'mandoc has nothing to say of any' 'mandoc is not installed'
fi
if have lexgrog; then
    # What apropos and whatis read.
    is "$(lexgrog "${pages[@]}" | grep -vc ': "[a-z-]*\(\.ini\)\? - [a-zA-Z0-9]')" 0 'apropos finds each'
else
    left_out 'apropos finds each' 'man-db is not installed'
fi

# -- completion ---------------------------------------------------------------------------------

# What bash offers for the last word.
bash_offers() { # words
    local -a words=("$@")

    COMPLETION=$usr/share/bash-completion/completions/pgmend bash --norc --noprofile -c '
        . "$COMPLETION"
        complete -p pgmend >&2
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _pgmend
        printf "%s\n" "${COMPREPLY[@]}"' bash "${words[@]}" 2>"$work/bash.err" | sort | tr '\n' ' '
}

is "$(bash_offers pgmend ind)" 'index ' 'bash: a group of commands'
is "$(bash_offers pgmend index re)" 'reindex ' 'bash: a command of it'
is "$(bash_offers pgmend --json backup create --verif)" '--verify ' 'bash: an option'
has "$(cat "$work/bash.err")" '-F _pgmend pgmend' 'bash: it is what completes pgmend'
if have shellcheck; then
    is "$(shellcheck --shell=bash --exclude=SC2034 "$usr/share/bash-completion/completions/pgmend" 2>&1)" '' \
        'bash: shellcheck has nothing to say'
else
    left_out 'bash: shellcheck has nothing to say' 'shellcheck is not installed'
fi

if have fish; then
    fish_offers() { # command line
        HOME=$work XDG_DATA_DIRS=$usr/share fish --no-config -c "
            source $usr/share/fish/vendor_completions.d/pgmend.fish
            complete -C '$1'" 2>&1 | cut -f 1 | sort | tr '\n' ' '
    }
    is "$(fish_offers 'pgmend ind')" 'index ' 'fish: a group of commands'
    is "$(fish_offers 'pgmend index re')" 'reindex ' 'fish: a command of it'
    is "$(fish_offers 'pgmend backup create --verif')" '--verify ' 'fish: an option'
else
    left_out 'fish' 'fish is not installed'
fi

if have zsh; then
    # A shell at a terminal, in which Tab is pressed; then a key of ours writes what the line has become.
    cat >"$work/complete.zsh" <<'ZSH'
zmodload zsh/zpty
zpty shell "TERM=dumb zsh -f -i"
zpty -w shell "fpath=($1 \$fpath); autoload -Uz compinit; compinit -D; PS1=; unsetopt prompt_sp zle_bracketed_paste
show() { print -r -- \"<<\$BUFFER>>\"; BUFFER= }
zle -N show; bindkey '^Xs' show; print -r -- rea\dy"
zpty -r -m shell line '*ready*'
shift
for words; do
    zpty -w -n shell "$words"$'\t\x18s'
    zpty -r -m shell line '*<<*>>*'
    print -r -- "${${line##*<<}%%>>*}"
done
zpty -d shell
ZSH
    offered=$(HOME=$work timeout "$DEADLINE_S" zsh -f "$work/complete.zsh" "$usr/share/zsh/site-functions" \
        'pgmend ind' 'pgmend index rei' 'pgmend backup create --verif' | sed 's/ *$//')
    is "$offered" 'pgmend index
pgmend index reindex
pgmend backup create --verify' 'zsh: a group, a command of it, an option'
else
    left_out 'zsh' 'zsh is not installed'
fi

# -- systemd ------------------------------------------------------------------------------------

if have systemd-analyze; then
    units=$work/units
    mkdir "$units"
    for unit in "$usr"/lib/systemd/system/*; do
        sed "s|/usr/bin/pgmend|$pgmend|; s|/usr/bin/replyx-api|$replyx_api|" "$unit" >"$units/${unit##*/}"
    done
    for unit in "$units"/*; do
        is "$(systemd-analyze verify --man=no --recursive-errors=no "$unit" 2>&1 | grep -F "${unit##*/}")" '' \
            "${unit##*/}: systemd-analyze verify"
        [[ $unit == *.timer ]] && continue
        # The threshold is in tenths: 2.0 of 10.
        out=$(systemd-analyze security --offline=true --threshold=20 --no-pager "$unit" 2>&1)
        is $? 0 "${unit##*/}: $(sed -n 's/.*\(exposure level\) for [^:]*: \([0-9.]*\).*/\1 \2/p' <<<"$out")"
    done
else
    left_out 'units' 'systemd-analyze is not installed'
fi
if have systemd-sysusers systemd-tmpfiles; then
    mkdir -p "$work/machine/etc"
    systemd-sysusers --root="$work/machine" "$usr/lib/sysusers.d/pgmend.conf" 2>"$work/sysusers.err"
    has "$(cat "$work/machine/etc/passwd" "$work/sysusers.err")" 'pgmend:x:' 'systemd-sysusers makes the user'
    systemd-tmpfiles --root="$work/machine" --create "$usr/lib/tmpfiles.d/pgmend.conf" 2>"$work/tmpfiles.err"
    is "$(stat -c '%a %s' "$work/machine/etc/pgmend/pgpass")" '600 0' 'systemd-tmpfiles makes the file of passwords'
else
    left_out 'sysusers and tmpfiles' 'systemd is not installed'
fi

# A service manager of our own hears what the monitor tells it.
if [ -n "$(sql 'SELECT 1' postgres 2>/dev/null)" ]; then
    python3 "$helper" manager "$work/notify" >"$work/heard.out" &
    manager=$!
    wait_until 'the manager listens' test -S "$work/notify"
    NOTIFY_SOCKET=$work/notify WATCHDOG_USEC=400000 PGDATABASE=postgres "$pgmend" monitor --interval 1 \
        --listen 127.0.0.1:0 --state-dir "$state" >"$work/monitor.out" 2>"$work/monitor.err" &
    monitor=$!
    wait_until 'it is ready' grep -q '^READY=1' "$work/heard.out"
    pass 'the monitor says that it is ready'
    fed() {
        [ "$(grep -c '^WATCHDOG=1' "$work/heard.out")" -ge 3 ]
    }
    wait_until 'the watchdog is fed' fed
    pass 'and feeds the watchdog'
    kill -TERM "$monitor"
    wait "$monitor" 2>/dev/null
    wait_until 'its end is told' grep -q '^STOPPING=1' "$work/heard.out"
    pass 'its end is told'
    kill "$manager" && wait "$manager" 2>/dev/null
fi

# -- settings, bill of materials, examples ------------------------------------------------------

python3 "$helper" settings "$pgmend" "$usr/share/pgmend/pgmend.ini.example" "$work/all.ini" >"$work/settings.out"
is "$(cat "$work/settings.out")" '' 'an option is a setting of the example, or is refused in a file'
out=$("$pgmend" --config "$work/all.ini" help index lint 2>&1 >/dev/null)
is "$out" '' 'the example is good with every setting in force'
out=$("$pgmend" --config "$usr/share/pgmend/pgmend.ini.example" version 2>&1 >/dev/null)
is "$out" '' 'and as it is'

is "$(python3 "$helper" materials "$usr/share/doc/pgmend/sbom.cdx.json" "$root" "$pgmend" "$replyx_api")" '' \
    'the bill of materials names what is loaded and what is compiled in, by version'
is "$(python3 "$root/packaging/sbom.py" "$pgmend" "$replyx_api" | cmp - "$usr/share/doc/pgmend/sbom.cdx.json" 2>&1)" '' \
    'and made again it is the same'

# Debian's packages are seen by Debian's Python only.
yaml_python=$(for one in python3 /usr/bin/python3; do "$one" -c 'import yaml' 2>/dev/null && echo "$one" && break; done)
if [ -n "$yaml_python" ]; then
    is "$("$yaml_python" "$helper" examples "$root" 2>&1)" '' 'examples for CI and containers name what is there'
else
    left_out 'examples for CI and containers name what is there' 'python3-yaml is not installed'
fi

done_testing
