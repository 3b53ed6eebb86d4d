# shellcheck shell=bash
# What every group of benchmarks uses, inside a guest: source this first. It is tests/lib.sh, with the
# contenders and with figures.
#
#   say chart|row|figure|goal …     a line for the report; tests/bench/report/raw.rs tells what it reads
#   note TEXT                       progress
#   with CONTENDER CMD…             set the contender up, run CMD with TARGET set, take it down again;
#                                   tests/bench/contenders.sh has them all
#   load METRIC CONTENDER CMD…      figures of natf-load, which runs for LOAD_SECONDS
#   rounds FUNCTION CONTENDER…      FUNCTION CONTENDER for each of them, as many rounds as were asked for
#
# Everything is measured in turn in one guest, each round beginning with another contender, so that what
# else the machine does falls on all of them alike.

# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"
# shellcheck source=tests/bench/contenders.sh
. "$NATF_TESTS/bench/contenders.sh"

RUNS=$(sed -n 's/.*\bnatf\.runs=\([0-9]*\).*/\1/p' /proc/cmdline)
: "${RUNS:=5}"

say() { printf '%s\n' "$*" >&4; }

# known_neighbours NAMESPACE…: nobody asks who has which address any more. A neighbour that has to be confirmed
# takes another path, and would come upon one contender rather than another.
known_neighbours() {
    local ns
    en ping -qc 1 $ALICE >/dev/null || true
    for ns; do
        ip -n "$ns" -4 neighbour show | sed -n 's/^\(.* lladdr [^ ]*\) .*/neighbour replace \1 nud permanent/p' |
            ip -n "$ns" -batch -
    done
}

# quiet_topology: the network without rules, where all know each other, and the name server
quiet_topology() {
    topology
    hgw nft flush ruleset
    on_direct
    known_neighbours en isp hgw alice
    off_direct
    name_server
}

with() {
    local contender=$1
    shift
    "on_$contender"
    "$@"
    "off_$contender"
    # The next one starts without this one's entries.
    hgw conntrack -F 2>/dev/null
    en conntrack -F 2>/dev/null
}

rounds() {
    local round turn what=$1
    shift
    for ((round = 1; round <= RUNS; round++)); do
        for ((turn = 0; turn < $#; turn++)); do
            local contender=${*:(round - 1 + turn) % $# + 1:1}
            note "round $round of $RUNS: $contender"
            "$what" "$contender"
        done
    done
    # The harness wants to see a check.
    is "all rounds were run" "$((round - 1))" "$RUNS"
}

# Bytes of a round of lockstep TCP.
CHUNK=262144

# load METRIC CONTENDER natf-load…: what it prints after LOAD_SECONDS, by direction; lockstep TCP as Mbit/s
load() {
    local metric=$1 contender=$2 direction rate
    shift 2
    natf-load "$@" "$LOAD_SECONDS" >"$WORK/load"
    while read -r direction rate; do
        [ "$metric" != one ] || rate=$(awk -v n="$rate" -v size=$CHUNK 'BEGIN { print n * size * 8 / 1e6 }')
        say figure "$metric-$direction" "$contender" "$rate"
    done <"$WORK/load"
}
