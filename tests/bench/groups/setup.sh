#!/bin/bash
# guest: uml
# limit: 600
# How long a connection takes to its first byte: from connect() to the byte that the server sends at once, on
# paths of 0 to 150 ms each way. NAT-f asks its router first, which is a round trip of the path.
#
#   en (natf-load) ─── isp (netem) ─── hgw ─── alice (natf-load)
# shellcheck source=tests/bench/lib.sh
. "$NATF_TESTS/bench/lib.sh"

DELAYS=(0 10 50 150)
CONTENDERS=(direct forward natf ipip wireguard pcp)
# Each has a port of its own: alice still knows the other ones' closed connections from the same port of en,
# and those have other timestamps.
declare -A PORT=([direct]=5400 [forward]=5401 [natf]=5402 [ipip]=5403 [wireguard]=5404 [pcp]=5405)

for figure in median p99; do
    say chart $figure us "From connect() to the first byte, $figure"
    for delay in "${DELAYS[@]}"; do
        say row "$figure-$delay" "$delay ms each way"
    done
done
say chart beyond us "NAT-f, beyond a direct connection and one round trip, median"
for delay in "${DELAYS[@]}"; do
    say row "beyond-$delay" "$delay ms each way"
    say goal "beyond-$delay" natf most 100 "Beyond a direct connection and one round trip, us, $delay ms each way"
done

topology
hgw nft flush ruleset
name_server
declare -A MEDIAN

measure() {
    local contender=$1 delay name value workers
    local -a delays=("${DELAYS[@]}")
    # Tunnels that stand, and ports that were asked for before, make no difference: two delays will do.
    case $contender in ipip | wireguard | pcp) delays=(0 50) ;; esac
    for delay in "${delays[@]}"; do
        workers=1
        if ((delay > 0)); then
            delay "$delay"
            # So many that it does not last, so few that they do not meet.
            workers=$((delay > 100 ? 30 : delay / 4))
        fi
        natf-load connect en alice "$TARGET" "${PORT[$contender]}" 100 $workers >"$WORK/times"
        while read -r name value; do
            say figure "$name-$delay" "$contender" "$value"
            [ "$name" != median ] || MEDIAN[$contender.$delay]+=" $value"
        done <"$WORK/times"
        ((delay == 0)) || no_delay
    done
}
no_delay() {
    isp tc qdisc del dev en root
    isp tc qdisc del dev hgw root
}

one() { with "$1" measure "$1"; }
rounds one "${CONTENDERS[@]}"

# A direct connection has its first byte after two round trips of the path and what it takes without any delay;
# so a round trip is half of what the delay added to it. (The guest's timers add some, too.)
at() { tr ' ' '\n' <<<"${MEDIAN[$1]# }"; }
for delay in "${DELAYS[@]}"; do
    paste -d ' ' <(at "natf.$delay") <(at "direct.$delay") <(at direct.0) |
        awk '{ printf "%.1f\n", $1 - $2 - ($2 - $3) / 2 }' >"$WORK/beyond"
    while read -r value; do
        say figure "beyond-$delay" natf "$value"
    done <"$WORK/beyond"
done
