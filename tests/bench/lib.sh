# shellcheck shell=bash
# What every group of benchmarks uses, inside a guest: source this first. It is tests/lib.sh, with the
# contenders and with figures.
#
#   say chart|row|figure|goal …     a line for the report; tests/bench/report/raw.rs tells what it reads
#   note TEXT                       progress
#   with CONTENDER CMD…             set the contender up, run CMD with TARGET set, take it down again
#   rounds FUNCTION CONTENDER…      FUNCTION CONTENDER for each of them, as many rounds as were asked for
#
# Everything is measured in turn in one guest, each round beginning with another contender, so that what
# else the machine does falls on all of them alike.

# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

RUNS=$(sed -n 's/.*\bnatf\.runs=\([0-9]*\).*/\1/p' /proc/cmdline)
: "${RUNS:=5}"
ALICE=192.168.0.10
# What the output rule of `dnat` stands on: the same kind of address that NAT-f uses.
VIRTUAL=240.9.9.9
TARGET=
export ALICE VIRTUAL TARGET

say() { printf '%s\n' "$*" >&4; }

# The home router's rules, with a port forwarding to alice.
forwarding() {
    firewall
    hgw nft -f - <<RULES
table ip nat {
    chain prerouting {
        type nat hook prerouting priority dstnat;
        iifname "wan" meta l4proto { tcp, udp } th dport 5000-5999 dnat to $ALICE
    }
}
add rule inet filter forward iifname "wan" ct status dnat accept
RULES
}

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

# --- the contenders: each starts from a router without rules, and leaves one ----------------------------

# Routing alone: no NAT, no connection tracking anywhere. The limit.
on_direct() {
    isp ip route add 192.168.0.0/24 via $G2
    TARGET=$ALICE
}
off_direct() { isp ip route del 192.168.0.0/24; }

# A port forwarding on the router; EN does nothing.
on_forward() {
    forwarding
    TARGET=$G2
}
off_forward() { hgw nft flush ruleset; }

# NAT-f: the router only masquerades.
on_natf() {
    firewall
    natf_on
    natf_unlimited
    TARGET=$(address_of alice.home.example.net)
}
off_natf() {
    rmmod natf_en natf_router
    hgw nft flush ruleset
}

# The port forwarding, and EN changes the address itself, by a rule of its own NAT.
on_dnat() {
    forwarding
    en nft -f - <<RULES
table ip nat {
    chain output {
        type nat hook output priority dstnat;
        ip daddr $VIRTUAL dnat to $G2
    }
}
RULES
    TARGET=$VIRTUAL
}
off_dnat() {
    en nft flush ruleset
    hgw nft flush ruleset
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
