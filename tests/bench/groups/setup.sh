#!/bin/bash
# guest: uml
# limit: 600
# How long a connection takes to its first byte: from connect() to the byte that the server sends at once, on
# paths of 0 to 150 ms each way. With NAT-f the first packet travels in the request to the router; in `exchange` it does
# not, and the request is a round trip of the path more.
#
#   en (natf-load) ─── isp (netem) ─── hgw ─── alice (natf-load)
# shellcheck source=tests/bench/lib.sh
. "$NATF_TESTS/bench/lib.sh"

DELAYS=(0 10 50 150)
CONTENDERS=(direct forward natf exchange ipip wireguard pcp)
# Each has a port of its own: alice still knows the other ones' closed connections from the same port of en,
# and those have other timestamps.
declare -A PORT=([direct]=5400 [forward]=5401 [natf]=5402 [ipip]=5403 [wireguard]=5404 [pcp]=5405 [exchange]=5406)

for figure in median p99; do
    say chart $figure us "From connect() to the first byte, $figure"
    for delay in "${DELAYS[@]}"; do
        say row "$figure-$delay" "$delay ms each way"
    done
done
for delay in "${DELAYS[@]}"; do
    # Without a path there is nothing to gain: the work of the first packet is done twice at most.
    ((delay == 0)) || say goal "median-$delay" natf/direct most 1.02 "From connect() to the first byte, $delay ms each way"
done
say chart beyond us "Beyond a direct connection, in the exchange also beyond one round trip, median"
for delay in "${DELAYS[@]}"; do
    say row "beyond-$delay" "$delay ms each way"
    say goal "beyond-$delay" exchange most 100 "Beyond a direct connection and one round trip, us, $delay ms each way"
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
for contender in natf exchange; do
    trips=0
    [ $contender = natf ] || trips=1
    for delay in "${DELAYS[@]}"; do
        paste -d ' ' <(at "$contender.$delay") <(at "direct.$delay") <(at direct.0) |
            awk -v trips=$trips '{ printf "%.1f\n", $1 - $2 - trips * ($2 - $3) / 2 }' >"$WORK/beyond"
        while read -r value; do
            say figure "beyond-$delay" $contender "$value"
        done <"$WORK/beyond"
    done
done
