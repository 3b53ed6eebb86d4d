# shellcheck shell=bash
# What every scenario uses: source this first. Scenarios run inside a guest, as root, with the
# guest to themselves, so nothing here cleans up after itself except where that is what is tested.
#
#   ok TEXT CMD…          CMD must succeed            matches TEXT GOT REGEX
#   not_ok TEXT CMD…      CMD must fail               differs TEXT GOT OTHER
#   is TEXT GOT WANT      both strings are equal      within TEXT GOT LOW HIGH   (numbers)
#   note TEXT             a line for the reader       skip_all REASON            exit 4
#   wait_for CMD…         until CMD succeeds, at most WAIT seconds (10)
#   rounds N              how often to repeat what is about chance: N, in debug guests 200, or ROUNDS=…
#
# The results are KTAP on standard output; the plan follows by itself when the script ends. A command
# that fails outside of these ends the script, which is a failure of its own.

set -Eeuo pipefail
shopt -s inherit_errexit

: "${NATF_TESTS:=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)}"
WORK=$(mktemp -d)
cd "$WORK"

ktap_count=0
ktap_failed=0
ktap_where=

exec 4>&1
echo "KTAP version 1" >&4

ktap_result() { # ktap_result ok|"not ok" TEXT
    ktap_count=$((ktap_count + 1))
    [ "$1" = ok ] || ktap_failed=$((ktap_failed + 1))
    printf '%s %d %s\n' "$1" "$ktap_count" "$2" >&4
}

note() {
    printf '%s\n' "$*" | sed 's/^/# /' >&4
}

# ktap_died LINE COMMAND: from the ERR trap; the first command that fails is the one to tell. The lines
# lead from it to the script.
ktap_died() {
    local i
    [ -z "$ktap_where" ] || return 0
    ktap_where="$2 (line $1"
    for ((i = 1; i < ${#BASH_LINENO[@]} - 1; i++)); do
        ktap_where+=", in ${FUNCNAME[i]} called from ${BASH_LINENO[i]}"
    done
    ktap_where+=")"
}

ktap_end() {
    local status=$?
    if [ -n "$ktap_where" ]; then
        ktap_result "not ok" "the script ended early: $ktap_where"
    elif ((status != 0 && status != 4)); then
        ktap_result "not ok" "the script ended early with status $status"
    fi
    ((status == 4)) && [ -z "$ktap_where" ] && exit 4
    printf '1..%d\n' "$ktap_count" >&4
    # A script without a single check has shown nothing.
    ((ktap_failed == 0 && ktap_count > 0)) || exit 1
    exit 0
}
trap 'ktap_died "$LINENO" "$BASH_COMMAND"' ERR
trap ktap_end EXIT

skip_all() {
    printf '1..0 # SKIP %s\n' "$*" >&4
    exit 4
}

# The command runs in an "if", so a function given here does not stop at its first failing line.
ok() {
    local text=$1 status=0
    shift
    if "$@" >"$WORK/output" 2>&1; then
        ktap_result ok "$text"
    else
        status=$?
        ktap_result "not ok" "$text"
        note "command: $*"
        note "status $status"
        tail -n 30 "$WORK/output" | sed 's/^/# /' >&4
    fi
}

not_ok() {
    local text=$1
    shift
    if "$@" >"$WORK/output" 2>&1; then
        ktap_result "not ok" "$text"
        note "command succeeded: $*"
        tail -n 30 "$WORK/output" | sed 's/^/# /' >&4
    else
        ktap_result ok "$text"
    fi
}

judge() { # judge TEXT WHAT-IS-WRONG CMD…: for the comparisons below
    local text=$1 wrong=$2
    shift 2
    if "$@"; then
        ktap_result ok "$text"
    else
        ktap_result "not ok" "$text"
        note "$wrong"
    fi
}

is() { judge "$1" "got:    $2"$'\n'"wanted: $3" [ "$2" = "$3" ]; }
differs() { judge "$1" "got: $2" [ "$2" != "$3" ]; }
matches() { judge "$1" "got: $2"$'\n'"wanted: $3" regex "$2" "$3"; }
within() { judge "$1" "got: $2, wanted $3 to $4" between "$2" "$3" "$4"; }
regex() { [[ $1 =~ $2 ]]; }
between() { (($1 >= $2 && $1 <= $3)); }

wait_for() {
    local deadline=$((SECONDS + ${WAIT:-10}))
    until "$@" >/dev/null 2>&1; do
        if ((SECONDS > deadline)); then
            note "waited ${WAIT:-10} s in vain for: $*"
            return 1
        fi
        sleep 0.05
    done
}

rounds() {
    local usual=$1
    [ "$NATF_KIND" != debug ] || usual=200
    echo "${NATF_ROUNDS:-$usual}"
}

milliseconds() { # now, on a clock for differences
    local up
    read -r up _ </proc/uptime
    printf '%s\n' "$((10#${up/./} * 10))"
}

# timed CMD…: sets TOOK to the milliseconds that CMD ran and STATUS to its exit status.
timed() {
    local before
    before=$(milliseconds)
    STATUS=0
    "$@" >"$WORK/timed" 2>&1 || STATUS=$?
    TOOK=$(($(milliseconds) - before))
    export TOOK STATUS
}

# shellcheck source=tests/lib/topology.sh
. "$NATF_TESTS/lib/topology.sh"
# shellcheck source=tests/lib/services.sh
. "$NATF_TESTS/lib/services.sh"
# shellcheck source=tests/lib/capture.sh
. "$NATF_TESTS/lib/capture.sh"
# shellcheck source=tests/lib/natf.sh
. "$NATF_TESTS/lib/natf.sh"
# shellcheck source=tests/lib/rules.sh
. "$NATF_TESTS/lib/rules.sh"
